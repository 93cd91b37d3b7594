"""What may be wrong with a store beyond what the engine distinguishes."""

from __future__ import annotations

from provisor.errors import StoreFailed


class StoreTooOld(StoreFailed):
    """An older version wrote this store, and others may be at work on it as it is."""

    default_code = "StoreTooOld"


class JobUnknown(StoreFailed):
    """There is no such job, or no longer."""

    default_code = "JobUnknown"
