"""Simulated hosts take configuration and content, tell facts, and answer requests as real ones do."""

from dataclasses import replace
from pathlib import PurePath

import pytest

from otto.decide.verification import server_states
from otto.model.configuration import ConfigurationRequest, ConfigurationResult, HostOutcome
from otto.model.errors import TerminalError, TransientError
from otto.model.host import Host, HostFacts, HostState
from otto.model.infrastructure import InfrastructureInputs
from otto.model.observed import InfrastructureState, Seen, Unseen
from otto.model.plan import StepKind
from otto.model.probing import Answer, NoAnswer, ProbeRequest, ProbeResult
from otto.model.progress import silent
from otto.model.spec import Algorithm, Content, HostGroup, Provider, Role
from otto.testing import World
from otto.testing.configuration import COMMON, FILES

REVISION = "/.well-known/otto-revision"


class Site:
    """A site made by hand, step by step, without a loop."""

    def __init__(self) -> None:
        self.world = World()
        self.state = InfrastructureState()
        self.tree = ""

    async def provision(self) -> None:
        group = HostGroup(2, "small", "i")
        wanted = InfrastructureInputs("acme", Provider.LAB, group, replace(group, count=1))
        plan = await self.world.infrastructure.plan(wanted, silent)
        self.state = await self.world.infrastructure.apply(plan, silent)
        files = {"sites/acme/index.html": "home", "sites/acme/sub/index.html": "sub"}
        commit = self.world.source.commit(files)
        self.tree = await self.world.source.content(commit, Content("sites/acme"))

    def request(self, kind: StepKind, algorithm: Algorithm = Algorithm.ROUNDROBIN) -> ConfigurationRequest:
        return ConfigurationRequest(
            "acme",
            kind,
            self.state.hosts if kind is StepKind.CONFIGURE else self.state.of(Role.WEB),
            backends=self.state.of(Role.WEB),
            domains=("www.acme.example",),
            algorithm=algorithm,
            digests={host.name: f"digest of {host.name}" for host in self.state.hosts},
            revision=self.tree,
            archive=PurePath("a.tar") if kind is StepKind.DEPLOY else None,
        )

    async def configure(self, algorithm: Algorithm = Algorithm.ROUNDROBIN) -> ConfigurationResult:
        request = self.request(StepKind.CONFIGURE, algorithm)
        return await self.world.configuration.configure(request, silent)

    async def deploy(self) -> ConfigurationResult:
        return await self.world.configuration.configure(self.request(StepKind.DEPLOY), silent)

    async def get(self, host: str, path: str, port: int = 80) -> ProbeResult:
        known = self.state.named(host)
        assert known
        return await self.world.probe.get(ProbeRequest(known.address, port, path, timeout=2))

    async def facts(self, *hosts: Host) -> dict[str, Seen[HostFacts] | Unseen]:
        return {name: seen async for name, seen in self.world.configuration.facts(hosts or self.state.hosts)}


@pytest.fixture
async def bare() -> Site:
    site = Site()
    await site.provision()
    return site


@pytest.fixture
async def site(bare: Site) -> Site:
    await bare.configure()
    await bare.deploy()
    return bare


def body(result: ProbeResult) -> str:
    assert isinstance(result, Answer)
    return result.body


async def test_a_bare_host_serves_nothing_and_says_so(bare: Site) -> None:
    assert await bare.get("acme-web-1", REVISION) == NoAnswer("connection refused", 0.001)
    facts = (await bare.facts())["acme-web-1"]
    assert isinstance(facts, Seen)
    assert (facts.value.configuration, facts.value.revision, facts.value.content) == (None, None, None)


async def test_a_second_play_changes_nothing(site: Site) -> None:
    for result in (await site.configure(), await site.deploy()):
        assert result.changed == 0
        assert {host.outcome for host in result.hosts} == {HostOutcome.OK}


async def test_facts_tell_what_plays_left(site: Site) -> None:
    facts = await site.facts()
    web, balancer = facts["acme-web-1"], facts["acme-balancer-1"]
    assert isinstance(web, Seen)
    assert isinstance(balancer, Seen)
    assert web.value.configuration == "digest of acme-web-1"
    assert (web.value.revision, web.value.services) == (site.tree, {"nginx": "active"})
    assert balancer.value.backends == {"acme-web-1": "UP", "acme-web-2": "UP"}


