"""HTTP and JSON, as any connector that speaks them needs them: below them all."""
