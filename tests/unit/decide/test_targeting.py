import pytest

from otto.decide.orphans import orphans
from otto.decide.signs import fresh, keys, sign, tier_of, told
from otto.decide.targeting import actionable, for_content, for_infrastructure, roles_needed
from otto.model.difference import Cause, Difference, Layer
from otto.model.host import HostState, LiveHost
from otto.model.sign import Sign, Tier

from .simulation import NOW

OWN = frozenset({"base", "nginx"})
INFRASTRUCTURE, CONFIGURATION, CONTENT, SERVING = (
    Layer.INFRASTRUCTURE,
    Layer.CONFIGURATION,
    Layer.CONTENT,
    Layer.SERVING,
)


def differs(layer: Layer, path: str, cause: Cause = Cause.DRIFT) -> Difference:
    return Difference(layer, path, "this", "that", cause)


@pytest.mark.parametrize(
    ("aspect", "roles"),
    [
        ("services/nginx", {"nginx"}),
        ("services/nftables", {"base"}),
        ("files/etc/nginx/nginx.conf", {"nginx"}),
        ("files/etc/logrotate.d/nginx", {"nginx"}),
        ("files/etc/ssh/sshd_config.d/20-otto.conf", {"base"}),
        ("fact", {"base"}),
        ("configuration", {"base", "nginx"}),
        ("expected", {"base", "nginx"}),
        ("facts", set()),
        ("services/haproxy", set()),
    ],
)
def test_a_host_gets_the_roles_that_mend_what_differs_and_no_others(aspect: str, roles: set[str]) -> None:
    assert roles_needed([differs(CONFIGURATION, f"hosts/a-web-1/{aspect}")], OWN) == roles


def test_a_balancer_with_a_server_set_aside_gets_its_own_role_alone() -> None:
    found = differs(CONFIGURATION, "hosts/a-balancer-1/backends/a-web-1")
    assert roles_needed([found], frozenset({"base", "haproxy"})) == {"haproxy"}


def test_several_differences_add_up() -> None:
    found = [
        differs(CONFIGURATION, "hosts/a-web-1/fact"),
        differs(CONFIGURATION, "hosts/a-web-1/services/nginx"),
    ]
    assert roles_needed(found, OWN) == OWN


def test_a_host_that_answers_wrongly_is_configured_whole_only_when_nothing_else_is_known() -> None:
    wrong = differs(SERVING, "hosts/a-web-1/checks/revision", Cause.FAILURE)
    assert roles_needed([wrong], OWN) == OWN
    assert roles_needed([wrong, differs(CONFIGURATION, "hosts/a-web-1/services/nginx")], OWN) == {"nginx"}
    assert roles_needed([wrong, differs(CONTENT, "hosts/a-web-1/content")], OWN) == frozenset()
    wished = differs(SERVING, "hosts/a-web-1/checks/revision", Cause.SPEC)
    assert roles_needed([wished], OWN) == frozenset()


@pytest.mark.parametrize(
    ("difference", "terraform"),
    [
        (differs(INFRASTRUCTURE, "hosts/a-web-1/state", Cause.FAILURE), True),
        (differs(INFRASTRUCTURE, "hosts/a-web-1/reachable", Cause.FAILURE), True),
        (differs(INFRASTRUCTURE, "hosts/a-web-1/reachable", Cause.UNKNOWN), False),
        (differs(INFRASTRUCTURE, "resources/lab_network.site"), True),
        (differs(INFRASTRUCTURE, "inventory", Cause.UNKNOWN), False),
        (differs(INFRASTRUCTURE, "state", Cause.UNKNOWN), False),
        (differs(CONFIGURATION, "hosts/a-web-1/fact"), False),
    ],
)
def test_terraform_is_run_for_what_it_can_mend(difference: Difference, *, terraform: bool) -> None:
    assert for_infrastructure(difference) is terraform


def test_content_is_laid_where_it_differs_or_where_nothing_is_on_record() -> None:
    assert for_content(differs(CONTENT, "hosts/a-web-1/content"))
    assert for_content(differs(CONFIGURATION, "hosts/a-web-1/expected", Cause.UNKNOWN))
    assert not for_content(differs(CONFIGURATION, "hosts/a-web-1/facts", Cause.UNKNOWN))


