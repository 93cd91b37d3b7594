"""A store that forgets at exit: for tests, simulation and dry runs. The model of the real one."""

from provisor.store.memory.journal import MemoryJournal
from provisor.store.memory.ledger import MemoryLedger
from provisor.store.memory.state import JobState, MemoryState
from provisor.store.memory.store import MemoryStore

__all__ = ["JobState", "MemoryJournal", "MemoryLedger", "MemoryState", "MemoryStore"]
