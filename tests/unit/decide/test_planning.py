from dataclasses import replace

import pytest

from otto.decide.diff import diff
from otto.decide.planning import classify, needs_infrastructure, plan
from otto.model.difference import Layer
from otto.model.host import HostState
from otto.model.infrastructure import ResourceChange
from otto.model.observed import Observed, Seen, Silence
from otto.model.plan import ActionKind, Plan, StepKind
from otto.model.spec import Algorithm, Check, HostGroup

from .simulation import NOW, built, desired, make_plan, nothing, spec


def kinds(of: Plan) -> list[str]:
    return [step.kind.value for step in of.steps]


def change(host: str, *verbs: str, **more: object) -> ResourceChange:
    base = ResourceChange(f'lab_host.host["{host}"]', "lab_host", verbs, host=host)
    return replace(base, **more)  # type: ignore[arg-type]


def without(seen: Observed, name: str, state: HostState | None = None) -> Observed:
    assert isinstance(seen.inventory, Seen)
    live = [h if h.name != name else replace(h, state=state or h.state) for h in seen.inventory.value]
    kept = tuple(h for h in live if h.name != name or state)
    return replace(seen, inventory=Seen(kept, NOW))


def test_a_fresh_site_needs_every_step() -> None:
    steps = make_plan(desired(), nothing())
    assert kinds(steps) == ["provision", "configure", "deploy", "verify"]
    assert {action.kind for action in steps.actions} == {ActionKind.CREATE}


def test_nothing_to_do_plans_nothing() -> None:
    assert not make_plan(desired(), built())


@pytest.mark.parametrize(
    ("wish", "steps", "configured", "deployed"),
    [
        (desired(content="c2"), ["deploy", "verify"], (), ("hello-web-1", "hello-web-2")),
        (
            desired(spec(algorithm=Algorithm.LEASTCONN)),
            ["configure", "verify"],
            ("hello-balancer-1",),
            (),
        ),
        (
            desired(spec(domains=("other.test",))),
            ["configure", "verify"],
            ("hello-web-1", "hello-web-2"),
            (),
        ),
        (desired(spec(checks=(Check("/new"),))), ["verify"], (), ()),
        (
            desired(spec(web=3)),
            ["provision", "configure", "deploy", "verify"],
            ("hello-balancer-1", "hello-web-3"),
            ("hello-web-3",),
        ),
    ],
)
def test_a_change_makes_only_the_steps_it_needs(
    wish: object, steps: list[str], configured: tuple[str, ...], deployed: tuple[str, ...]
) -> None:
    made = make_plan(wish, built())  # type: ignore[arg-type]
    assert kinds(made) == steps
    configure, deploy = made.step(StepKind.CONFIGURE), made.step(StepKind.DEPLOY)
    assert (configure.hosts if configure else ()) == configured
    assert (deploy.hosts if deploy else ()) == deployed


def test_a_content_push_does_not_call_for_terraform() -> None:
    assert not needs_infrastructure(diff(desired(content="c2"), built()))


def test_a_scale_in_tells_the_balancer_and_no_web_server() -> None:
    steps = make_plan(desired(spec(web=1)), built())
    configure = steps.step(StepKind.CONFIGURE)
    assert configure is not None
    assert configure.hosts == ("hello-balancer-1",)
    assert [action.kind for action in steps.actions] == [ActionKind.SCALE_IN]


@pytest.mark.parametrize(
    ("seen", "made", "kind", "asked"),
    [
        (nothing(), change("hello-web-1", "create"), ActionKind.CREATE, False),
        (without(built(), "hello-web-1"), change("hello-web-1", "create"), ActionKind.REPAIR, False),
        (
            without(built(), "hello-web-1", HostState.STOPPED),
            change("hello-web-1", "delete", "create"),
            ActionKind.REPLACE,
            False,
        ),
        (
            without(built(), "hello-web-1"),
            change("hello-web-1", "delete", "create", replace_for=("image",)),
            ActionKind.REPLACE,
            False,
        ),
        (
            without(built(), "hello-web-1"),
            change("hello-web-1", "delete", "create"),
            ActionKind.REPAIR,
            False,
        ),
        (built(), change("hello-web-1", "delete", "create"), ActionKind.REPLACE, False),
        (
            built(),
            change("hello-web-1", "delete", "create", replace_for=("image",)),
            ActionKind.REPLACE,
            False,
        ),
        (
            without(built(), "hello-web-1", HostState.PAUSED),
            change("hello-web-1", "delete", "create"),
            ActionKind.REPLACE,
            False,
        ),
        (
            built(),
            change("hello-web-1", "delete", "create", reason="replace_because_tainted"),
            ActionKind.REPAIR,
            False,
        ),
        (built(), change("hello-web-3", "delete"), ActionKind.SCALE_IN, True),
        (
            replace(built(), silent={"hello-web-1": Silence(NOW, 3, confirmed=True)}),
            change("hello-web-1", "delete", "create", reason="replace_by_request"),
            ActionKind.REPAIR,
            False,
        ),
        (
            replace(built(), silent={"hello-web-1": Silence(NOW, 1, confirmed=False)}),
            change("hello-web-1", "delete", "create", reason="replace_by_request"),
            ActionKind.REPLACE,
            False,
        ),
        (
            replace(built(), silent={"hello-web-1": Silence(NOW, 3, confirmed=True)}),
            change("hello-web-1", "delete", "create", replace_for=("image",)),
            ActionKind.REPLACE,
            False,
        ),
        (built(), change("hello-web-1", "delete"), ActionKind.DESTROY, False),
        (built(), replace(change("", "delete"), address="lab_network.site"), ActionKind.DESTROY, False),
        (built(), change("hello-web-1", "update"), ActionKind.UPDATE, False),
        (built(), change("hello-web-1", "no-op", importing=True), ActionKind.IMPORT, False),
    ],
)
def test_a_change_gets_the_kind_the_guard_decides_by(
    seen: Observed, made: ResourceChange, kind: ActionKind, *, asked: bool
) -> None:
    action = classify(made, desired(), seen)
    assert (action.kind, action.asked) == (kind, asked)


def test_no_replacement_is_asked_for_by_words_about_other_things() -> None:
    """Who changes an image has not said that hosts may be replaced: that is the guard's business."""
    wish = desired(spec(web=2))
    other = replace(wish, spec=replace(wish.spec, web=HostGroup(2, "small", "newer")))
    made = change("hello-web-1", "delete", "create", replace_for=("image",))
    assert not classify(made, other, built()).asked


def test_forced_steps_take_every_host() -> None:
    found = diff(desired(), built())
    made = plan(desired(), built(), found, force=frozenset({StepKind.CONFIGURE}))
    assert kinds(made) == ["configure", "verify"]
    step = made.step(StepKind.CONFIGURE)
    assert step is not None
    assert len(step.hosts) == 3


def test_unknown_inventory_alone_is_no_reason_for_terraform() -> None:
    found = [item for item in diff(desired(), nothing()) if item.layer is not Layer.INFRASTRUCTURE]
    assert not needs_infrastructure(found)
