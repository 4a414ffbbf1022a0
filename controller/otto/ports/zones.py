"""Zones: what DNS servers serve, and how it is changed."""

from typing import Protocol

from otto.model.domain import DomainSpec
from otto.model.observed import CheckFailure
from otto.model.progress import Report
from otto.model.zone import Targets, Zone, ZonePlan


class Zones(Protocol):
    """The servers and providers of zones."""

    async def serial(self, domain: DomainSpec) -> int | None:
        """Serial of the zone's SOA: cheap, tells whether to look closer. None where there is none to ask.

        Raises:
            TransientError: the servers do not answer.
        """

    async def read(self, domain: DomainSpec) -> Zone:
        """The zone as its provider has it, OttO's records told from others', and its delegation.

        Raises:
            TransientError: it cannot be read now.
            TerminalError: it refuses us: a wrong key, no right to transfer.
        """

    async def plan(self, domain: DomainSpec, targets: Targets) -> ZonePlan:
        """What would be changed for the zone to be as its spec says; nothing is changed.

        Records of a site whose addresses are not known stay as they are.

        Raises:
            TransientError, TerminalError: as `read`; and a spec that the provider cannot serve.
        """

    async def apply(self, domain: DomainSpec, plan: ZonePlan, report: Report) -> None:
        """Make these very changes; what was planned from must still be so.

        Raises:
            TransientError: the zone moved on since (plan again), or the servers do not answer.
            TerminalError: they refuse us.
        """

    async def check(self, domain: DomainSpec, targets: Targets) -> tuple[CheckFailure, ...]:
        """What authoritative servers, and the resolvers of choice, answer otherwise than desired.

        Raises:
            TransientError: nothing can be asked from here.
        """

    async def remove(self, domain: DomainSpec, plan: ZonePlan, report: Report) -> None:
        """Take OttO's records of a plan (deletions only) out of a zone that no spec wants any more."""
