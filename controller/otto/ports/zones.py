"""Zones: what DNS servers serve, and how it is changed."""

from typing import Protocol

from otto.model.domain import DomainSpec
from otto.model.observed import CheckFailure
from otto.model.progress import Report
from otto.model.zone import Finding, Targets, Zone, ZonePlan


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

        What is desired is what `otto.decide.dns.wanted.wanted` says: records of a site whose addresses are
        not known stay as they are, those of a site with an empty tuple go.

        Raises:
            TransientError, TerminalError: as `read`; and a spec that the provider cannot serve.
        """

    async def apply(self, domain: DomainSpec, plan: ZonePlan, report: Report) -> None:
        """Make these very changes; what was planned from must still be so.

        Raises:
            StaleError: the zone moved on since, and nothing of the plan was done.
            TransientError: the servers do not answer; a part may have been done, and the next plan tells.
            TerminalError: they refuse us.
        """

    async def check(self, domain: DomainSpec, targets: Targets) -> tuple[CheckFailure, ...]:
        """What authoritative servers, and the resolvers of choice, answer otherwise than desired.

        A server that does not answer is such a failure. `check` of each is `NAME TYPE`, the name absolute
        without its last dot (`www.example.org A`), by which those that concern a site are found; a failure
        of the zone as a whole is one of its own name (`example.org SOA`). `target` is the server.

        Raises:
            TransientError: nothing can be asked from here.
        """

    async def examine(self, domain: DomainSpec, targets: Targets) -> tuple[Finding, ...]:
        """Everything that can be asked about a zone from outside, for a person: `otto dns check`.

        In this order: delegation, SOA, NS, DNSSEC, CAA, answers. What cannot be asked is a finding, too.
        """

    async def remove(self, domain: DomainSpec, plan: ZonePlan, report: Report) -> None:
        """Take OttO's records of a plan (deletions only) out of a zone that no spec wants any more.

        The plan is `plan` of the last good spec without its records, nameservers and DNSSEC.

        Raises:
            StaleError, TransientError, TerminalError: as `apply`.
        """
