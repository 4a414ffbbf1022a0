"""The outside in memory, for tests of OttO and of its plug-ins."""

from otto.testing.clock import START, FakeClock, settle

__all__ = ["START", "FakeClock", "settle"]
