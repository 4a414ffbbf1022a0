"""Who is let in with a token and who without; what is refused, and what the record says of it."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
import structlog
from starlette.requests import Request

from otto.api import addresses
from otto.api.gate import LOCAL
from otto.api.guesses import Guesses
from otto.api.problems import Kind, ProblemError
from otto.api.refusals import Refusals
from otto.api.tokengate import GateOptions, TokenGate
from otto.decide import tokens
from otto.model.caller import Caller, Scope, TokenWish
from otto.model.errors import TransientError
from otto.model.history import AuditEntry
from otto.model.saying import Speaker
from otto.telemetry.metrics import Metrics
from otto.telemetry.redaction import Redactor
from otto.testing import START, FakeClock, MemoryLedger, MemoryTokens

FAR = "192.0.2.7"


def secret_of(number: int) -> str:
    return tokens.secret_of(bytes([number]) * 32)


class Door:
    """A gate, and the time before it."""

    def __init__(self, **options: Any) -> None:
        self.clock = FakeClock()
        self.tokens, self.ledger = MemoryTokens(), MemoryLedger()
        self.metrics = Metrics()
        how = GateOptions(**({"guesses": 3, "window": 60.0, "plain": True} | options))
        self.gate = TokenGate(
            self.tokens, self.ledger, how, self.clock.now, self.clock.monotonic, counted=self.metrics
        )

    async def make(self, number: int = 1, scope: Scope = Scope.READ, **changes: Any) -> str:
        secret = secret_of(number)
        given: dict[str, Any] = {"name": f"t{number}", "labels": {}, "lasting": timedelta(days=1)} | changes
        speaker = Speaker("ann", self.clock.now(), "ann")
        wish = TokenWish(scope=scope, **given)
        await self.tokens.add(
            tokens.issue(wish, f"{number:012x}", secret, speaker, longest=timedelta(days=10))
        )
        return secret

    async def ask(
        self,
        token: str | None = None,
        client: str = FAR,
        method: str = "GET",
        scheme: str = "http",
        **headers: str,
    ) -> Caller:
        told = [("host", "127.0.0.1:7070")] if "host" not in headers else []
        told += [(name.replace("_", "-"), value) for name, value in headers.items()]
        if token is not None:
            told.append(("authorization", f"Bearer {token}"))
        return await self.gate.admit(
            Request(
                {
                    "type": "http",
                    "method": method,
                    "scheme": scheme,
                    "path": "/site",
                    "query_string": b"",
                    "server": ("127.0.0.1", 7070),
                    "client": (client, 1),
                    "headers": [(name.encode(), value.encode()) for name, value in told],
                }
            )
        )

    async def refused(self, *words: Any, **more: Any) -> ProblemError:
        with pytest.raises(ProblemError) as caught:
            await self.ask(*words, **more)
        return caught.value

    @property
    def entries(self) -> list[AuditEntry]:
        return [record.entry for record in self.ledger.log]


async def test_a_token_lets_its_holder_in_with_what_it_allows() -> None:
    door = Door()
    secret = await door.make(scope=Scope.OPERATE, labels={"team": "web"}, name="ci")
    caller = await door.ask(secret)
    assert caller == Caller("ci", Scope.OPERATE, {"team": "web"}, f"{1:012x}", FAR)
    assert door.entries == []


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
async def test_the_scheme_is_read_as_the_rules_say(scheme: str) -> None:
    door = Door()
    secret = await door.make()
    caller = await door.ask(authorization=f"{scheme} {secret}")
    assert caller.name == "t1"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic b3R0bzp4", "Bearer nonsense", "Bearer " + "x" * 100_000, "Token otto_x"],
)
async def test_what_is_no_token_is_refused_with_a_challenge(authorization: str) -> None:
    door = Door()
    error = await door.refused(authorization=authorization)
    assert error.kind is Kind.UNAUTHENTICATED
    assert error.headers["www-authenticate"].startswith("Bearer")
    assert authorization[:20] not in error.detail or not authorization


async def test_two_tokens_at_once_are_none() -> None:
    door = Door()
    secret = await door.make()
    error = await door.refused(secret, authorization=f"Bearer {secret}")
    assert error.kind is Kind.UNAUTHENTICATED


async def test_an_unknown_token_is_told_like_a_mistyped_one() -> None:
    door = Door()
    unknown, mistyped = await door.refused(secret_of(9)), await door.refused(secret_of(9)[:-1] + "x")
    assert unknown.detail == mistyped.detail == "the token does not count"


async def test_an_expired_token() -> None:
    door = Door()
    secret = await door.make(lasting=timedelta(hours=1))
    await door.ask(secret)
    door.clock.move(3600)
    error = await door.refused(secret)
    assert (error.kind, error.detail) == (Kind.UNAUTHENTICATED, f"the token {1:012x} has expired")


async def test_a_revoked_token_counts_for_less_than_a_second() -> None:
    door = Door()
    secret = await door.make()
    await door.ask(secret)
    await door.tokens.revoke(f"{1:012x}", door.clock.now())
    door.clock.move(1.0)
    error = await door.refused(secret)
    assert error.detail == f"the token {1:012x} was revoked"


async def test_a_busy_token_is_looked_up_once_a_second() -> None:
    door = Door()
    secret = await door.make()
    for _ in range(100):
        await door.ask(secret)
    assert door.tokens.failures.count("by_digest") == 1
    door.clock.move(1.0)
    await door.ask(secret)
    assert door.tokens.failures.count("by_digest") == 2


async def test_use_is_marked_every_few_minutes_and_a_store_that_fails_lets_in_all_the_same() -> None:
    door = Door()
    secret = await door.make()
    for _ in range(10):
        await door.ask(secret)
        door.clock.move(60)
    (known,) = await door.tokens.all()
    assert known.used_at == START + timedelta(minutes=5)
    assert door.tokens.failures.count("used") == 2
    door.tokens.failures.next("used", TransientError("the disk is full"))
    door.clock.move(600)
    assert (await door.ask(secret)).name == "t1"


async def test_guessing_locks_an_address_out_and_no_other() -> None:
    door = Door()
    for number in range(3):
        assert (await door.refused(secret_of(100 + number))).kind is Kind.UNAUTHENTICATED
    error = await door.refused(secret_of(110))
    assert (error.kind, error.headers["retry-after"]) == (Kind.TOO_MANY, "60")
    assert (await door.refused(secret_of(111), client="192.0.2.8")).kind is Kind.UNAUTHENTICATED
    door.clock.move(60)
    assert (await door.refused(secret_of(112))).kind is Kind.UNAUTHENTICATED


async def test_guesses_lockouts_and_refusals_are_counted() -> None:
    door = Door()
    for number in range(5):
        await door.refused(secret_of(number + 10))
    door.clock.move(60)
    await door.refused("no token of ours")
    await door.refused()

    def counted(name: str, **labels: str) -> float | None:
        return door.metrics.registry.get_sample_value(f"otto_api_{name}_total", labels)

    assert (counted("guesses"), counted("lockouts")) == (4, 1)
    assert counted("refusals", kind="unauthenticated") == 5
    assert counted("refusals", kind="too-many-requests") == 2


async def test_a_good_token_is_not_found_out_while_its_address_is_locked_out() -> None:
    door = Door()
    secret = await door.make()
    for number in range(3):
        await door.refused(secret_of(100 + number))
    assert (await door.refused(secret)).kind is Kind.TOO_MANY
    assert door.tokens.failures.count("by_digest") == 3


async def test_who_was_let_in_lately_stays_in_beside_a_guesser() -> None:
    door = Door()
    secret = await door.make()
    await door.ask(secret)
    for number in range(4):
        await door.refused(secret_of(100 + number))
    assert (await door.ask(secret)).name == "t1"


def test_guesses_are_remembered_within_bounds() -> None:
    clock = FakeClock()
    guesses = Guesses(2, 60.0, clock.monotonic, remembered=100)
    for number in range(1000):
        for _ in range(2):
            guesses.add(f"g{number}")
    assert guesses.wait("g999") == 60.0
    assert guesses.wait("g0") == 0.0
    assert len(guesses._times) == 100
    clock.move(60)
    assert guesses.wait("g999") == 0.0


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_needs_no_token(client: str) -> None:
    caller = await Door().ask(client=client)
    assert (caller.name, caller.scope, caller.token, dict(caller.labels)) == (LOCAL, Scope.ADMIN, "", {})


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ({"anonymous": False}, {"client": "127.0.0.1"}),
        ({}, {"client": FAR}),
        ({}, {"client": "127.0.0.1", "host": "otto.example"}),
        ({}, {"client": "127.0.0.1", "host": ""}),
        ({}, {"client": "127.0.0.1", "x_forwarded_for": "127.0.0.1"}),
        ({}, {"client": "127.0.0.1", "forwarded": "for=127.0.0.1"}),
        ({"proxies": addresses.networks("127.0.0.1", "")}, {"client": "127.0.0.1", "x_forwarded_for": FAR}),
    ],
)
async def test_whoever_else_comes_without_one_stays_out(
    options: dict[str, Any], more: dict[str, str]
) -> None:
    error = await Door(**options).refused(**more)
    assert error.kind is Kind.UNAUTHENTICATED
    assert error.headers["www-authenticate"] == 'Bearer realm="OttO"'


async def test_a_name_of_ours_that_is_set() -> None:
    door = Door(hosts=("otto.internal",))
    assert (await door.ask(client="127.0.0.1", host="OTTO.internal:7070")).name == LOCAL


async def test_a_token_that_others_could_read_is_refused() -> None:
    door = Door(plain=False, proxies=addresses.networks("10.1.0.1", ""))
    secret = await door.make()
    error = await door.refused(secret)
    assert error.kind is Kind.FORBIDDEN
    assert "plain HTTP" in error.detail
    assert (await door.ask(secret, scheme="https")).name == "t1"
    assert (await door.ask(secret, client="127.0.0.1")).name == "t1"
    proxied = await door.ask(secret, client="10.1.0.1", x_forwarded_for=FAR, x_forwarded_proto="https")
    assert proxied.address == FAR
    assert (await door.refused(secret, client="10.1.0.1", x_forwarded_for=FAR)).kind is Kind.FORBIDDEN
    assert (await door.ask(secret, client="127.0.0.1")).address == "127.0.0.1"
    for proto in ("http", ""):
        passed_on = {"x_forwarded_for": FAR, "x_forwarded_proto": proto}
        assert (await door.refused(secret, client="127.0.0.1", **passed_on)).kind is Kind.FORBIDDEN
    assert (await door.refused(secret, x_forwarded_proto="https")).kind is Kind.FORBIDDEN


async def test_a_refusal_is_on_record_with_nothing_that_was_sent() -> None:
    door = Door()
    secret = secret_of(9)
    await door.refused(secret)
    (entry,) = door.entries
    assert (entry.who, entry.what, entry.reason) == ("api", "refuse", "the token does not count")
    assert entry.summary == "1 request refused, the last one GET /site"
    assert entry.detail == {"kind": "unauthenticated", "from": FAR, "count": "1"}
    assert secret not in repr(entry)


async def test_many_refusals_are_few_records_with_their_number() -> None:
    door = Door(guesses=10_000)
    for _ in range(50):
        await door.refused(secret_of(9))
    door.clock.move(60)
    await door.refused(secret_of(9))
    assert [entry.detail["count"] for entry in door.entries] == ["1", "50"]


async def test_those_who_never_come_again_are_counted_all_the_same() -> None:
    door = Door(guesses=10_000)
    for _ in range(50):
        await door.refused(secret_of(9))
    await door.gate._refusals.settle()  # as it does by itself, after a minute
    assert [entry.detail["count"] for entry in door.entries] == ["1"]
    door.clock.move(60)
    for _ in range(2):
        await door.gate._refusals.settle()
    assert [entry.detail["count"] for entry in door.entries] == ["1", "49"]


async def test_a_controller_that_stops_leaves_no_refusal_unrecorded() -> None:
    door = Door(guesses=10_000)
    for _ in range(3):
        await door.refused(secret_of(9))
    door.ledger.failures.next("append", TransientError("the disk is full"))
    await door.gate.settle()
    await door.gate.settle()
    assert [entry.detail["count"] for entry in door.entries] == ["1", "2"]


async def test_strangers_do_not_use_up_the_record_of_those_who_have_a_name() -> None:
    door = Door(guesses=10_000)
    for number in range(500):
        await door.refused(client=f"10.0.{number // 250}.{number % 250}")
    request = Request({"type": "http", "method": "POST", "path": "/x", "headers": [], "query_string": b""})
    ci = Caller("ci", Scope.READ, token="t", address=FAR)
    await door.gate.refused(ci, request, ProblemError(Kind.FORBIDDEN, "this needs the scope admin"))
    assert [entry.who for entry in door.entries].count("ci") == 1


async def test_what_was_sent_neither_steers_a_terminal_nor_tells_a_token() -> None:
    door, secret = Door(), secret_of(9)
    refusals = Refusals(door.ledger, door.clock.now, door.clock.monotonic, Redactor(()).scrub)
    await refusals.note("unauthenticated", "", FAR, "no", f"GET /\x1b[31m\u202e\n{secret}")
    (entry,) = door.entries
    assert entry.summary.isprintable()
    assert secret not in entry.summary


async def test_no_crowd_of_addresses_fills_the_disk_and_all_are_counted() -> None:
    door = Door(guesses=10_000)
    for number in range(5000):
        await door.refused(client=f"10.{number // 250}.{number % 250}.1")
    assert len(door.entries) == 240
    await door.gate._refusals.settle()
    assert len(door.entries) == 241
    assert door.entries[-1].detail == {"count": "3760"}  # 1000 are kept in mind, with whom they came from
    assert len(door.gate._refusals._told) <= 1000
    door.clock.move(3600)
    await door.refused(client="10.0.0.1")
    assert len(door.entries) == 242


async def test_who_may_not_do_something_is_on_record_by_name() -> None:
    door = Door()
    secret = await door.make(name="ci")
    caller = await door.ask(secret)
    request = Request(
        {"type": "http", "method": "POST", "path": "/desk/thaw", "headers": [], "query_string": b""}
    )
    await door.gate.refused(caller, request, ProblemError(Kind.FORBIDDEN, "this needs the scope admin"))
    (entry,) = door.entries
    assert (entry.who, entry.reason) == ("ci", "this needs the scope admin")
    assert entry.summary == "1 request refused, the last one POST /desk/thaw"


async def test_a_record_that_cannot_be_written_lets_nobody_in() -> None:
    door = Door()
    door.ledger.failures.next("append", TransientError("the disk is full"))
    assert (await door.refused(secret_of(9))).kind is Kind.UNAUTHENTICATED


async def test_tokens_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    door = Door()
    good, bad = await door.make(), secret_of(9)
    with structlog.testing.capture_logs() as logs, caplog.at_level(logging.DEBUG):
        await door.ask(good)
        await door.refused(bad)
        door.tokens.failures.next("used", TransientError("no"))
        door.clock.move(600)
        await door.ask(good)
    told = repr(logs) + caplog.text
    assert "the token does not count" in told
    for secret in (good, bad):
        assert secret.removeprefix("otto_")[:10] not in told
        assert secret not in repr(door.gate)


def test_refusals_count_what_the_record_did_not_hear() -> None:
    clock, ledger = FakeClock(), MemoryLedger()
    refusals = Refusals(ledger, clock.now, clock.monotonic)

    async def story() -> None:
        for _ in range(3):
            await refusals.note("forbidden", "ci", FAR, "no", "GET /x")
        await refusals.note("forbidden", "bob", FAR, "no", "GET /x")
        clock.move(61)
        await refusals.note("forbidden", "ci", FAR, "no", "GET /x")

    asyncio.run(story())
    assert [(item.entry.who, item.entry.detail["count"]) for item in ledger.log] == [
        ("ci", "1"),
        ("bob", "1"),
        ("ci", "3"),
    ]