@pytest.mark.parametrize(
    ("found", "now"),
    [
        ([], False),
        ([differs(CONFIGURATION, "hosts/a-web-1/facts", Cause.UNKNOWN)], False),
        ([differs(INFRASTRUCTURE, "inventory", Cause.UNKNOWN)], False),
        ([differs(SERVING, "checks", Cause.UNKNOWN)], False),
        ([differs(SERVING, "verified", Cause.SPEC)], True),
        ([differs(SERVING, "checks/10.0.0.2/", Cause.FAILURE)], True),
        (
            [
                differs(INFRASTRUCTURE, "hosts/a-web-1/reachable", Cause.UNKNOWN),
                differs(SERVING, "hosts/a-web-1/checks/revision", Cause.FAILURE),
            ],
            False,
        ),
        (
            [
                differs(INFRASTRUCTURE, "hosts/a-web-1/reachable", Cause.UNKNOWN),
                differs(CONFIGURATION, "hosts/a-web-2/services/nginx", Cause.FAILURE),
            ],
            True,
        ),
    ],
)
def test_what_may_be_nothing_yet_is_waited_for(found: list[Difference], *, now: bool) -> None:
    assert actionable(found) is now


@pytest.mark.parametrize(
    ("difference", "tier"),
    [
        (differs(INFRASTRUCTURE, "hosts/a-web-1/state", Cause.FAILURE), Tier.INVENTORY),
        (differs(INFRASTRUCTURE, "hosts/a-web-1/presence", Cause.FAILURE), Tier.STATE),
        (differs(INFRASTRUCTURE, "hosts/a-web-1/reachable", Cause.FAILURE), Tier.PROBE),
        (differs(INFRASTRUCTURE, "resources/lab_network.site"), Tier.REFRESH),
        (differs(INFRASTRUCTURE, "inputs", Cause.SPEC), Tier.SOURCE),
        (differs(CONFIGURATION, "hosts/a-web-1/services/nginx", Cause.FAILURE), Tier.FACTS),
        (differs(CONFIGURATION, "hosts/a-balancer-1/backends/a-web-1"), Tier.STATISTICS),
        (differs(SERVING, "hosts/a-balancer-1/servers/a-web-1", Cause.FAILURE), Tier.STATISTICS),
        (differs(SERVING, "hosts/a-balancer-1/checks/statistics", Cause.FAILURE), Tier.STATISTICS),
        (differs(SERVING, "checks/10.0.0.2/", Cause.FAILURE), Tier.PROBE),
        (differs(CONTENT, "hosts/a-web-1/content"), Tier.FACTS),
    ],
)
def test_every_difference_has_the_tier_that_sees_it(difference: Difference, tier: Tier) -> None:
    assert tier_of(difference) is tier


def test_a_difference_is_new_when_its_place_or_its_cause_is() -> None:
    suspected = differs(INFRASTRUCTURE, "hosts/a-web-1/reachable", Cause.UNKNOWN)
    certain = differs(INFRASTRUCTURE, "hosts/a-web-1/reachable", Cause.FAILURE)
    known = keys([suspected])
    assert fresh([suspected], known) == ()
    assert fresh([suspected, certain], known) == (certain,)


def test_what_a_tier_noted_is_not_told_twice() -> None:
    difference = differs(CONFIGURATION, "hosts/a-web-1/fact")
    noted = sign(difference, NOW)
    assert told([noted], [difference], NOW) == (noted,)
    event = Sign(Tier.EVENT, "died", NOW, "a-web-1", "id")
    assert [item.tier for item in told([event], [difference], NOW)] == [Tier.EVENT, Tier.FACTS]


def live(name: str, site: str = "a", host_id: str = "") -> LiveHost:
    return LiveHost(host_id or name, name, site, "web", HostState.RUNNING)


def test_an_orphan_is_wanted_by_no_spec_and_known_to_no_state() -> None:
    hosts = [live("a-web-1"), live("a-web-2"), live("a-web-3"), live("b-web-1", "b"), live("c-web-1", "c")]
    wanted = {"a": frozenset({"a-web-1"})}
    known = {"a": frozenset({"a-web-2"}), "c": frozenset({"c-web-1"})}
    assert [host.name for host in orphans(hosts, wanted, known)] == ["a-web-3", "b-web-1"]
