from dataclasses import replace

import pytest

from otto.decide.diff import diff
from otto.model.difference import Cause, Layer
from otto.model.host import HostFacts, HostState, LiveHost
from otto.model.infrastructure import ResourceChange
from otto.model.observed import CheckFailure, Observed, Seen, Serving, Silence, Unseen
from otto.model.spec import Check

from .simulation import NOW, built, desired, nothing, spec


def with_facts(seen: Observed, name: str, **changes: object) -> Observed:
    facts = seen.facts[name]
    assert isinstance(facts, Seen)
    value = replace(facts.value, **changes)  # type: ignore[arg-type]
    return replace(seen, facts=dict(seen.facts) | {name: Seen(value, NOW)})


def with_live(seen: Observed, name: str, state: HostState | None) -> Observed:
    assert isinstance(seen.inventory, Seen)
    live = [
        replace(host, state=state) if state else host for host in seen.inventory.value if host.name == name
    ]
    others = [host for host in seen.inventory.value if host.name != name]
    return replace(seen, inventory=Seen((*others, *(live if state else ())), NOW))


def test_a_world_as_desired_shows_no_difference() -> None:
    assert diff(desired(), built()) == ()


def test_nothing_there_yet_differs_in_infrastructure_because_of_the_spec() -> None:
    found = diff(desired(), nothing())
    assert {item.path for item in found if item.layer is Layer.INFRASTRUCTURE} == {
        "inputs",
        "hosts/hello-web-1/presence",
        "hosts/hello-web-2/presence",
        "hosts/hello-balancer-1/presence",
    }
    assert {item.cause for item in found if item.layer is Layer.INFRASTRUCTURE} == {Cause.SPEC}


@pytest.mark.parametrize(
    ("change", "path", "cause"),
    [
        ({"files": {"/etc/nginx/nginx.conf": "edited"}}, "files/etc/nginx/nginx.conf", Cause.DRIFT),
        ({"files": {}}, "files/etc/nginx/nginx.conf", Cause.DRIFT),
        ({"fact": "forged"}, "fact", Cause.DRIFT),
        ({"services": {"nginx": "inactive"}}, "services/nginx", Cause.FAILURE),
        ({"services": {}}, "services/nginx", Cause.FAILURE),
        ({"revision": "old"}, "revision", Cause.SPEC),
        ({"content": "edited"}, "content", Cause.DRIFT),
        ({"configuration": "old"}, "configuration", Cause.SPEC),
        ({"configuration": None}, "configuration", Cause.SPEC),
    ],
)
def test_what_a_web_server_says_of_itself_is_compared(
    change: dict[str, object], path: str, cause: Cause
) -> None:
    found = diff(desired(), with_facts(built(), "hello-web-1", **change))
    assert (f"hosts/hello-web-1/{path}", cause) in {(item.path, item.cause) for item in found}


@pytest.mark.parametrize(
    ("state", "have"), [(None, "gone"), (HostState.PAUSED, "paused"), (HostState.STOPPED, "stopped")]
)
def test_a_host_that_does_not_run_is_a_failure(state: HostState | None, have: str) -> None:
    found = diff(desired(), with_live(built(), "hello-web-2", state))
    assert [(item.path, item.have, item.cause) for item in found] == [
        ("hosts/hello-web-2/state", have, Cause.FAILURE)
    ]


def test_a_host_that_somebody_made_anew_is_drift() -> None:
    seen = built()
    assert isinstance(seen.inventory, Seen)
    others = tuple(replace(h, id="foreign") if h.name == "hello-web-1" else h for h in seen.inventory.value)
    found = diff(desired(), replace(seen, inventory=Seen(others, NOW)))
    assert [item.path for item in found] == ["hosts/hello-web-1/identity"]


def with_image(seen: Observed, name: str, image: str) -> Observed:
    assert isinstance(seen.infrastructure, Seen)
    state = seen.infrastructure.value
    hosts = tuple(replace(host, image=image) if host.name == name else host for host in state.hosts)
    return replace(seen, infrastructure=Seen(replace(state, hosts=hosts), NOW))


def test_a_host_on_another_image_than_wanted_differs_because_of_the_spec() -> None:
    wish = replace(desired(), images={"web": "sha256:" + "b" * 64, "balancer": "ami-1"})
    seen = built(wish)
    assert diff(wish, with_image(seen, "hello-web-1", "sha256:" + "b" * 64)) == ()
    (found,) = diff(wish, with_image(seen, "hello-web-1", "sha256:" + "a" * 64))
    assert (found.path, found.want, found.have) == ("hosts/hello-web-1/image", "b" * 12, "a" * 12)
    assert (found.layer, found.cause) == (Layer.INFRASTRUCTURE, Cause.SPEC)
    (found,) = diff(wish, with_image(seen, "hello-balancer-1", "ami-0"))
    assert (found.path, found.want, found.have) == ("hosts/hello-balancer-1/image", "ami-1", "ami-0")


def test_a_host_whose_module_does_not_tell_its_image_differs_in_nothing() -> None:
    wish = replace(desired(), images={"web": "sha256:" + "b" * 64})
    assert diff(wish, with_image(built(wish), "hello-web-1", "")) == ()
    assert diff(wish, with_image(built(wish), "hello-balancer-1", "ami-0")) == ()


def test_a_labelled_host_that_neither_spec_nor_state_knows_differs_from_nothing() -> None:
    seen = built()
    assert isinstance(seen.inventory, Seen)
    extra = LiveHost("x", "hello-web-9", "hello", "web", HostState.RUNNING)
    assert diff(desired(), replace(seen, inventory=Seen((*seen.inventory.value, extra), NOW))) == ()


