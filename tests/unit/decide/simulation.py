"""A pure world for the properties of the core: what Terraform would plan, and what a plan's steps leave."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from otto.decide.diff import diff
from otto.decide.expected import SERVICES, configuration_digest, wanted
from otto.decide.planning import needs_infrastructure, plan
from otto.model.desired import Desired
from otto.model.host import Endpoint, Host, HostFacts, HostState, LiveHost
from otto.model.infrastructure import ResourceChange
from otto.model.observed import Applied, InfrastructureState, Observed, Seen, Serving, Unseen
from otto.model.plan import ActionKind, Plan, StepKind
from otto.model.spec import Algorithm, Check, Content, HostGroup, Provider, Role, SiteSpec

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def spec(name: str = "hello", web: int = 2, balancer: int = 1, **changes: object) -> SiteSpec:
    base = SiteSpec(
        name=name,
        provider=Provider.LAB,
        web=HostGroup(web, "small", "base"),
        balancer=HostGroup(balancer, "small", "base"),
        algorithm=Algorithm.ROUNDROBIN,
        content=Content(path="sites/hello"),
        domains=("hello.test",),
        checks=(Check("/"),),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def desired(of: SiteSpec | None = None, *, content: str = "c1", module: str = "m1") -> Desired:
    roles = {"base": "b1", "nginx": "n1", "haproxy": "h1", "content": "k1"}
    return Desired(of or spec(), "commit", {"web": "img", "balancer": "img"}, module, roles, content)


def nothing() -> Observed:
    return Observed(
        Seen(InfrastructureState(), NOW), Seen((), NOW), {}, Unseen("nothing to ask yet", NOW), Applied()
    )


def terraform(wish: Desired, seen: Observed) -> tuple[ResourceChange, ...]:
    """The changes Terraform would plan: by name, with image or size changes as replacements."""
    names = wanted(wish)
    assert isinstance(seen.inventory, Seen)
    live = {host.name: host for host in seen.inventory.value}
    have = {host.name for host in seen.hosts}
    changes = [_change(name, ("delete",)) for name in have & live.keys() - names.keys()]
    for name, role in names.items():
        if name not in live:
            changes.append(_change(name, ("create",)))
        elif name not in have:
            changes.append(replace(_change(name, ("no-op",)), importing=True))
        elif live[name].state is not HostState.RUNNING:
            changes.append(_change(name, ("update",), ("state",)))
        elif seen.applied.sizes.get(role.value, "") not in ("", wish.spec.group(role).size):
            changes.append(_change(name, ("update",), ("size",)))
    return tuple(changes)


def _change(name: str, verbs: tuple[str, ...], changed: tuple[str, ...] = ()) -> ResourceChange:
    return ResourceChange(f'lab_host.host["{name}"]', "lab_host", verbs, changed, host=name)


def make_plan(wish: Desired, seen: Observed) -> Plan:
    found = diff(wish, seen)
    changes = terraform(wish, seen) if needs_infrastructure(found) else ()
    return plan(wish, seen, found, changes)


@dataclass
class Hands:
    """Carries a plan out on an observed world, step by step, as the loop would."""

    wish: Desired
    seen: Observed
    ids: int = 0

    def carry_out(self) -> Observed:
        found = diff(self.wish, self.seen)
        steps = make_plan(self.wish, self.seen)
        if steps.step(StepKind.PROVISION) or needs_infrastructure(found):
            self._provision(steps)
        rest = plan(self.wish, self.seen, diff(self.wish, self.seen))
        for kind in (StepKind.CONFIGURE, StepKind.DEPLOY):
            step = rest.step(kind)
            for name in step.hosts if step else ():
                self._touch(name, kind)
        serving = Serving((), 3, self.wish.content)
        applied = replace(self.seen.applied, verified=self.wish.digest)
        self.seen = replace(self.seen, serving=Seen(serving, NOW), applied=applied)
        return self.seen

    def _provision(self, steps: Plan) -> None:
        names = wanted(self.wish)
        before = {host.name: host for host in self.seen.hosts}
        assert isinstance(self.seen.inventory, Seen)
        alive = {host.name: host.id for host in self.seen.inventory.value}
        fresh = {a.host for a in steps.actions if a.kind in (ActionKind.CREATE, ActionKind.REPAIR)}
        hosts = []
        facts = dict(self.seen.facts)
        for name, role in names.items():
            if name in fresh or (name not in before and name not in alive):
                self.ids += 1
                hosts.append(_host(name, role, f"new{self.ids}"))
                facts[name] = Seen(HostFacts(fact=""), NOW)
            else:
                hosts.append(before.get(name) or _host(name, role, alive[name]))
                facts.setdefault(name, Seen(HostFacts(fact=""), NOW))
        known = {n: f for n, f in self.seen.applied.hosts.items() if n in names and n not in fresh}
        group = {role.value: self.wish.spec.group(role) for role in Role}
        applied = replace(
            self.seen.applied,
            infrastructure=self.wish.infrastructure_digest,
            sizes={name: item.size for name, item in group.items()},
            hosts=known,
        )
        live = tuple(LiveHost(h.id, h.name, "hello", h.role.value, HostState.RUNNING) for h in hosts)
        state = InfrastructureState(tuple(hosts), (Endpoint("10.0.0.2", 80, "http://10.0.0.2/"),))
        self.seen = replace(
            self.seen,
            infrastructure=Seen(state, NOW),
            inventory=Seen(live, NOW),
            facts=facts,
            applied=applied,
        )

    def _touch(self, name: str, kind: StepKind) -> None:
        assert isinstance(self.seen.infrastructure, Seen)
        state = self.seen.infrastructure.value
        host = state.named(name)
        assert host is not None
        before = self.seen.facts.get(name)
        facts = before.value if isinstance(before, Seen) else HostFacts(fact="")
        if kind is StepKind.CONFIGURE:
            facts = replace(
                facts,
                fact="fact",
                files={"/etc/nginx/nginx.conf": "good"},
                services={SERVICES[host.role]: "active"},
                configuration=configuration_digest(self.wish, host, state),
            )
        else:
            facts = replace(facts, revision=self.wish.content, content=f"tree-{self.wish.content}")
        applied = replace(self.seen.applied, hosts=dict(self.seen.applied.hosts) | {name: facts})
        self.seen = replace(
            self.seen, facts=dict(self.seen.facts) | {name: Seen(facts, NOW)}, applied=applied
        )


def _host(name: str, role: Role, ident: str) -> Host:
    number = int(name.rsplit("-", 1)[1]) + (0 if role is Role.BALANCER else 100)
    address = f"10.0.0.{number}"
    return Host(name, role, ident, address, address, 22, "otto", 80, "ssh-ed25519 AAAA")


def built(wish: Desired | None = None) -> Observed:
    """A world that is as desired."""
    return Hands(wish or desired(), nothing()).carry_out()
