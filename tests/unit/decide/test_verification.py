from dataclasses import replace
from typing import Any

import pytest

from otto.decide import verification
from otto.decide.verification import REVISION_PATH, Question
from otto.model.observed import Seen
from otto.model.probing import Answer, NoAnswer, ProbeRequest, ProbeResult
from otto.model.spec import Algorithm, Check, Role

from .simulation import built, desired, spec

WANT = Check("/", 200, "hello", {"X-Thing": "1"})
QUESTION = Question("/", "host", ProbeRequest("10.0.0.1", 80, "/"), WANT, "hello-web-1")
GOOD = {"x-thing": "1", "x-otto-server": "hello-web-1"}
CSV = """# pxname,svname,status,
web,FRONTEND,OPEN,
site,hello-web-1,UP,
site,hello-web-2,DOWN,
site,BACKEND,UP,
"""


@pytest.mark.parametrize(
    ("answer", "received"),
    [
        (Answer(200, GOOD, "say hello"), None),
        (Answer(503, GOOD, "say hello"), "HTTP 503"),
        (Answer(200, GOOD, "bye"), "'bye'"),
        (Answer(200, {"x-otto-server": "hello-web-1"}, "hello"), "no such header"),
        (Answer(200, GOOD | {"x-thing": "2"}, "hello"), "X-Thing: 2"),
        (Answer(200, GOOD | {"x-otto-server": "other"}, "hello"), "an answer by other"),
        (NoAnswer("connection refused"), "connection refused"),
    ],
)
def test_an_answer_is_judged_by_status_body_headers_and_server(
    answer: ProbeResult, received: str | None
) -> None:
    failure = verification.judge(QUESTION, answer)
    assert (failure.received if failure else None) == received
    if failure:
        assert failure.request == "GET http://10.0.0.1/"


def test_every_server_is_asked_for_every_domain_and_every_check_through_the_balancer() -> None:
    seen = built()
    assert isinstance(seen.infrastructure, Seen)
    wish = desired(spec(domains=("a.test", "b.test"), checks=(Check("/x"),)))
    asked = verification.questions(wish, seen.infrastructure.value)
    direct = {(q.target, q.request.host) for q in asked if q.check == "revision"}
    assert direct == {(f"hello-web-{n}", d) for n in (1, 2) for d in ("a.test", "b.test")}
    through = {(q.request.path, q.request.host) for q in asked if q.check != "revision"}
    assert through == {(path, d) for path in (REVISION_PATH, "/x") for d in ("a.test", "b.test")}


def test_a_server_without_a_share_is_named() -> None:
    request = ProbeRequest("10.0.0.2", 80, REVISION_PATH)
    want = frozenset({"hello-web-1", "hello-web-2"})
    assert verification.spread_failure("e", request, want, {"hello-web-1": 2, "hello-web-2": 2}) is None
    failure = verification.spread_failure("e", request, want, {"hello-web-1": 4})
    assert failure is not None
    assert failure.expected == "a share for hello-web-2"
    assert failure.received == "hello-web-1 4"


@pytest.mark.parametrize(
    ("algorithm", "shows"),
    [(Algorithm.ROUNDROBIN, True), (Algorithm.SOURCE, False), (Algorithm.FIRST, False)],
)
def test_only_some_algorithms_show_the_spread_to_one_client(algorithm: Algorithm, *, shows: bool) -> None:
    assert verification.spreads(desired(spec(algorithm=algorithm))) is shows


def test_haproxys_statistics_have_to_call_every_server_up() -> None:
    request = ProbeRequest("10.0.0.2", 8404, "/stats;csv")
    want = frozenset({"hello-web-1", "hello-web-2", "hello-web-3"})
    found = verification.statistics_failures("b", request, Answer(200, {}, CSV), want)
    told = [(failure.server, failure.received) for failure in found]
    assert told == [("hello-web-2", "DOWN"), ("hello-web-3", "not a server")]
    assert verification.statistics_failures("b", request, NoAnswer("refused"), want)[0].received == "refused"
    assert verification.statistics_failures("b", request, Answer(403, {}, ""), want)[0].received == "HTTP 403"


@pytest.mark.parametrize(
    ("body", "received"),
    [
        ("svname,status\na\rb,UP\n", "no CSV (new-line character"),
        (f"svname,status\n{'x' * 131_073},UP\n", "no CSV (field larger"),
        ("\r", "not a server"),
        ("", "not a server"),
        ("svname\nhello-web-1\n", "unknown"),
        ("svname,status\nhello-web-1,\x1b[2J\u202e\n", r"'\x1b[2J\u202e'"),
        (f"svname,status\nhello-web-1,{'x' * 9999}\n", "x" * 120),
    ],
)
def test_whatever_the_statistics_hold_is_a_failure_fit_to_be_shown(body: str, received: str) -> None:
    request = ProbeRequest("10.0.0.2", 8404, "/stats;csv")
    answer = Answer(200, {}, body)
    [failure] = verification.statistics_failures("b", request, answer, frozenset({"hello-web-1"}))
    assert failure.check == "statistics"
    assert failure.received.startswith(received)
    assert failure.received.isprintable()
    assert len(failure.received) < 400


