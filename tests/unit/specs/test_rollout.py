"""How changes reach servers and sites: what specs and the fleet's policy say of it."""

from dataclasses import replace

import pytest

from otto.adapters.specs import parse_fleet_policy
from otto.model.canonical import to_data
from otto.model.desired import Desired
from otto.model.policy import FleetPolicy
from otto.model.reading import read
from otto.model.strategy import AbortOn, Amount, FleetRollout, Rollout, Strategy

from .writing import only, parse, spec

HEAD = "apiVersion: otto/v1\nkind: Site\nmetadata: {name: hello}\nspec:\n"
HEAD += "  content: {path: sites/hello}\n  rollout:\n"
FLEET = "apiVersion: otto/v1\nkind: FleetPolicy\nspec:\n  rollout: "


def test_everything_set() -> None:
    text = "    strategy: canary\n    batch: 2\n    maxUnavailable: 100%\n    soak: 1m30s\n"
    text += "    drainTimeout: 10m\n    abortOn: {failedChecks: 3, errors: 0.5%}\n"
    file = parse(HEAD + text)
    assert file.problems == ()
    assert file.sites[0].rollout == Rollout(
        Strategy.CANARY, Amount(count=2), Amount(share=1.0), 90.0, 600.0, AbortOn(3, 0.005)
    )


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("batch: 1", "batch", Amount(count=1)),
        ("batch: 25%", "batch", Amount(share=0.25)),
        ("batch: '7%'", "batch", Amount(share=0.07)),
        ("maxUnavailable: 100", "max_unavailable", Amount(count=100)),
        ("soak: 0s", "soak", 0.0),
        ("soak: 1h", "soak", 3600.0),
        ("drainTimeout: 0s", "drain_timeout", 0.0),
        ("abortOn: {errors: 0%}", "abort_on", AbortOn(1, 0.0)),
        ("abortOn: {errors: 100%}", "abort_on", AbortOn(1, 1.0)),
        ("strategy: all", "strategy", Strategy.ALL),
    ],
)
def test_one_thing_set_leaves_the_rest_as_it_is(text: str, field: str, value: object) -> None:
    (site,) = parse(f"{HEAD}    {text}\n").sites
    assert site.rollout == replace(Rollout(), **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "pointer", "words", "more"),
    [
        ("batch: 0", "batch", "too small", "1 to 100"),
        ("batch: 101", "batch", "too big", "1 to 100"),
        ("batch: 0%", "batch", "not written", "a share from 1% to 100%"),
        ("batch: 101%", "batch", "not written", "a share from 1% to 100%"),
        ("batch: 2.5", "batch", "a whole number or text", "a share from 1% to 100%"),
        ("batch: '3'", "batch", "not written", "a whole number"),
        ("batch: [1]", "batch", "a whole number or text", "found a list"),
        ("batch: 25 %", "batch", "not written", "a share"),
        ("maxUnavailable: -1", "maxUnavailable", "too small", "1 to 100"),
        ("max_unavailable: 1", "max_unavailable", "unknown field", 'did you mean "maxUnavailable"'),
        ("soak: 90m", "soak", "too long", "at most 1h"),
        ("soak: 5", "soak", "text", "quotation marks"),
        ("soak: 500ms", "soak", "not written", "a length of time"),
        ("drainTimeout: 11m", "drainTimeout", "too long", "at most 10m"),
        ("strategy: blue", "strategy", "not known here", "rolling, canary, all"),
        ("abortOn: {errors: 5}", "abortOn/errors", "text", ""),
        ("abortOn: {errors: 101%}", "abortOn/errors", "not written", "0% to 100%"),
        ("abortOn: {failedChecks: 0}", "abortOn/failedChecks", "too small", "1 to 100"),
    ],
)
def test_what_makes_no_sense_is_told(text: str, pointer: str, words: str, more: str) -> None:
    problem = only(parse(f"{HEAD}    {text}\n"))
    assert problem.pointer == f"/spec/rollout/{pointer}"
    assert problem.line == 7
    assert words in problem.message
    assert more in str(problem)


@pytest.mark.parametrize(
    ("text", "rollout"),
    [
        ("{}", FleetRollout()),
        ("{wave: 5}", FleetRollout(wave=Amount(count=5))),
        ("{canaries: {env: test, tier: a}}", FleetRollout({"env": "test", "tier": "a"})),
        ("{canaries: {env: test}, wave: 20%}", FleetRollout({"env": "test"}, Amount(share=0.2))),
    ],
)
def test_the_fleets_order(text: str, rollout: FleetRollout) -> None:
    policy, problems = parse_fleet_policy("policy.yaml", f"{FLEET}{text}\n".encode())
    assert (policy, problems) == (FleetPolicy(rollout=rollout), ())


def test_how_a_change_travels_is_no_part_of_what_is_wished() -> None:
    one, other = (parse(spec(rollout=fields)).sites[0] for fields in ({}, {"strategy": "all"}))
    wishes = [Desired(site, "c", {"web": "i"}, "m", {"nginx": "n"}, "t") for site in (one, other)]
    assert wishes[0] != wishes[1]
    assert wishes[0].digest == wishes[1].digest


def test_a_wish_that_was_kept_before_there_were_rollouts_has_the_default_one() -> None:
    site = parse(spec(rollout={"batch": 3})).sites[0]
    kept = to_data(Desired(site, "c", {}, "m", {}, "t"))
    assert isinstance(kept, dict)
    assert read(Desired, kept).spec.rollout == Rollout(batch=Amount(count=3))
    assert isinstance(kept["spec"], dict)
    del kept["spec"]["rollout"]
    assert read(Desired, kept).spec.rollout == Rollout()
