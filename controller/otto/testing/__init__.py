"""The outside in memory, for tests of OttO and of its plug-ins."""

from otto.testing.clock import START, FakeClock, settle
from otto.testing.failures import Failures
from otto.testing.store import MemoryStore

__all__ = ["START", "Failures", "FakeClock", "MemoryStore", "settle"]