def test_nothing_is_asked_as_a_visitor_of_a_site_without_web_servers() -> None:
    seen = built()
    assert isinstance(seen.infrastructure, Seen)
    state = seen.infrastructure.value
    none = desired(spec(web=0, checks=(Check("/x"),)))
    assert verification.serves_nothing(none)
    bare = replace(state, hosts=state.of(Role.BALANCER))
    assert verification.questions(none, bare) == ()
    assert verification.glances(none, bare, 1.0) == ()
    # those that are still there have to do their work until they go
    assert {question.server for question in verification.questions(none, state)} == {
        "hello-web-1",
        "hello-web-2",
    }


def test_haproxys_statistics_are_fine_without_servers() -> None:
    request = ProbeRequest("10.0.0.2", 8404, "/stats;csv")
    answer = Answer(200, {}, "# pxname,svname,status,\nweb,FRONTEND,OPEN,\nweb,BACKEND,DOWN,\n")
    assert verification.statistics_failures("b", request, answer, frozenset()) == ()


def test_hosts_are_asked_every_check_for_every_domain_themselves() -> None:
    seen = built()
    assert isinstance(seen.infrastructure, Seen)
    wish = desired(spec(domains=("a.test", "b.test"), checks=(Check("/x"),)))
    asked = verification.directly(wish, seen.infrastructure.value, {"hello-web-2"})
    assert {(q.target, q.server, q.request.host, q.request.path) for q in asked} == {
        ("hello-web-2", "hello-web-2", domain, path)
        for domain in ("a.test", "b.test")
        for path in (REVISION_PATH, "/x")
    }
    assert len(asked) == 4


def test_a_balancer_answers_for_whichever_server_and_for_none_where_none_is_wanted() -> None:
    seen = built()
    assert isinstance(seen.infrastructure, Seen)
    names = {"hello-balancer-1"}
    asked = verification.directly(desired(), seen.infrastructure.value, names)
    assert {(q.target, q.server) for q in asked} == {("hello-balancer-1", "")}
    assert verification.directly(desired(spec(web=0)), seen.infrastructure.value, names) == ()


@pytest.mark.parametrize(
    ("result", "meant"),
    [
        (Answer(200, {}, "x"), True),
        (Answer(404, {}, "x"), True),
        (Answer(500, {}, "x"), True),
        (Answer(502, {}, "x"), False),
        (Answer(503, {}, "x"), False),
        (Answer(504, {}, "x"), False),
        (NoAnswer("connection refused"), False),
    ],
)
def test_an_answer_is_meant_unless_whoever_should_give_it_is_not_ready(
    result: ProbeResult, meant: bool
) -> None:
    assert verification.is_meant(result) is meant


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"web": 7}, True),
        ({"web": 0}, False),
        ({"checks": (Check("/x"),)}, False),
        ({"domains": ("other.test",)}, False),
        ({"algorithm": Algorithm.LEASTCONN}, True),
        ({"algorithm": Algorithm.SOURCE}, False),
    ],
)
def test_two_wishes_promise_the_same(changes: dict[str, Any], same: bool) -> None:
    assert verification.asks_the_same(desired(spec()), desired(spec(**changes))) is same
    assert not verification.asks_the_same(desired(spec()), desired(spec(**changes), content="c2"))


HEADER = "# pxname,svname,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx\n"


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ([], {}),
        ([HEADER + "web,a,1,2,3,4,5\n"], {"a": (15, 5)}),
        ([HEADER + "web,FRONTEND,9,9,9,9,9\nweb,BACKEND,9,9,9,9,9\nweb,,9,9,9,9,9\n"], {}),
        ([HEADER + "web,a,0,2,0,0,1\n", HEADER + "web,a,0,3,0,0,2\n"], {"a": (8, 3)}),
        ([HEADER + "web,a,,2,-,x,\n"], {"a": (2, 0)}),
        ([HEADER + "web,a,0,²,0,0,1\n"], {"a": (1, 1)}),
        (["# pxname,svname\nweb,a\n"], {"a": (0, 0)}),
        (["<html>", HEADER + "web,a,0,1,0,0,0\n"], {"a": (1, 0)}),
        (['# pxname,svname\nweb,"a\x00', HEADER + "web,b,0,1,0,0,0\n"], {"b": (1, 0)}),
    ],
)
def test_answers_are_counted_over_all_balancers(texts: list[str], found: dict[str, tuple[int, int]]) -> None:
    counted = verification.answers(texts)
    assert {name: counted[name] for name in found} == found


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": (10, 1)}, {"a": (30, 6)}, (20, 5)),
        ({}, {"a": (30, 6)}, (30, 6)),
        ({"a": (10, 1)}, {}, (0, 0)),
        ({"a": (100, 50)}, {"a": (30, 6)}, (30, 6)),
        ({"a": (100, 50)}, {"a": (130, 6)}, (130, 6)),
        ({"a": (0, 0), "other": (0, 0)}, {"a": (1, 0), "other": (99, 99)}, (1, 0)),
    ],
)
def test_errors_are_those_since_a_look_and_all_after_a_reload(
    before: verification.Answers, after: verification.Answers, found: tuple[int, int]
) -> None:
    errors = verification.errors_since(before, after, ["a"])
    assert (errors.total, errors.errors) == found
    assert errors.share == (found[1] / found[0] if found[0] else 0.0)
