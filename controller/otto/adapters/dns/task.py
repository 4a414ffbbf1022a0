"""What a worker is asked, and what it answers."""

from dataclasses import dataclass
from enum import StrEnum

from otto.adapters.dns.access import Access
from otto.model.domain import DomainSpec
from otto.model.zone import Targets, ZonePlan


class Kind(StrEnum):
    """What is asked."""

    SERIAL = "serial"
    READ = "read"
    PLAN = "plan"
    APPLY = "apply"
    DELEGATE = "delegate"
    CHECK = "check"
    EXAMINE = "examine"


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work on one zone."""

    kind: Kind
    domain: DomainSpec
    access: Access
    targets: Targets | None = None
    plan: ZonePlan | None = None

    @property
    def about(self) -> str:
        """Whose zone it is about, for people."""
        return f"{self.domain.provider.value}, {self.domain.name}"