async def test_a_web_server_serves_its_revision_under_its_name(site: Site) -> None:
    result = await site.get("acme-web-2", REVISION)
    assert isinstance(result, Answer)
    assert (result.body, result.headers["x-otto-server"]) == (site.tree, "acme-web-2")
    assert body(await site.get("acme-web-1", "/")) == "home"
    assert body(await site.get("acme-web-1", "/sub/?a=b")) == "sub"
    missing = await site.get("acme-web-1", "/nowhere")
    assert isinstance(missing, Answer)
    assert missing.status == 404


async def test_the_balancer_spreads_over_the_servers_that_are_up(site: Site) -> None:
    async def served() -> list[str]:
        answers = [await site.get("acme-balancer-1", "/") for _ in range(4)]
        return sorted(answer.headers["x-otto-server"] for answer in answers if isinstance(answer, Answer))

    assert await served() == ["acme-web-1"] * 2 + ["acme-web-2"] * 2
    site.world.hosts.kill("acme-web-1")
    assert await served() == ["acme-web-2"] * 4
    statistics = body(await site.get("acme-balancer-1", "/stats;csv", 8404))
    assert server_states(statistics) == {"acme-web-1": "DOWN", "acme-web-2": "UP"}
    site.world.hosts.kill("acme-web-2")
    assert "No server" in body(await site.get("acme-balancer-1", "/"))


async def test_a_pinning_balancer_stays_with_one_server(site: Site) -> None:
    await site.configure(Algorithm.SOURCE)
    answers = [await site.get("acme-balancer-1", "/") for _ in range(4)]
    assert len({answer.headers["x-otto-server"] for answer in answers if isinstance(answer, Answer)}) == 1


async def test_each_kind_of_harm_has_its_answer(site: Site) -> None:
    site.world.hosts["acme-web-1"].services["nginx"] = "failed"
    assert await site.get("acme-web-1", "/") == NoAnswer("connection refused", 0.001)
    site.world.hosts.pause("acme-web-1")
    assert await site.get("acme-web-1", "/") == NoAnswer("timed out after 2 s", 2)
    site.world.hosts.kill("acme-web-1")
    assert await site.get("acme-web-1", "/") == NoAnswer("no route to host", 0.001)
    site.world.hosts.remove("acme-web-1")
    assert await site.get("acme-web-1", "/") == NoAnswer("no route to host", 0.001)
    assert await site.get("acme-web-2", "/", 8404) == NoAnswer("connection refused", 0.001)


async def test_a_started_host_serves_again(site: Site) -> None:
    site.world.hosts.kill("acme-web-1")
    before = site.world.hosts["acme-web-1"].started_at
    await site.world.clock.advance(5)
    site.world.hosts.start("acme-web-1")
    assert body(await site.get("acme-web-1", "/")) == "home"
    assert site.world.hosts["acme-web-1"].started_at > before


async def test_hosts_out_of_reach_are_told_apart(site: Site) -> None:
    hosts = site.world.hosts
    hosts.pause("acme-web-1")
    hosts.kill("acme-web-2")
    site.world.configuration.failures.next("configure:acme-balancer-1", TransientError("apt is locked"))
    result = await site.configure()
    assert {host.host: host.outcome for host in result.hosts} == {
        "acme-web-1": HostOutcome.TIMED_OUT,
        "acme-web-2": HostOutcome.UNREACHABLE,
        "acme-balancer-1": HostOutcome.FAILED,
    }
    assert next(host.message for host in result.failed if host.host == "acme-balancer-1") == "apt is locked"


async def test_every_host_is_answered_for(site: Site) -> None:
    site.world.hosts.remove("acme-web-1")
    site.world.hosts["acme-web-2"].answers = False
    site.world.configuration.failures.next("facts:acme-balancer-1", TransientError("bad JSON"))
    facts = await site.facts()
    reasons = {name: seen.reason for name, seen in facts.items() if isinstance(seen, Unseen)}
    assert reasons == {
        "acme-web-1": "connection failed: no route to host",
        "acme-web-2": "no answer in time",
        "acme-balancer-1": "bad JSON",
    }


async def test_damage_shows_and_a_repair_mends_it(site: Site) -> None:
    before = (await site.facts())["acme-web-1"]
    site.world.hosts["acme-web-1"].damage["index.html"] = "defaced"
    assert body(await site.get("acme-web-1", "/")) == "defaced"
    after = (await site.facts())["acme-web-1"]
    assert isinstance(before, Seen)
    assert isinstance(after, Seen)
    assert before.value.content != after.value.content
    await site.deploy()
    assert body(await site.get("acme-web-1", "/")) == "defaced"
    repair = replace(site.request(StepKind.DEPLOY), repair=True)
    assert (await site.world.configuration.configure(repair, silent)).changed == 1
    assert body(await site.get("acme-web-1", "/")) == "home"


