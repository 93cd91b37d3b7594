"""What may be wrong with a store beyond what the engine distinguishes."""

from __future__ import annotations

from provisor.errors import StoreFailed


class StoreTooNew(StoreFailed):
    """A newer version wrote this store. An older one must not guess what it means."""

    default_code = "StoreTooNew"


class JobUnknown(StoreFailed):
    """There is no such job, or no longer."""

    default_code = "JobUnknown"
