"""Plans in memory say what Terraform's say, and applying one leaves nothing to plan."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.history import Account
from otto.model.host import HostState, LiveHost
from otto.model.infrastructure import InfrastructureInputs, ResourceChange
from otto.model.progress import Progress, silent
from otto.model.spec import HostGroup, Provider, Role
from otto.testing import FakeClock, Hosts, MemoryInfrastructure, settle

ADDRESS = 'module.site.lab_host.web["acme-web-{}"]'


def inputs(web: int = 2, size: str = "small", image: str = "i1", site: str = "acme") -> InfrastructureInputs:
    return InfrastructureInputs(site, Provider.LAB, HostGroup(web, size, image), HostGroup(1, "small", "i1"))


@pytest.fixture
def hosts() -> Hosts:
    return Hosts(FakeClock())


@pytest.fixture
def infrastructure(hosts: Hosts) -> MemoryInfrastructure:
    return MemoryInfrastructure(hosts)


async def apply(infrastructure: MemoryInfrastructure, wanted: InfrastructureInputs) -> None:
    await infrastructure.apply(await infrastructure.plan(wanted, silent), silent)


async def planned(infrastructure: MemoryInfrastructure, wanted: InfrastructureInputs) -> list[ResourceChange]:
    return list((await infrastructure.plan(wanted, silent)).changes)


async def test_nothing_yet(infrastructure: MemoryInfrastructure) -> None:
    assert await infrastructure.state("acme") is None
    assert await infrastructure.inventory() == ()


async def test_it_acts_as_whoever_the_test_says(infrastructure: MemoryInfrastructure) -> None:
    assert await infrastructure.account(Provider.LAB) == Account("0dd0cafe", "local")
    infrastructure.account_of[Provider.LAB] = Account("somebody-else")
    assert await infrastructure.account(Provider.LAB) == Account("somebody-else")
    infrastructure.failures.next("account", TerminalError("the credentials are refused"))
    with pytest.raises(TerminalError, match="refused"):
        await infrastructure.account(Provider.LAB)


async def test_the_inventory_tells_sizes(infrastructure: MemoryInfrastructure) -> None:
    await apply(infrastructure, inputs(1, size="large"))
    found = {host.name: (host.size, host.provider) for host in await infrastructure.inventory()}
    assert found == {"acme-web-1": ("large", "lab"), "acme-balancer-1": ("small", "lab")}


async def test_a_first_plan_creates_all_of_it(infrastructure: MemoryInfrastructure) -> None:
    found = await planned(infrastructure, inputs())
    assert [(change.type, change.verbs, change.host) for change in found] == [
        ("lab_host", ("create",), "acme-balancer-1"),
        ("lab_host", ("create",), "acme-web-1"),
        ("lab_host", ("create",), "acme-web-2"),
        ("lab_network", ("create",), ""),
    ]
    assert found[1].address == ADDRESS.format(1)


async def test_what_was_applied_is_in_state_and_inventory(infrastructure: MemoryInfrastructure) -> None:
    seen: list[Progress] = []
    state = await infrastructure.apply(await infrastructure.plan(inputs(), silent), seen.append)
    assert state == await infrastructure.state("acme")
    assert [host.name for host in state.of(Role.WEB)] == ["acme-web-1", "acme-web-2"]
    assert len({host.address for host in state.hosts}) == 3
    assert state.endpoints[0].address == state.of(Role.BALANCER)[0].address
    assert state.controllers
    live = await infrastructure.inventory("acme")
    assert {host.id for host in live} == {host.id for host in state.hosts}
    assert await infrastructure.inventory("other") == ()
    assert [(item.done, item.total) for item in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert not await infrastructure.plan(inputs(), silent)


async def test_more_and_fewer(infrastructure: MemoryInfrastructure) -> None:
    await apply(infrastructure, inputs(2))
    assert await planned(infrastructure, inputs(3)) == [
        ResourceChange(ADDRESS.format(3), "lab_host", ("create",), host="acme-web-3")
    ]
    assert await planned(infrastructure, inputs(1)) == [
        ResourceChange(
            ADDRESS.format(2),
            "lab_host",
            ("delete",),
            reason="delete_because_each_key",
            host="acme-web-2",
        )
    ]


async def test_a_host_that_is_neither_wanted_nor_alive_leaves_the_state_as_terraforms_outputs_do(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    await apply(infrastructure, inputs(2))
    hosts.remove("acme-web-2")
    assert await planned(infrastructure, inputs(1)) == [
        ResourceChange("output.hosts", "output", ("update",), drifted=True)
    ]
    await apply(infrastructure, inputs(1))
    state = await infrastructure.state("acme")
    assert state is not None
    assert [host.name for host in state.of(Role.WEB)] == ["acme-web-1"]
    assert not await infrastructure.plan(inputs(1), silent)


async def test_hosts_tell_their_image(infrastructure: MemoryInfrastructure) -> None:
    await apply(infrastructure, inputs(1, image="i2"))
    state = await infrastructure.state("acme")
    assert state is not None
    told = {"acme-web-1": "i2", "acme-balancer-1": "i1"}
    assert {host.name: host.image for host in state.hosts} == told
    assert {host.name: host.image for host in await infrastructure.inventory()} == told


async def test_a_pinned_host_keeps_its_image(infrastructure: MemoryInfrastructure) -> None:
    await apply(infrastructure, inputs(2))
    kept = {"acme-web-2": "i1", "acme-web-9": "i1"}
    partly = replace(inputs(2, image="i2"), pinned=kept)
    (change,) = await planned(infrastructure, partly)
    assert (change.host, change.verbs, change.replace_for) == ("acme-web-1", ("delete", "create"), ("image",))
    await apply(infrastructure, partly)
    assert await planned(infrastructure, partly) == []
    (change,) = await planned(infrastructure, inputs(2, image="i2"))
    assert change.host == "acme-web-2"


async def test_a_host_that_is_made_anew_while_it_is_pinned_gets_the_image_it_keeps(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    await apply(infrastructure, inputs(2))
    hosts.remove("acme-web-2")
    await apply(infrastructure, replace(inputs(2, image="i2"), pinned={"acme-web-2": "i1"}))
    assert (hosts["acme-web-1"].image, hosts["acme-web-2"].image) == ("i2", "i1")


async def test_another_size_updates_and_another_image_replaces(infrastructure: MemoryInfrastructure) -> None:
    await apply(infrastructure, inputs(1))
    assert await planned(infrastructure, inputs(1, size="large")) == [
        ResourceChange(ADDRESS.format(1), "lab_host", ("update",), ("size",), host="acme-web-1")
    ]
    assert await planned(infrastructure, inputs(1, image="i2")) == [
        ResourceChange(
            ADDRESS.format(1),
            "lab_host",
            ("delete", "create"),
            ("image",),
            ("image",),
            "replace_because_cannot_update",
            "acme-web-1",
        )
    ]


@pytest.mark.parametrize(
    ("harm", "verbs", "changed"),
    [("kill", ("update",), ("running",)), ("pause", ("update",), ("running",)), ("remove", ("create",), ())],
)
async def test_harm_shows_as_drift(
    infrastructure: MemoryInfrastructure,
    hosts: Hosts,
    harm: str,
    verbs: tuple[str, ...],
    changed: tuple[str, ...],
) -> None:
    await apply(infrastructure, inputs(1))
    getattr(hosts, harm)("acme-web-1")
    assert await planned(infrastructure, inputs(1)) == [
        ResourceChange(ADDRESS.format(1), "lab_host", verbs, changed, host="acme-web-1", drifted=True)
    ]


async def test_an_edited_size_is_drift(infrastructure: MemoryInfrastructure, hosts: Hosts) -> None:
    await apply(infrastructure, inputs(1))
    hosts["acme-web-1"].size = "huge"
    (change,) = await planned(infrastructure, inputs(1))
    assert (change.verbs, change.changed, change.drifted) == (("update",), ("size",), True)


async def test_our_hosts_that_the_state_lacks_are_imported(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    await apply(infrastructure, inputs(2))
    infrastructure.forget_state("acme")
    found = await planned(infrastructure, inputs(1, size="large"))
    assert [(change.host, change.verbs, change.importing) for change in found] == [
        ("acme-balancer-1", ("no-op",), True),
        ("acme-web-1", ("update",), True),
        ("", ("no-op",), True),
    ]
    adoptable = await infrastructure.adoptable(inputs(1, size="large"))
    assert [item.host for item in adoptable] == ["acme-balancer-1", "acme-web-1", ""]
    ids = {host.name: host.id for host in hosts}
    await apply(infrastructure, inputs(1, size="large"))
    assert {host.name: host.id for host in hosts} == ids
    assert await infrastructure.adoptable(inputs(1)) == ()


async def test_a_host_that_nobody_asks_for_is_left_alone_until_it_is_removed(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    await apply(infrastructure, inputs(1))
    hosts.make("acme-web-7", "acme", Role.WEB, image="i1", size="small", owner="0dd0cafe")
    assert await planned(infrastructure, inputs(1)) == []
    live = {host.name: host for host in await infrastructure.inventory()}
    await infrastructure.remove(live["acme-web-7"])
    await infrastructure.remove(live["acme-web-7"])
    assert hosts.named("acme-web-7") is None


async def test_what_a_state_holds_and_what_is_not_ours_is_not_removed(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    await apply(infrastructure, inputs(1))
    (held, *_) = await infrastructure.inventory()
    with pytest.raises(TerminalError, match="its state holds it"):
        await infrastructure.remove(held)
    stranger = hosts.make("acme-web-9", "acme", Role.WEB, image="i1", size="small", owner="somebody")
    with pytest.raises(TerminalError, match=r"not ours \(owner somebody"):
        await infrastructure.remove(replace(held, id=stranger.id, name=stranger.name))
    assert len(hosts) == 3


async def test_a_host_to_be_replaced_is_made_anew_and_others_stay(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    await apply(infrastructure, inputs(2))
    hosts.cut("acme-web-1")
    assert await planned(infrastructure, inputs(2)) == []
    wanted = replace(inputs(2), replace=("acme-web-1",))
    assert await planned(infrastructure, wanted) == [
        ResourceChange(
            ADDRESS.format(1),
            "lab_host",
            ("delete", "create"),
            reason="replace_by_request",
            host="acme-web-1",
        )
    ]
    before = {host.name: host.id for host in hosts}
    await apply(infrastructure, wanted)
    after = {host.name: host.id for host in hosts}
    assert {name for name in before if before[name] != after[name]} == {"acme-web-1"}
    assert hosts["acme-web-1"].reachable


async def test_a_host_to_be_replaced_that_is_gone_is_created(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    await apply(infrastructure, inputs(1))
    hosts.remove("acme-web-1")
    (change,) = await planned(infrastructure, replace(inputs(1), replace=("acme-web-1", "acme-web-9")))
    assert (change.verbs, change.reason, change.drifted) == (("create",), "", True)


async def test_a_refresh_tells_what_changed_outside_and_changes_nothing(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    await apply(infrastructure, inputs(2))
    assert await infrastructure.refresh(inputs(2), silent) == ()
    hosts.kill("acme-web-1")
    hosts.remove("acme-web-2")
    for _ in range(2):
        found = await infrastructure.refresh(inputs(2), silent)
        assert [(change.host, change.verbs, change.changed, change.drifted) for change in found] == [
            ("acme-web-1", ("update",), ("running",), True),
            ("acme-web-2", ("delete",), (), True),
        ]


class Listener:
    """Somebody who takes events as they come."""

    def __init__(self, infrastructure: MemoryInfrastructure) -> None:
        self.heard: list[tuple[str, str]] = []
        self.task = asyncio.create_task(self._listen(infrastructure))

    async def _listen(self, infrastructure: MemoryInfrastructure) -> None:
        async for event in infrastructure.events():
            self.heard.append((event.host, event.kind.value))


async def test_what_happens_to_our_hosts_is_told_to_everybody_who_listens(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    listeners = [Listener(infrastructure), Listener(infrastructure)]
    await settle()
    hosts.make("acme-web-1", "acme", Role.WEB, image="i", size="small", owner="0dd0cafe")
    hosts.make("acme-web-2", "acme", Role.WEB, image="i", size="small", owner="somebody")
    for harm in (hosts.kill, hosts.start, hosts.start, hosts.pause, hosts.start, hosts.cut, hosts.join):
        harm("acme-web-1")
        harm("acme-web-2")
    hosts.remove("acme-web-1")
    hosts.hang_up()
    for listener in listeners:
        with pytest.raises(TransientError, match="ended"):
            await listener.task
        assert listener.heard == [
            ("acme-web-1", kind)
            for kind in ("started", "died", "started", "paused", "resumed", "died", "removed")
        ]


async def test_a_listener_that_goes_leaves_nothing_behind(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    listener = Listener(infrastructure)
    await settle()
    listener.task.cancel()
    await asyncio.gather(listener.task, return_exceptions=True)
    hosts.make("acme-web-1", "acme", Role.WEB, image="i", size="small", owner="0dd0cafe")
    assert listener.heard == []


async def test_a_foreign_host_of_the_same_name_is_an_error(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    hosts.make("acme-web-1", "acme", Role.WEB, image="i", size="small", owner="somebody")
    with pytest.raises(TerminalError, match=r"acme-web-1 exists and is not ours \(owner somebody"):
        await infrastructure.plan(inputs(), silent)
    assert await infrastructure.inventory() == ()


async def test_a_plan_goes_stale_when_the_world_moves(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    await apply(infrastructure, inputs(1))
    plan = await infrastructure.plan(inputs(2), silent)
    hosts.remove("acme-web-1")
    with pytest.raises(TransientError, match="stale"):
        await infrastructure.apply(plan, silent)
    with pytest.raises(TerminalError, match="applied already"):
        await infrastructure.apply(plan, silent)


async def test_what_a_failed_apply_made_is_in_the_state(infrastructure: MemoryInfrastructure) -> None:
    infrastructure.failures.next("apply:acme-web-2", TransientError("quota"))
    with pytest.raises(TransientError, match="quota"):
        await apply(infrastructure, inputs(2))
    state = await infrastructure.state("acme")
    assert state
    assert [host.name for host in state.hosts] == ["acme-balancer-1", "acme-web-1"]
    assert [change.host for change in await planned(infrastructure, inputs(2))] == ["acme-web-2", ""]


async def test_destroying_leaves_nothing_of_the_site_and_all_of_others(
    infrastructure: MemoryInfrastructure, hosts: Hosts
) -> None:
    await apply(infrastructure, inputs(1))
    await apply(infrastructure, inputs(1, site="other"))
    hosts.make("acme-web-9", "acme", Role.WEB, image="i", size="small", owner="0dd0cafe")
    await infrastructure.destroy("acme", Provider.LAB, silent)
    await infrastructure.destroy("acme", Provider.LAB, silent)
    assert await infrastructure.state("acme") is None
    assert [host.name for host in hosts] == ["other-balancer-1", "other-web-1"]


async def test_every_call_can_be_made_to_fail(infrastructure: MemoryInfrastructure) -> None:
    names = ("state", "inventory", "events", "plan", "refresh", "adoptable", "remove", "destroy", "settle")
    for name in names:
        infrastructure.failures.always(name, TransientError(name))
    with pytest.raises(OttoError, match="state"):
        await infrastructure.state("acme")
    with pytest.raises(OttoError, match="inventory"):
        await infrastructure.inventory()
    with pytest.raises(OttoError, match="events"):
        await anext(infrastructure.events())
    with pytest.raises(OttoError, match="plan"):
        await infrastructure.plan(inputs(), silent)
    with pytest.raises(OttoError, match="refresh"):
        await infrastructure.refresh(inputs(), silent)
    with pytest.raises(OttoError, match="adoptable"):
        await infrastructure.adoptable(inputs())
    with pytest.raises(OttoError, match="remove"):
        await infrastructure.remove(LiveHost("1", "acme-web-1", "acme", "web", HostState.RUNNING))
    with pytest.raises(OttoError, match="destroy"):
        await infrastructure.destroy("acme", Provider.LAB, silent)
    with pytest.raises(OttoError, match="settle"):
        await infrastructure.settle("acme", silent)


def test_a_module_has_a_digest_for_each_provider(infrastructure: MemoryInfrastructure) -> None:
    assert len({infrastructure.module(provider) for provider in Provider}) == len(Provider)


HARMS = st.sampled_from(["kill", "pause", "remove", "cut", "forget", "resize"])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["small", "large"]), HARMS), min_size=1, max_size=5)
)
async def test_whatever_happens_a_plan_applied_leaves_nothing_to_plan(
    story: list[tuple[int, str, str]],
) -> None:
    hosts = Hosts(FakeClock())
    infrastructure = MemoryInfrastructure(hosts)
    for count, size, harm in story:
        wanted = replace(inputs(count, size), balancer=HostGroup(1, size, "i1"))
        await apply(infrastructure, wanted)
        assert not await infrastructure.plan(wanted, silent)
        if harm == "forget":
            infrastructure.forget_state("acme")
        elif harm == "resize":
            hosts["acme-web-1"].size = "odd"
        else:
            getattr(hosts, harm)("acme-web-1")
