"""From Terraform's messages to progress that people can read."""

from collections.abc import Iterable

from otto.adapters.terraform.messages import Event, Message
from otto.adapters.terraform.rootmodule import PREFIX
from otto.model.infrastructure import ResourceChange
from otto.model.progress import Progress, Report

_WORDS = {
    "create": ("creating", "created"),
    "update": ("changing", "changed"),
    "delete": ("removing", "removed"),
}


class Narrator:
    """Tells a report what Terraform does, counting operations.

    Args:
        report: who is told.
        changes: what the plan being applied says, to count and to name hosts.
    """

    def __init__(self, report: Report, changes: Iterable[ResourceChange] = ()) -> None:
        changes = tuple(changes)
        self._report = report
        self._hosts = {change.address: change.host for change in changes}
        self._total = sum(verb in _WORDS for change in changes for verb in change.verbs)
        self._done = 0

    def __call__(self, message: Message) -> None:
        """Report a message if it tells people something."""
        if isinstance(message, Event) and (words := self._words(message)):
            host = self._hosts.get(message.address, "")
            self._report(Progress(words, self._done, self._total, host))

    def say(self, words: str, host: str = "") -> None:
        """Report something of the adapter's own."""
        self._report(Progress(words, self._done, self._total, host))

    def _words(self, event: Event) -> str:
        name = self._hosts.get(event.address) or event.address.removeprefix(PREFIX)
        doing, done = _WORDS.get(event.action, ("", ""))
        match event.type:
            case "refresh_complete":
                return f"looked at {name}"
            case "apply_start" if doing:
                return f"{doing} {name}"
            case "apply_progress" if doing:
                return f"still {doing} {name} after {event.seconds} s"
            case "apply_complete" if done:
                self._done += 1
                return f"{name} {done} in {event.seconds} s"
            case "apply_errored" if doing:
                return f"{doing} {name} failed"
            case _:
                return ""