async def test_only_the_roles_asked_for_are_put_right(site: Site) -> None:
    web, balancer = site.world.hosts["acme-web-1"], site.world.hosts["acme-balancer-1"]
    for host in (web, balancer):
        host.files = dict.fromkeys(host.files, "by hand")
    web.services, balancer.disabled = {"nginx": "failed"}, {"acme-web-2"}
    web.configuration = balancer.configuration = "older"
    roles = {"acme-web-1": ("nginx",), "acme-web-2": (), "acme-balancer-1": ("base",)}
    request = replace(site.request(StepKind.CONFIGURE), roles=roles)
    result = await site.world.configuration.configure(request, silent)
    changed = {host.host: host.changed for host in result.hosts}
    assert changed == {"acme-web-1": 2, "acme-web-2": 0, "acme-balancer-1": 1}
    assert (web.services, balancer.disabled) == ({"nginx": "active"}, {"acme-web-2"})
    assert [path for path, text in web.files.items() if text == "by hand"] == [COMMON]
    assert [path for path, text in balancer.files.items() if text == "by hand"] == [FILES[Role.BALANCER]]
    assert web.configuration == balancer.configuration == "older", "only all of its roles complete a host"
    await site.configure()
    assert "by hand" not in {*web.files.values(), *balancer.files.values()}
    assert (balancer.disabled, web.configuration) == (
        set(),
        site.request(StepKind.CONFIGURE).digests[web.name],
    )


async def test_a_role_that_a_host_does_not_have_is_refused(site: Site) -> None:
    request = replace(site.request(StepKind.CONFIGURE), roles={"acme-web-1": ("haproxy",)})
    with pytest.raises(TerminalError, match="acme-web-1 has no role 'haproxy', only base and nginx"):
        await site.world.configuration.configure(request, silent)


async def test_one_play_can_configure_and_deploy(site: Site) -> None:
    request = replace(site.request(StepKind.CONFIGURE), archive=PurePath("/c.tar"), revision="other")
    await site.world.configuration.configure(request, silent)
    assert [host.revision for host in site.world.hosts] == [None, "other", "other"]


async def test_an_answer_can_be_put_into_a_hosts_mouth(site: Site) -> None:
    address = site.world.hosts["acme-web-1"].address
    site.world.probe.answers[address, "/"] = Answer(500, {}, "oops")
    assert body(await site.get("acme-web-1", "/")) == "oops"
    assert site.world.probe.requests[-1].path == "/"


async def test_a_host_cut_off_runs_for_its_provider_and_serves_nobody(site: Site) -> None:
    site.world.hosts.cut("acme-web-1")
    host = site.world.hosts["acme-web-1"]
    assert (host.state, host.reachable, host.serves) == (HostState.RUNNING, False, False)
    assert site.world.hosts.up() == {"acme-web-2", "acme-balancer-1"}
    balancer = (await site.facts())["acme-balancer-1"]
    assert isinstance(balancer, Seen)
    assert balancer.value.backends == {"acme-web-1": "DOWN", "acme-web-2": "UP"}
    web = (await site.facts())["acme-web-1"]
    assert isinstance(web, Unseen)
    assert web.reason == "connection failed: no route to host"
    assert isinstance(await site.get("acme-web-1", "/"), NoAnswer)
    assert not await site.world.probe.ssh(host.address, 22, 2)
    site.world.hosts.join("acme-web-1")
    assert host.serves
    assert await site.world.probe.ssh(host.address, 22, 2)


async def test_a_server_disabled_by_hand_shows_in_the_balancers_statistics(site: Site) -> None:
    site.world.hosts["acme-balancer-1"].disabled = {"acme-web-2", "acme-web-9"}
    balancer = (await site.facts())["acme-balancer-1"]
    assert isinstance(balancer, Seen)
    assert balancer.value.backends == {"acme-web-1": "UP", "acme-web-2": "MAINT"}


