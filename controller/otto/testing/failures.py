"""Failures that a test orders in advance."""

from collections import defaultdict, deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Failures:
    """Errors to come, by the name of the method that is to raise them, and the calls that were made.

        store.failures.next("save_run", TransientError("the disk is full"))
        store.failures.always("status", TransientError("away"))
        store.failures.stop("status")

    A name may carry a subject, as `configure:acme-web-1`: adapters in memory say which ones they know.
    """

    calls: list[str] = field(default_factory=list)
    _once: defaultdict[str, deque[Exception]] = field(default_factory=lambda: defaultdict(deque))
    _ever: dict[str, Exception] = field(default_factory=dict)

    def next(self, name: str, error: Exception, *, times: int = 1) -> None:
        """Have the next `times` calls raise `error`; orders queue up."""
        self._once[name].extend([error] * times)

    def always(self, name: str, error: Exception) -> None:
        """Have every call raise `error` until `stop`."""
        self._ever[name] = error

    def stop(self, name: str) -> None:
        """Let calls pass again."""
        self._ever.pop(name, None)
        self._once.pop(name, None)

    def strike(self, name: str) -> None:
        """Note a call, and raise what was ordered for it. Called by the ports in memory.

        Raises:
            Exception: the one that was ordered.
        """
        self.calls.append(name)
        if self._once[name]:
            raise self._once[name].popleft()
        if name in self._ever:
            raise self._ever[name]

    def count(self, name: str) -> int:
        """How often a method was called."""
        return self.calls.count(name)
