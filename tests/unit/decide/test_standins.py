"""No host is made from a revoked image: what stands in, what waits, and what is said of both."""

from dataclasses import replace

import pytest

from otto.decide import standins
from otto.model.difference import Cause, Difference, Layer
from otto.model.host import LiveHost
from otto.model.observed import InfrastructureState, Observed, Seen
from otto.model.plan import Action, ActionKind, Plan, StepKind
from otto.model.spec import Role

from .imagery import built as artifacts
from .imagery import image
from .simulation import NOW, built, desired, make_plan

WHY = "nginx 010101010101, which is revoked: CVE-1"
REVOKED = {("lab", "img"): WHY}


def of_image(seen: Observed, image: str = "img") -> Observed:
    """The same, by a module that tells the images of hosts."""
    assert isinstance(seen.infrastructure, Seen)
    state = seen.infrastructure.value
    hosts = tuple(replace(host, image=image) for host in state.hosts)
    return replace(seen, infrastructure=Seen(InfrastructureState(hosts, state.endpoints), NOW))


def without(seen: Observed, *names: str) -> Observed:
    assert isinstance(seen.inventory, Seen)
    left: tuple[LiveHost, ...] = tuple(host for host in seen.inventory.value if host.name not in names)
    return replace(seen, inventory=Seen(left, NOW))


def test_what_is_revoked_is_known_by_provider_and_artifact() -> None:
    both = image(1, revoked="CVE-1", artifacts={**artifacts(number=1), **artifacts("aws", 1)})
    assert standins.revoked([both, image(2)]) == {("lab", "lab-1"): WHY, ("aws", "aws-1"): WHY}


def test_a_wish_is_barred_where_its_image_is_revoked_at_its_provider() -> None:
    wish = replace(desired(), images={"web": "img", "balancer": "other"})
    assert standins.barred(wish, REVOKED) == {Role.WEB: WHY}
    assert standins.barred(wish, {("aws", "img"): WHY}) == {}


def test_lost_hosts_are_made_from_what_stands_in_and_the_others_stay_as_they_are() -> None:
    wish, seen = desired(), without(of_image(built()), "hello-web-2")
    assert standins.lost(wish, seen, [Role.WEB]) == {"hello-web-2": Role.WEB}
    assert standins.lost(wish, seen, [Role.BALANCER]) == {}
    pinned = standins.pinned(wish, seen, [Role.WEB], {"hello-web-2": "newer"})
    assert pinned == {"hello-web-1": "img", "hello-web-2": "newer"}


def test_while_hosts_wait_nothing_is_made_and_the_rest_is_mended() -> None:
    def broken(layer: Layer, path: str) -> Difference:
        return Difference(layer, path, "x", "y", Cause.FAILURE)

    gone = broken(Layer.INFRASTRUCTURE, "hosts/hello-web-2/state")
    stopped = broken(Layer.CONFIGURATION, "hosts/hello-web-1/services/nginx")
    of_gone = broken(Layer.SERVING, "hosts/hello-web-2/checks/")
    found = (gone, stopped, of_gone)
    assert standins.mendable(found, ["hello-web-2"]) == (stopped,)
    assert standins.mendable(found, []) == found


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        (ActionKind.CREATE, True),
        (ActionKind.REPAIR, True),
        (ActionKind.REPLACE, True),
        (ActionKind.UPDATE, False),
        (ActionKind.DESTROY, False),
        (ActionKind.IMPORT, False),
    ],
)
def test_only_what_makes_a_host_takes_an_image(kind: ActionKind, made: bool) -> None:
    action = Action("lab_host.x", kind, host="hello-web-1")
    found = standins.made_from([action, Action("lab_network.y", kind)], desired(), {})
    assert found == ({"hello-web-1": "img"} if made else {})


def test_whoever_approves_a_plan_approves_what_stands_in() -> None:
    def noted(instead: dict[str, str]) -> Plan:
        return standins.noted(plan, desired(), instead)

    plan = make_plan(desired(), without(built(), "hello-web-2"))
    assert noted({"hello-web-1": "img"}) == plan
    step = noted({"hello-web-2": "sha256:" + "ab" * 32}).step(StepKind.PROVISION)
    assert step is not None
    assert step.detail[-1] == "image of hello-web-2: abababababab"
    digests = {noted({"hello-web-2": image}).digest for image in ("one", "two")} | {plan.digest}
    assert len(digests) == 3


def test_it_is_said_which_hosts_wait_and_for_what() -> None:
    assert standins.told({}) == ""
    assert standins.told({"a": WHY}) == f"a is lost and waits for another image than {WHY}"
    assert standins.told({"b": WHY, "a": WHY}).startswith(
        "a, b are lost and wait for another image than nginx"
    )
