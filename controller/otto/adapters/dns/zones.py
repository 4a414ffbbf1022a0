"""The port `Zones`: who is to be asked, with which secrets; the asking is done by workers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from otto.adapters.dns.access import Access, Server
from otto.adapters.dns.hosting import Nameserver
from otto.adapters.dns.task import Kind, Task
from otto.adapters.dns.workers import Workers
from otto.model.domain import DnsProvider, DomainSpec
from otto.model.errors import TerminalError
from otto.model.observed import CheckFailure
from otto.model.progress import Progress, Report
from otto.model.zone import Finding, Targets, Zone, ZonePlan

_LAB = "lab"


@dataclass(frozen=True, slots=True)
class DnsOptions:
    """How zones are worked on.

    Attributes:
        owner: what our ownership records say, another for every home.
        workers: how many zones at once.
        timeout: seconds that reading, planning or checking a zone may take.
        apply_timeout: seconds that changing one may take.
        query_timeout: seconds one question may take.
        resolvers: where names of servers are looked up, `ADDRESS` or `ADDRESS#PORT`; empty for the system's.
        endpoints: provider (or `route53domains`) -> address of its API, where it is not the usual one.
    """

    owner: str
    workers: int = 2
    timeout: float = 120.0
    apply_timeout: float = 600.0
    query_timeout: float = 5.0
    resolvers: tuple[str, ...] = ()
    endpoints: Mapping[str, str] = field(default_factory=dict)


class DnsZones:
    """Zones at servers and providers.

    Args:
        options: how.
        secret: what a reference of a spec leads to.
        nameserver: the lab's, None where there is no lab.
    """

    def __init__(
        self, options: DnsOptions, secret: Callable[[str], str], nameserver: Nameserver | None
    ) -> None:
        self._options = options
        self._secret = secret
        self._nameserver = nameserver
        self._workers = Workers(options.workers, options.timeout, options.apply_timeout)

    async def close(self) -> None:
        """End what still works."""
        await self._workers.close()

    async def serial(self, domain: DomainSpec) -> int | None:
        """Serial of the zone's SOA; None where there is none to ask."""
        if domain.provider is not DnsProvider.RFC2136:
            return None
        access = await self._access(domain)
        if access.server is None:
            return None
        found: int | None = await self._workers.work(Task(Kind.SERIAL, domain, access))
        return found

    async def read(self, domain: DomainSpec) -> Zone:
        """The zone as it is."""
        access = await self._access(domain)
        found: Zone = await self._workers.work(Task(Kind.READ, domain, access))
        return found

    async def plan(self, domain: DomainSpec, targets: Targets) -> ZonePlan:
        """What would be changed."""
        access = await self._access(domain)
        if access.lab and access.parent is None and self._nameserver:
            _check_parent(domain, self._nameserver.parent)
        found: ZonePlan = await self._workers.work(Task(Kind.PLAN, domain, access, targets=targets))
        if access.parent is None and domain.registrar == _LAB and domain.nameservers:
            found = replace(found, delegation=((), tuple(sorted(domain.nameservers))))
        return found

    async def apply(self, domain: DomainSpec, plan: ZonePlan, report: Report) -> None:
        """Make the changes of a plan: the zone itself, its records, its signing, its delegation."""
        lab = self._lab(domain)
        if lab and (plan.makes_zone or plan.dnssec is not None or plan.delegation):
            await lab.ensure()
        access = await self._access(domain)
        if lab and plan.makes_zone:
            report(Progress(f"{domain.name}: making the zone on the lab's nameserver"))
            await lab.make(domain.name, domain.nameservers)
        if plan.dnssec is False:
            # Nobody may be told to expect signatures when they go.
            await self._delegate(domain, plan, access, report)
        await self._workers.work(Task(Kind.APPLY, domain, access, plan=plan), report)
        if lab and plan.dnssec is not None:
            report(Progress(f"{domain.name}: {'signing' if plan.dnssec else 'no longer signing'} the zone"))
            await lab.sign(domain.name, signed=plan.dnssec)
        if plan.dnssec is not False:
            await self._delegate(domain, plan, access, report)

    async def check(self, domain: DomainSpec, targets: Targets) -> tuple[CheckFailure, ...]:
        """What is answered otherwise than desired."""
        access = await self._access(domain)
        found: tuple[CheckFailure, ...] = await self._workers.work(
            Task(Kind.CHECK, domain, access, targets=targets)
        )
        return found

    async def examine(self, domain: DomainSpec, targets: Targets) -> tuple[Finding, ...]:
        """Everything that can be asked about it from outside."""
        access = await self._access(domain)
        found: tuple[Finding, ...] = await self._workers.work(
            Task(Kind.EXAMINE, domain, access, targets=targets)
        )
        return found

    async def remove(self, domain: DomainSpec, plan: ZonePlan, report: Report) -> None:
        """Take OttO's records out; a zone of the lab's goes as a whole, unless others have records in it."""
        lab = self._lab(domain)
        if lab and await lab.find() is None:
            return
        access = await self._access(domain)
        if not lab:
            await self._workers.work(Task(Kind.APPLY, domain, access, plan=plan), report)
            return
        now: Zone = await self._workers.work(Task(Kind.READ, domain, access))
        if not now.exists:
            return
        if now.delegation:
            gone = replace(plan, dnssec=False, delegation=(now.delegation, ()))
            await self._delegate(replace(domain, dnssec=None), gone, access, report)
        await self._workers.work(Task(Kind.APPLY, domain, access, plan=plan), report)
        if all(item.key == ("", "NS") for item in now.foreign):
            await lab.drop(domain.name)

    async def _delegate(self, domain: DomainSpec, plan: ZonePlan, access: Access, report: Report) -> None:
        if not domain.registrar or not (plan.delegation or plan.dnssec is not None):
            return
        report(Progress(f"{domain.name}: changing its delegation"))
        await self._workers.work(Task(Kind.DELEGATE, domain, access, plan=plan), report)

    def _lab(self, domain: DomainSpec) -> Nameserver | None:
        """The lab's nameserver, if the zone is on it.

        Raises:
            TerminalError: it should be, and there is no lab.
        """
        if domain.provider is not DnsProvider.RFC2136 or domain.server.address:
            return None
        if self._nameserver is None:
            raise TerminalError(
                f"{domain.name}: no server is named, and the lab is switched off",
                mend="set spec.server.address",
            )
        return self._nameserver

    async def _access(self, domain: DomainSpec) -> Access:
        options, lab = self._options, self._lab(domain)
        access = Access(
            options.owner,
            credentials=self._resolved(domain.credentials),
            lab=lab is not None,
            endpoints=options.endpoints,
            resolvers=options.resolvers,
            timeout=options.query_timeout,
        )
        if lab is None:
            return replace(access, server=self._server(domain), parent=await self._parent(domain))
        server = await lab.find()
        if server is None:
            return access
        known = dict.fromkeys((f"ns1.{lab.parent}",), (server.address,))
        parent = (
            (lab.parent, server)
            if domain.registrar == _LAB or domain.name.endswith(f".{lab.parent}")
            else None
        )
        return replace(access, server=server, parent=parent, hosts=known)

    async def _parent(self, domain: DomainSpec) -> tuple[str, Server] | None:
        """The lab's zone, for zones on other servers that it delegates to."""
        if domain.registrar != _LAB:
            return None
        if self._nameserver is None:
            raise TerminalError(
                f"{domain.name}: the lab is switched off, so it is no registrar",
                mend="leave spec.registrar out",
            )
        return self._nameserver.parent, await self._nameserver.ensure()

    def _server(self, domain: DomainSpec) -> Server | None:
        told = domain.server
        if not told.address:
            return None
        return Server(
            told.address, told.port, told.key_name, self._resolved(told.key).strip(), told.algorithm
        )

    def _resolved(self, reference: str) -> str:
        return self._secret(reference) if reference else ""


def _check_parent(domain: DomainSpec, parent: str) -> None:
    if domain.registrar == _LAB and not domain.name.endswith(f".{parent}"):
        raise TerminalError(
            f"{domain.name} is not below {parent}, which is what the lab delegates from",
            mend=f"name it NAME.{parent}, set lab.zone, or leave spec.registrar out",
        )
