"""Servers and networks, simulated: state, plan and apply with Terraform's own semantics."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from otto.model.canonical import digest
from otto.model.errors import TerminalError, TransientError
from otto.model.host import Endpoint, Host, LiveHost
from otto.model.infrastructure import InfrastructureInputs, InfrastructurePlan, ResourceChange
from otto.model.observed import InfrastructureState
from otto.model.progress import Progress, Report
from otto.model.spec import Provider, Role
from otto.testing.failures import Failures
from otto.testing.hosts import Hosts, SimHost
from otto.testing.planning import HOST, NETWORK, Recorded, Wanted, changes, wanted

CONTROLLER = "10.203.0.1"


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

    `failures` knows `state`, `inventory`, `plan`, `apply`, `apply:HOST` (what was made before stays, in
    the state too), `destroy` and `settle`.

    Args:
        hosts: where they stand.
        owner: our label; hosts with another one are foreign.
    """

    def __init__(self, hosts: Hosts, owner: str = "0dd0cafe") -> None:
        self._hosts = hosts
        self._owner = owner
        self._states: dict[str, _State] = {}
        self._planned: dict[str, _Planned] = {}
        self.failures = Failures()
        self.modules: dict[Provider, str] = {provider: digest(["module", provider]) for provider in Provider}
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

    async def plan(self, inputs: InfrastructureInputs, report: Report) -> InfrastructurePlan:
        """Import what is ours and missing from the state, then plan."""
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
        for number, change in enumerate(plan.changes, 1):
            self.failures.strike(f"apply:{change.host or change.address}")
            self._carry_out(change, wanted(planned.inputs), state)
            report(Progress(f"{change.verbs[-1]} {change.address}", number, len(plan.changes), change.host))
        return await self.state(plan.site) or InfrastructureState()

    async def destroy(self, site: str, provider: Provider, report: Report) -> None:
        """Destroy everything the site has, labelled leftovers included."""
        del provider
        await self.failures.meet("destroy")
        for host in self._ours(site):
            self._hosts.remove(host.name)
            report(Progress(f"destroyed {host.name}", host=host.name))
        self._states.pop(site, None)

    async def settle(self, site: str, report: Report) -> None:
        """Nothing outlives a controller in memory; the call is noted."""
        del site, report
        await self.failures.meet("settle")

    def forget_state(self, site: str) -> None:
        """Lose a site's state, hosts staying: what a deleted working folder does."""
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
        state = self._states.get(inputs.site, _State())
        live: Mapping[str, SimHost] = {host.name: host for host in self._ours(inputs.site)}
        return changes(wanted(inputs), state.hosts, live, has_network=state.network)

    def _carry_out(self, change: ResourceChange, names: Mapping[str, Wanted], state: _State) -> None:
        if change.type == NETWORK:
            state.network = "create" in change.verbs
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
    )


def _live(host: SimHost) -> LiveHost:
    return LiveHost(host.id, host.name, host.site, host.role.value, host.state, host.address, host.started_at)