def test_a_wanted_host_that_lives_and_is_missing_from_the_state_is_drift() -> None:
    seen = built()
    assert isinstance(seen.infrastructure, Seen)
    state = seen.infrastructure.value
    kept = tuple(host for host in state.hosts if host.name != "hello-web-1")
    found = diff(desired(), replace(seen, infrastructure=Seen(replace(state, hosts=kept), NOW)))
    told = {(item.path, item.cause) for item in found}
    assert ("hosts/hello-web-1/ownership", Cause.DRIFT) in told
    assert ("hosts/hello-web-1/presence", Cause.FAILURE) in told


@pytest.mark.parametrize(("confirmed", "cause"), [(False, Cause.UNKNOWN), (True, Cause.FAILURE)])
def test_a_silent_host_is_unknown_until_it_is_confirmed(*, confirmed: bool, cause: Cause) -> None:
    silent = {"hello-web-1": Silence(NOW, 3, confirmed)}
    facts = dict(built().facts) | {"hello-web-1": Unseen("no answer", NOW)}
    found = diff(desired(), replace(built(), silent=silent, facts=facts))
    assert [(item.path, item.cause) for item in found] == [("hosts/hello-web-1/reachable", cause)]


def test_what_terraform_found_changed_is_drift_of_that_resource() -> None:
    change = ResourceChange("lab_network.site", "lab_network", ("update",), changed=("mtu",))
    [found] = diff(desired(), replace(built(), refreshed=(change,)))
    assert (found.path, found.have, found.cause) == ("resources/lab_network.site", "mtu", Cause.DRIFT)


@pytest.mark.parametrize("state", ["MAINT", "MAINT (via x)", "DRAIN"])
def test_a_server_taken_out_by_hand_is_drift_of_the_balancer_whoever_tells(state: str) -> None:
    failure = CheckFailure(
        "statistics", "hello-balancer-1", "GET", "UP", state, "hello-balancer-1", "hello-web-1"
    )
    told = replace(built(), serving=Seen(Serving((failure,), 3, desired().content), NOW))
    asked = with_facts(built(), "hello-balancer-1", backends={"hello-web-1": state, "hello-web-2": "UP"})
    for seen in (told, asked):
        [found] = diff(desired(), seen)
        assert found.path == "hosts/hello-balancer-1/backends/hello-web-1"
        assert (found.layer, found.cause) == (Layer.CONFIGURATION, Cause.DRIFT)


def test_a_server_the_balancer_calls_down_is_a_failure_of_serving() -> None:
    failure = CheckFailure("statistics", "b", "GET", "UP", "DOWN", "hello-balancer-1", "hello-web-1")
    [found] = diff(desired(), replace(built(), serving=Seen(Serving((failure,), 3, desired().content), NOW)))
    assert (found.layer, found.cause) == (Layer.SERVING, Cause.FAILURE)
    assert found.path == "hosts/hello-balancer-1/servers/hello-web-1"


def test_an_unseen_layer_is_unknown_and_never_fine() -> None:
    seen = built()
    unseen = replace(
        seen,
        infrastructure=Unseen("unreadable", NOW),
        inventory=Unseen("no engine", NOW),
        facts={},
        serving=Unseen("not asked", NOW),
    )
    found = diff(desired(), unseen)
    assert found
    assert {item.cause for item in found} == {Cause.UNKNOWN}


def test_a_host_that_does_not_answer_is_unknown() -> None:
    seen = built()
    found = diff(desired(), replace(seen, facts=dict(seen.facts) | {"hello-web-1": Unseen("timed out", NOW)}))
    assert [(item.path, item.cause) for item in found] == [("hosts/hello-web-1/facts", Cause.UNKNOWN)]


def test_a_host_without_a_record_of_what_it_should_be_is_unknown() -> None:
    seen = built()
    applied = seen.applied.without_hosts_but(frozenset({"hello-web-1", "hello-balancer-1"}))
    found = diff(desired(), replace(seen, applied=applied))
    assert [(item.path, item.cause) for item in found] == [("hosts/hello-web-2/expected", Cause.UNKNOWN)]


def test_a_failing_check_is_told_with_what_was_expected_and_received() -> None:
    failure = CheckFailure("/", "http://10.0.0.2/", "GET http://10.0.0.2/", "HTTP 200", "HTTP 503")
    found = diff(desired(), replace(built(), serving=Seen(Serving((failure,), 3, "c1"), NOW)))
    assert [(item.want, item.have) for item in found] == [("HTTP 200", "HTTP 503")]


def test_a_wish_that_was_never_verified_differs() -> None:
    found = diff(desired(spec(checks=(Check("/new"),))), built())
    assert [(item.path, item.cause) for item in found] == [("verified", Cause.SPEC)]


def test_probes_of_another_revision_prove_nothing() -> None:
    found = diff(desired(content="c2"), built())
    assert Layer.SERVING in {item.layer for item in found}


def test_scaling_out_concerns_the_new_host_and_the_balancer_alone() -> None:
    before = built()
    found = diff(desired(spec(web=3)), before)
    assert {item.host for item in found if item.host} == {"hello-web-3"}


def test_facts_of_a_bare_host_differ_by_spec_not_by_failure() -> None:
    seen = replace(built(), facts=dict(built().facts) | {"hello-web-1": Seen(HostFacts(fact=""), NOW)})
    causes = {item.cause for item in diff(desired(), seen) if item.host == "hello-web-1"}
    assert Cause.FAILURE not in causes