async def test_a_drained_balancer_serves_nobody_and_a_play_brings_it_back(site: Site) -> None:
    configuration, balancers = site.world.configuration, site.state.of(Role.BALANCER)
    name = balancers[0].name
    for _ in range(2):
        await configuration.drain(balancers, 30.0, silent)
    assert (configuration.drained, configuration.patience) == ([name, name], [30.0, 30.0])
    assert await site.get(name, "/") == NoAnswer("connection refused", 0.001)
    await site.configure()
    assert isinstance(await site.get(name, "/"), Answer)


async def test_a_balancer_that_cannot_be_drained_is_told_and_a_silent_one_left_out(site: Site) -> None:
    configuration, told = site.world.configuration, list[str]()
    balancer = site.state.of(Role.BALANCER)[0]
    configuration.failures.next(f"drain:{balancer.name}", TransientError("haproxy goes on"))
    with pytest.raises(TransientError, match="goes on"):
        await configuration.drain((balancer,), 1.0, silent)
    assert site.world.hosts[balancer.name].serves
    site.world.hosts[balancer.name].state = HostState.PAUSED
    await configuration.drain((balancer,), 1.0, lambda progress: told.append(progress.message))
    assert told == ["left out, it does not answer: no answer in time"]
    assert configuration.drained == []


async def test_hosts_tell_who_changes_them_when_asked(site: Site) -> None:
    world, (web, silent_one) = site.world, site.state.of(Role.WEB)
    world.configuration.traces[web.name] = ("session of anna over SSH (notty)",)
    world.hosts[silent_one.name].cut = True
    paths = {web.name: ["/etc/x"], silent_one.name: ["/etc/x"]}
    found = await world.configuration.culprits(site.state.hosts, paths)
    stamp = f"{world.clock.now():%H:%M:%S}"
    assert found == {
        web.name: (f"/etc/x: changed {stamp} UTC, owner uid 0 (root)", "session of anna over SSH (notty)"),
        silent_one.name: ("does not answer",),
        site.state.of(Role.BALANCER)[0].name: (),
    }
    assert world.configuration.suspected == [web.name, silent_one.name]


async def bodies(site: Site) -> set[str]:
    """Which servers visitors of the balancer meet."""
    balancer = site.state.of(Role.BALANCER)[0].address
    answers = [await site.world.probe.get(ProbeRequest(balancer, 80, "/")) for _ in range(6)]
    return {answer.headers["x-otto-server"] for answer in answers if isinstance(answer, Answer)}


async def test_a_server_set_aside_gets_no_visitors_until_it_is_brought_back(site: Site) -> None:
    configuration, balancers = site.world.configuration, site.state.of(Role.BALANCER)
    assert await configuration.set_aside(balancers, ["acme-web-1"], 5, silent) == {"acme-web-1": 0}
    assert await bodies(site) == {"acme-web-2"}
    facts = site.world.hosts["acme-balancer-1"].facts(site.world.hosts.up())
    assert facts.backends == {"acme-web-1": "MAINT", "acme-web-2": "UP"}
    await configuration.bring_back(balancers, ["acme-web-1"], 5, silent)
    assert await bodies(site) == {"acme-web-1", "acme-web-2"}
    assert configuration.rotation.moves == [("set_aside", ("acme-web-1",)), ("bring_back", ("acme-web-1",))]


async def test_the_last_server_is_not_set_aside_and_a_broken_one_is_not_brought_back(site: Site) -> None:
    configuration, balancers = site.world.configuration, site.state.of(Role.BALANCER)
    with pytest.raises(TransientError, match="nobody would be left"):
        await configuration.set_aside(balancers, ["acme-web-1", "acme-web-2"], 5, silent)
    await configuration.set_aside(balancers, ["acme-web-1"], 5, silent)
    site.world.hosts["acme-web-1"].services["nginx"] = "failed"
    with pytest.raises(TransientError, match="acme-web-1 is not UP"):
        await configuration.bring_back(balancers, ["acme-web-1"], 5, silent)
    assert await bodies(site) == {"acme-web-2"}


async def test_visitors_that_never_finish_are_counted(site: Site) -> None:
    site.world.configuration.rotation.visitors["acme-web-1"] = 3
    balancers = site.state.of(Role.BALANCER)
    left = await site.world.configuration.set_aside(balancers, ["acme-web-1"], 5, silent)
    assert left == {"acme-web-1": 3}


async def test_a_name_no_server_can_have_moves_nothing(site: Site) -> None:
    with pytest.raises(TerminalError, match="no web server has the name"):
        await site.world.configuration.set_aside(site.state.of(Role.BALANCER), ["a b"], 5, silent)
    assert site.world.configuration.rotation.moves == []
