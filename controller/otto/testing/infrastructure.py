"""Servers and networks, simulated: state, plan and apply with Terraform's own semantics."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from otto.model.canonical import digest
from otto.model.errors import TerminalError, TransientError
from otto.model.history import Account
from otto.model.host import Endpoint, Host, HostEvent, LiveHost
from otto.model.infrastructure import Adoptable, InfrastructureInputs, InfrastructurePlan, ResourceChange
from otto.model.observed import InfrastructureState
from otto.model.progress import Progress, Report
from otto.model.spec import Provider, Role
from otto.testing import planning
from otto.testing.failures import Failures
from otto.testing.hosts import Hosts, SimHost
from otto.testing.planning import HOST, NETWORK, PREFIX, Recorded, Wanted, address, changes, wanted

CONTROLLER = "10.203.0.1"
_NETWORK_ADDRESS = f"{NETWORK}.site"


@dataclass(slots=True)
class _State:
    """One site's Terraform state."""

    network: bool = False
    hosts: dict[str, Recorded] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Planned:
    inputs: InfrastructureInputs
    digest: str


class MemoryInfrastructure:
    """Port `Infrastructure` over simulated hosts.

    `failures` knows `state`, `inventory`, `events`, `plan`, `refresh`, `adoptable`, `remove`, `apply`,
    `apply:HOST` (what was made before stays, in the state too), `destroy`, `settle`, `account` and
    `remove:HOST`.

    Args:
        hosts: where they stand.
        owner: our label; hosts with another one are foreign.
    """

    def __init__(self, hosts: Hosts, owner: str = "0dd0cafe") -> None:
        self._hosts = hosts
        self._owner = owner
        self._states: dict[str, _State] = {}
        self._networks: set[str] = set()
        self._planned: dict[str, _Planned] = {}
        self.failures = Failures()
        self.modules: dict[Provider, str] = {provider: digest(["module", provider]) for provider in Provider}
        self.account_of: dict[Provider, Account | None] = dict.fromkeys(Provider, Account(owner, "local"))
        self.applied: list[InfrastructurePlan] = []

    def module(self, provider: Provider) -> str:
        """Digest of the provider's module; set it in `modules`."""
        return self.modules[provider]

    async def state(self, site: str) -> InfrastructureState | None:
        """What the state holds."""
        await self.failures.meet("state")
        state = self._states.get(site)
        if state is None:
            return None
        hosts = tuple(_host(recorded) for _, recorded in sorted(state.hosts.items()))
        endpoints = tuple(
            Endpoint(host.address, 80, f"http://{host.address}")
            for host in hosts
            if host.role is Role.BALANCER
        )
        return InfrastructureState(hosts, endpoints, (CONTROLLER,) if state.network else ())

    async def inventory(self, site: str | None = None) -> tuple[LiveHost, ...]:
        """Hosts alive under our label."""
        await self.failures.meet("inventory")
        return tuple(_live(host) for host in self._ours(site))

    async def events(self) -> AsyncIterator[HostEvent]:
        """What happens to hosts with our label; `hosts.hang_up()` ends it as a lost connection would."""
        await self.failures.meet("events")
        async with aclosing(self._hosts.events(self._owner)) as events:
            async for event in events:
                yield event

    async def refresh(self, inputs: InfrastructureInputs, report: Report) -> tuple[ResourceChange, ...]:
        """What changed outside the plans."""
        del report
        await self.failures.meet("refresh")
        return planning.drift(self._state(inputs.site).hosts, self._live(inputs.site))

    async def adoptable(self, inputs: InfrastructureInputs) -> tuple[Adoptable, ...]:
        """What the next plan would take into the state."""
        await self.failures.meet("adoptable")
        site = inputs.site
        state = self._state(site)
        hosts = planning.adoptable(inputs, state.hosts, self._live(site))
        found = [Adoptable(address(host.role, host.name), host.id, host.name, host.name) for host in hosts]
        if site in self._networks and not state.network:
            found.append(Adoptable(PREFIX + _NETWORK_ADDRESS, f"network-{site}", f"network-{site}"))
        return tuple(sorted(found, key=lambda item: item.address))

    async def remove(self, host: LiveHost) -> None:
        """Remove one of our hosts that no state holds."""
        await self.failures.meet("remove")
        self.failures.strike(f"remove:{host.name}")
        sim = self._hosts.get(host.id)
        if sim is None:
            return
        if (sim.owner, sim.site) != (self._owner, host.site):
            raise TerminalError(f"host {host.name} is not ours (owner {sim.owner or 'unknown'})")
        if any(known.id == sim.id for known in self._state(sim.site).hosts.values()):
            raise TerminalError(f"host {host.name} belongs to site {sim.site}: its state holds it")
        self._hosts.remove(sim.name)

    async def plan(self, inputs: InfrastructureInputs, report: Report) -> InfrastructurePlan:
        """Import what is ours and missing from the state, then plan; hosts of `inputs.replace` anew."""
        await self.failures.meet("plan")
        report(Progress(f"planning {inputs.site}"))
        found = self._changes(inputs)
        handle = f"plan-{len(self._planned) + 1}"
        plan = InfrastructurePlan(inputs.site, found, handle)
        self._planned[handle] = _Planned(inputs, plan.digest)
        return plan

    async def apply(self, plan: InfrastructurePlan, report: Report) -> InfrastructureState:
        """Apply that very plan; it is stale when the world has moved since it was made."""
        planned = self._planned.pop(plan.handle, None)
        if planned is None:
            raise TerminalError(f"there is no plan {plan.handle}, or it was applied already")
        await self.failures.meet("apply")
        if digest(self._changes(planned.inputs)) != planned.digest:
            raise TransientError(f"the plan for {plan.site} went stale")
        state = self._states.setdefault(plan.site, _State())
        self.applied.append(plan)
        for name in planning.vanished(planned.inputs, state.hosts, self._live(plan.site)):
            del state.hosts[name]
        for number, change in enumerate(plan.changes, 1):
            self.failures.strike(f"apply:{change.host or change.address}")
            self._carry_out(plan.site, change, wanted(planned.inputs), state)
            report(Progress(f"{change.verbs[-1]} {change.address}", number, len(plan.changes), change.host))
        return await self.state(plan.site) or InfrastructureState()

    async def destroy(self, site: str, provider: Provider, report: Report) -> None:
        """Destroy everything the site has, labelled leftovers included."""
        del provider
        await self.failures.meet("destroy")
        for host in self._ours(site):
            self._hosts.remove(host.name)
            report(Progress(f"destroyed {host.name}", host=host.name))
        self._networks.discard(site)
        self._states.pop(site, None)

    async def settle(self, site: str, report: Report) -> None:
        """Nothing outlives a controller in memory; the call is noted."""
        del site, report
        await self.failures.meet("settle")

    async def account(self, provider: Provider) -> Account | None:
        """As whom the provider would act; set it in `account_of`."""
        await self.failures.meet("account")
        return self.account_of[provider]

    def forget_state(self, site: str) -> None:
        """Lose a site's state, hosts and network staying: what a deleted working folder does."""
        self._states.pop(site, None)

    def _ours(self, site: str | None) -> list[SimHost]:
        return [host for host in self._hosts if host.owner == self._owner and site in (None, host.site)]

    def _changes(self, inputs: InfrastructureInputs) -> tuple[ResourceChange, ...]:
        for name in wanted(inputs):
            taken = self._hosts.named(name)
            if taken is not None and taken.owner != self._owner:
                raise TerminalError(
                    f"a host called {name} exists and is not ours (owner {taken.owner or 'unknown'})",
                    mend="remove it, or give the site another name",
                )
        site = inputs.site
        return changes(inputs, self._state(site).hosts, self._live(site), self._network(site))

    def _network(self, site: str) -> ResourceChange | None:
        if self._state(site).network:
            return None
        exists = site in self._networks
        verbs = ("no-op",) if exists else ("create",)
        return ResourceChange(PREFIX + _NETWORK_ADDRESS, NETWORK, verbs, importing=exists)

    def _state(self, site: str) -> _State:
        return self._states.get(site, _State())

    def _live(self, site: str) -> Mapping[str, SimHost]:
        return {host.name: host for host in self._ours(site)}

    def _carry_out(
        self, site: str, change: ResourceChange, names: Mapping[str, Wanted], state: _State
    ) -> None:
        if change.type == NETWORK:
            state.network = True
            self._networks.add(site)
        elif change.type == HOST:
            self._carry_out_host(change, names.get(change.host), state)

    def _carry_out_host(self, change: ResourceChange, want: Wanted | None, state: _State) -> None:
        if "delete" in change.verbs:
            state.hosts.pop(change.host, None)
            self._hosts.remove(change.host)
        if want is None:
            return
        if "create" in change.verbs:
            made = self._hosts.make(
                change.host, want.site, want.role, image=want.image, size=want.size, owner=self._owner
            )
            state.hosts[change.host] = Recorded.of(made)
            return
        host = self._hosts[change.host]
        host.size = want.size
        self._hosts.start(change.host)
        state.hosts[change.host] = Recorded.of(host)


def _host(recorded: Recorded) -> Host:
    return Host(
        name=recorded.name,
        role=recorded.role,
        id=recorded.id,
        address=recorded.address,
        private_address=recorded.address,
        ssh_port=22,
        ssh_user="otto",
        http_port=80,
        host_key=f"ssh-ed25519 {recorded.id}",
        image=recorded.image,
        size=recorded.size,
    )


def _live(host: SimHost) -> LiveHost:
    return LiveHost(
        host.id,
        host.name,
        host.site,
        host.role.value,
        host.state,
        host.address,
        host.started_at,
        host.size,
        Provider.LAB.value,
        host.image,
    )
