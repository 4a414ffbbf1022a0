"""Policies, tombstones and the fleet's policy: what good ones say, and what is said of bad ones."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from otto.adapters.specs import parse_fleet_policy
from otto.adapters.specs.check import validate_paths
from otto.model.policy import (
    Budget,
    Collapse,
    DriftPolicy,
    FleetLimits,
    FleetPolicy,
    Handling,
    Hook,
    Ignored,
    LabelDefault,
    Limits,
    Overrun,
    Place,
    Policy,
    Window,
    Windows,
)
from otto.model.signature import Demand, KnownKey, Signatures
from otto.model.spec import Tombstone

from .writing import only, parse, spec

HEAD = "apiVersion: otto/v1\nkind: Site\nmetadata: {name: hello}\nspec:\n"
HEAD += "  content: {path: sites/hello}\n  policy:\n"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzW32PhFZuDkG00015IyWSrJzBhILsGK+eJGdtAv5ew"
PGP = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEAAAA\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
COMMITS = "{require: commits"
CHRISTMAS = datetime(2026, 12, 24, 18, tzinfo=UTC)

FULL = """\
    approval: always
    approvers: 2
    approvalExpiry: 4h30m
    protect: true
    until: 2026-12-24T19:00:00+01:00
    limits: {count: 10, share: 1, repairCount: 4, window: 2h, windowCount: 20, reason: " a test site "}
    windows:
      allow:
        - {cron: "0  22 * * mon-fri", lasts: 8h, timezone: Europe/Berlin}
      deny: [{cron: "0 0 20 12 *", lasts: 2w}]
      overrun: hold
      repairs: true
    budget: {monthly: 50, warn: 1}
    drift:
      configuration: report
      dns: ask
      content: repair
      ignore: [{path: hosts/*/files/*, reason: being looked into, until: "2026-12-24t18:00:00z"}]
      confirmations: 3
      heals: 0
"""


def test_a_policy_with_everything_set() -> None:
    file = parse(HEAD + FULL)
    assert file.problems == ()
    assert file.sites[0].policy == Policy(
        approval="always",
        approvers=2,
        approval_expiry=16_200.0,
        protect=True,
        until=CHRISTMAS,
        limits=Limits(10.0, 1.0, 4, 7200.0, 20.0, "a test site"),
        windows=Windows(
            (
                Window(allow=True, cron="0 22 * * mon-fri", lasts=28_800.0, timezone="Europe/Berlin"),
                Window(allow=False, cron="0 0 20 12 *", lasts=14 * 86_400.0),
            ),
            Overrun.HOLD,
            repairs=True,
        ),
        budget=Budget(50.0, 1.0),
        drift=DriftPolicy(
            {"configuration": Handling.REPORT, "dns": Handling.ASK},
            (Ignored("hosts/*/files/*", "being looked into", CHRISTMAS),),
            3,
            0,
        ),
    )


def test_defaults_are_those_of_the_values() -> None:
    assert parse(spec()).sites[0].policy == Policy()
    assert parse(spec(policy={})).sites[0].policy == Policy()
    (site,) = parse(spec(policy={"limits": {"reason": "why not"}, "budget": {"monthly": 1}})).sites
    assert site.policy == Policy(limits=Limits(reason="why not"), budget=Budget(1.0))
    assert parse(spec(policy={"ttl": "8h"})).sites[0].policy == Policy(ttl=28_800.0)


def test_a_site_may_have_no_web_servers() -> None:
    assert parse(spec(web={"count": 0})).sites[0].web.count == 0


WINDOW = "    windows: {allow: [{%s}]}\n"
CASES = [
    ("    ttl: 8\n", "7:10", "/spec/policy/ttl", "text", "quotation marks"),
    ("    ttl: eight hours\n", "7:10", "/spec/policy/ttl", "not written", "4h30m"),
    ("    ttl: 0h\n", "7:10", "/spec/policy/ttl", "no time at all", "30m"),
    ("    ttl: 999999999w\n", "7:10", "/spec/policy/ttl", "too long", "at most"),
    ("    approvalExpiry: 0s\n", "7:21", "/spec/policy/approvalExpiry", "no time at all", "30m"),
    ("    approvers: 6\n", "7:16", "/spec/policy/approvers", "too big", "1 to 5"),
    ("    protect: yes\n", "7:14", "/spec/policy/protect", "true or false", "write true"),
    ("    {ttl: 1h, until: 2026-12-24T18:00:00Z}\n", "7:22", "/spec/policy/until", "not both", '"ttl" or'),
    ("    until: 2026-12-24\n", "7:12", "/spec/policy/until", "text", "with its time zone"),
    ("    until: 2026-12-24 18:00:00\n", "7:12", "/spec/policy/until", "text", "with its time zone"),
    ("    until: '2026-12-24 18:00'\n", "7:12", "/spec/policy/until", "not written", "RFC 3339"),
    ("    until: '2026-12-24T18:00:00'\n", "7:12", "/spec/policy/until", "no time zone", "18:00:00Z"),
    ("    until: 2026-13-24T18:00:00Z\n", "7:12", "/spec/policy/until", "no such time", "2026-13-24"),
    ("    until: 0001-01-01T00:00:00+14:00\n", "7:12", "/spec/policy/until", "no such time", "0001"),
    ("    limits: {count: 9}\n", "7:5", "/spec/policy/limits/reason", 'missing field "reason"', "Why these"),
    ("    limits: {reason: ' '}\n", "7:22", "/spec/policy/limits/reason", "not written", "one line"),
    ("    limits: {share: 1.5, reason: a}\n", "7:21", "/spec/policy/limits/share", "too big", "0 to 1"),
    ("    budget: {monthly: 5, warn: 0}\n", "7:32", "/spec/policy/budget/warn", "used up", "above 0"),
    ("    budget: {monthly: 5, warn: 1.1}\n", "7:32", "/spec/policy/budget/warn", "too big", "0 to 1"),
    ("    budget: {warn: 1}\n", "7:5", "/spec/policy/budget/monthly", "missing field", "amount"),
    ("    drift: {dns: fix}\n", "7:18", "/spec/policy/drift/dns", "not known", "repair, report, ask"),
    (
        "    drift: {ignore: [{path: a, reason: b}]}\n",
        "7:22",
        "/spec/policy/drift/ignore/0/until",
        'missing field "until"',
        "When the rule ends",
    ),
    (
        "    drift: {ignore: [{path: a, reason: b, until: '2026-12-24T18:00:00'}]}\n",
        "7:50",
        "/spec/policy/drift/ignore/0/until",
        "no time zone",
        "Z for UTC",
    ),
    (WINDOW % "cron: '0 25 * * *', lasts: 1h", "7:30", "/spec/policy/windows/allow/0/cron", "hour", "0 22"),
    (
        WINDOW % "cron: '* * * *', lasts: 1h",
        "7:30",
        "/spec/policy/windows/allow/0/cron",
        "not written",
        "five",
    ),
    (WINDOW % "cron: '0 0 30 2 *', lasts: 1h", "7:30", "/spec/policy/windows/allow/0/cron", "never", "month"),
    (
        WINDOW % "cron: '0 0 0-5 * *', lasts: 1h",
        "7:30",
        "/spec/policy/windows/allow/0/cron",
        "day of",
        "1 to",
    ),
    (WINDOW % "cron: 'r 0 * * *', lasts: 1h", "7:30", "/spec/policy/windows/allow/0/cron", "minute", "range"),
    (WINDOW % "cron: '5-5 0 * * *', lasts: 1h", "7:30", "/spec/policy/windows/allow/0/cron", "two ends", ""),
    (WINDOW % "cron: '0 0 * * *', lasts: 0m", "7:50", "/spec/policy/windows/allow/0/lasts", "no time", "8h"),
    (
        WINDOW % "cron: '0 0 * * *', lasts: 5w",
        "7:50",
        "/spec/policy/windows/allow/0/lasts",
        "too long",
        "31d",
    ),
    (
        WINDOW % "cron: '0 0 * * *', lasts: 1h, timezone: Europe/Berlni",
        "7:64",
        "/spec/policy/windows/allow/0/timezone",
        "no such time zone",
        'did you mean "Europe/Berlin"?',
    ),
    (
        WINDOW % "cron: '0 0 * * *', lasts: 1h, timezone: localtime",
        "7:64",
        "/spec/policy/windows/allow/0/timezone",
        "no such time zone",
        "",
    ),
    (
        WINDOW % "cron: '0 0 * * *', lasts: 1h, timezone: ../../etc/passwd",
        "7:64",
        "/spec/policy/windows/allow/0/timezone",
        "not written",
        "IANA",
    ),
]


@pytest.mark.parametrize(("text", "where", "pointer", "words", "more"), CASES)
def test_one_problem_where_it_is(text: str, where: str, pointer: str, words: str, more: str) -> None:
    file = parse(HEAD + text)
    problem = only(file)
    assert (problem.where, problem.pointer) == (f"specs/hello.yaml:{where}", pointer)
    assert words in problem.message
    assert more in str(problem)
    assert problem.site == "hello"
    assert file.sites == ()


STONE = "apiVersion: otto/v1\nkind: Tombstone\nspec:\n  site: acme\n"


def test_a_tombstone() -> None:
    file = parse(STONE + "  reason: the campaign is over\n", "specs/acme.yaml")
    assert file.problems == ()
    assert file.sites == ()
    assert file.names == ("acme",)
    assert file.tombstones == (Tombstone("acme", "the campaign is over", file="specs/acme.yaml", line=1),)
    full = STONE + "  reason: over\n  by: web team\n  at: 2026-12-24T18:00:00Z\n"
    (stone,) = parse(full).tombstones
    assert (stone.by, stone.at) == ("web team", CHRISTMAS)


STONES = [
    ("", "/spec/reason", 'missing field "reason"'),
    ("  reason: ''\n", "/spec/reason", "not written"),
    ('  reason: "two\\nlines"\n', "/spec/reason", "not written"),
    ("  reason: over\n  at: '2026-12-24T18:00:00'\n", "/spec/at", "no time zone"),
    ("  reason: over\n  at: 2026-02-30T18:00:00Z\n", "/spec/at", "no such time"),
    ("  reason: over\n  when: now\n", "/spec/when", "unknown field"),
]


@pytest.mark.parametrize(("text", "pointer", "words"), STONES)
def test_a_bad_tombstone_is_a_problem_of_its_site(text: str, pointer: str, words: str) -> None:
    file = parse(STONE + text)
    problem = only(file)
    assert (problem.pointer, problem.site) == (pointer, "acme")
    assert words in problem.message
    assert file.tombstones == ()


FLEET = """\
apiVersion: otto/v1
kind: FleetPolicy
spec:
  limits: {window: 2h, count: 30, share: 0.2, changing: 1, reason: rebuilt every night}
  siteLimits: {count: 5, reason: our sites are big}
  collapse: {count: 5, share: 0.2}
  windows: {deny: [{cron: "0 0 20 12 *", lasts: 2w}]}
  budget: {monthly: 500}
  labels: [{match: {env: test}, ttl: 8h}]
  ttlWarnings: [10m, 1d]
  places: {lab: {accounts: [a], regions: [r], sizes: [small], resources: [lab_host]}}
  hook: {command: [/bin/true, -x], timeout: 1m}
  signatures:
    require: tags
    keys: [{ssh: ada namespaces="git" KEY}, {file: keys/ada.asc}, {openpgp: "PGP"}]
    revoked: [KEY]
    tags: v*
    content: true
""".replace("KEY", KEY).replace("PGP", PGP.replace("\n", "\\n"))


def test_a_fleets_policy_with_everything_set() -> None:
    assert parse_fleet_policy("policy.yaml", FLEET.encode()) == (
        FleetPolicy(
            limits=FleetLimits(7200.0, 30.0, 0.2, 1.0, "rebuilt every night"),
            site_limits=Limits(count=5.0, reason="our sites are big"),
            collapse=Collapse(5, 0.2),
            windows=Windows((Window(allow=False, cron="0 0 20 12 *", lasts=14 * 86_400.0),)),
            budget=Budget(500.0),
            labels=(LabelDefault({"env": "test"}, 28_800.0),),
            ttl_warnings=(86_400.0, 600.0),
            places={"lab": Place(("a",), ("r",), ("small",), ("lab_host",))},
            hook=Hook(("/bin/true", "-x"), 60.0),
            signatures=Signatures(
                Demand.TAGS,
                (
                    KnownKey(ssh=f'ada namespaces="git" {KEY}'),
                    KnownKey(file="keys/ada.asc"),
                    KnownKey(openpgp=PGP),
                ),
                (KEY,),
                "v*",
                content=True,
            ),
        ),
        (),
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "apiVersion: otto/v1\nkind: FleetPolicy\nspec: {}\n"])
def test_a_fleets_policy_that_says_nothing_is_the_default_one(text: str) -> None:
    assert parse_fleet_policy("policy.yaml", text.encode()) == (FleetPolicy(), ())


FLEETS = [
    ("  limits: {count: 30}\n", "/spec/limits/reason", 'missing field "reason"'),
    ("  siteLimits: {share: 1}\n", "/spec/siteLimits/reason", 'missing field "reason"'),
    ("  ttlWarnings: [0m]\n", "/spec/ttlWarnings/0", "no time at all"),
    ("  labels: [{match: {}, ttl: 8h}]\n", "/spec/labels/0/match", "may not be empty"),
    ("  places: {azure: {}}\n", "/spec/places/azure", "unknown field"),
    ("  hook: {command: []}\n", "/spec/hook/command", "may not be empty"),
    ("  hook: {command: [conftest]}\n", "/spec/hook/command/0", "absolute path"),
    ("  hook: {command: [/bin/true], timeout: 1h}\n", "/spec/hook/timeout", "too long"),
    ("  windows: {allow: [{cron: x, lasts: 1h}]}\n", "/spec/windows/allow/0/cron", "not written"),
    ("  rollout: {wave: 0}\n", "/spec/rollout/wave", "too small"),
    ("  rollout: {wave: 200%}\n", "/spec/rollout/wave", "not written"),
    ("  rollout: {canary: {env: test}}\n", "/spec/rollout/canary", "unknown field"),
    ("  rollout: {canaries: {'a b': c}}\n", "/spec/rollout/canaries/a b", "name is not allowed"),
    ("  signatures: {keys: [{file: a}]}\n", "/spec/signatures/require", "missing field"),
    ("  signatures: {require: all, keys: [{file: a}]}\n", "/spec/signatures/require", "not known here"),
    (f"  signatures: {COMMITS}, keys: []}}\n", "/spec/signatures/keys", "may not be empty"),
    (f"  signatures: {COMMITS}, keys: [{{}}]}}\n", "/spec/signatures/keys/0", "said in one way"),
    (
        f"  signatures: {COMMITS}, keys: [{{file: a, ssh: ada {KEY}}}]}}\n",
        "/spec/signatures/keys/0",
        "one way",
    ),
    (
        f"  signatures: {COMMITS}, keys: [{{ssh: {KEY}}}]}}\n",
        "/spec/signatures/keys/0/ssh",
        "no line of allowed",
    ),
    (f"  signatures: {COMMITS}, keys: [{{openpgp: x}}]}}\n", "/spec/signatures/keys/0/openpgp", "no OpenPGP"),
    (f"  signatures: {COMMITS}, keys: [{{file: a}}], tags: v*}}\n", "/spec/signatures/tags", "require: tags"),
    (
        f"  signatures: {COMMITS}, keys: [{{file: a}}], revoked: [x]}}\n",
        "/spec/signatures/revoked/0",
        "no SSH",
    ),
]


@pytest.mark.parametrize(("text", "pointer", "words"), FLEETS)
def test_a_bad_fleets_policy_says_where(text: str, pointer: str, words: str) -> None:
    policy, problems = parse_fleet_policy(
        "policy.yaml", f"apiVersion: otto/v1\nkind: FleetPolicy\nspec:\n{text}".encode()
    )
    assert policy is None
    (problem,) = problems
    assert problem.pointer == pointer
    assert problem.line == 4
    assert words in problem.message


def test_kinds_lie_where_they_belong() -> None:
    problem = only(parse(FLEET))
    assert "does not belong here" in problem.message
    assert "policy.file" in problem.mend
    _, problems = parse_fleet_policy("policy.yaml", spec())
    assert "does not belong here" in problems[0].message
    assert "one policy" in parse_fleet_policy("policy.yaml", f"{FLEET}---\n{FLEET}".encode())[1][0].message


def test_validate_knows_all_kinds(tmp_path: Path) -> None:
    for name, text in (("policy", FLEET), ("stone", STONE + "  reason: over\n")):
        (tmp_path / f"{name}.yaml").write_text(text)
    assert validate_paths([tmp_path], cwd=tmp_path).problems == ()
    (tmp_path / "policy.yaml").write_text(FLEET.replace("2h", "two"))
    (problem,) = validate_paths([tmp_path], cwd=tmp_path).problems
    assert problem.pointer == "/spec/limits/window"
