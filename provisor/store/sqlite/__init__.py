"""The real store: one SQLite file in WAL mode. Imports nothing: who only looks loads little."""
