"""What to ask a site to see that it works, and what to make of the answers."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from otto.model.desired import Desired
from otto.model.host import Endpoint
from otto.model.observed import CheckFailure, InfrastructureState
from otto.model.probing import Answer, NoAnswer, ProbeRequest, ProbeResult
from otto.model.spec import Algorithm, Check, Role

REVISION_PATH = "/.well-known/otto-revision"
SERVER_HEADER = "x-otto-server"
STATISTICS_PORT = 8404
STATISTICS_PATH = "/stats;csv"
OK = 200
_EXCERPT = 120
_REVISION = "revision"
# Bad gateway, unavailable, gateway timeout: who should answer does not yet (RFC 9110, 15.6.3 to 15.6.5).
_NOT_READY = frozenset({502, 503, 504})
# With these the balancer shows every server to one client sooner or later; the others pin a client.
_SPREADING = frozenset({Algorithm.ROUNDROBIN, Algorithm.LEASTCONN, Algorithm.RANDOM})


@dataclass(frozen=True, slots=True)
class Question:
    """One request and what its answer has to be."""

    check: str
    target: str
    request: ProbeRequest
    want: Check
    server: str = ""


def questions(desired: Desired, state: InfrastructureState) -> tuple[Question, ...]:
    """Requests whose answers can be judged one by one: every web server directly, every check outside.

    A site without web servers is as desired when it serves nothing, so nothing is asked of it as a visitor.
    """
    return (*_direct(desired, state), *_through(desired, state))


def serves_nothing(desired: Desired) -> bool:
    """Whether a site has no web servers, as is wished: nothing for visitors is then as desired."""
    return not desired.host_names(Role.WEB)


def _direct(desired: Desired, state: InfrastructureState) -> Iterable[Question]:
    want = Check(REVISION_PATH, OK, desired.content)
    for host in state.of(Role.WEB):
        for domain in desired.spec.domains or ("",):
            request = ProbeRequest(host.address, host.http_port, REVISION_PATH, domain, want.timeout)
            yield Question(_REVISION, host.name, request, want, host.name)


def glances(desired: Desired, state: InfrastructureState, timeout: float) -> tuple[Question, ...]:
    """The fewest requests that show whether every web server, and the balancer in front, does its work.

    Args:
        desired: the site.
        state: its hosts and endpoints.
        timeout: seconds each request may take.
    """
    want = Check(REVISION_PATH, OK, desired.content, timeout=timeout)
    domain = next(iter(desired.spec.domains), "")
    direct = (
        Question(
            _REVISION,
            host.name,
            ProbeRequest(host.address, host.http_port, REVISION_PATH, domain, timeout),
            want,
            host.name,
        )
        for host in state.of(Role.WEB)
    )
    through = (
        Question(
            REVISION_PATH,
            endpoint.url,
            ProbeRequest(endpoint.address, endpoint.port, REVISION_PATH, domain, timeout),
            want,
        )
        for endpoint in _asked(desired, state)
    )
    return (*direct, *through)


def directly(desired: Desired, state: InfrastructureState, names: Collection[str]) -> tuple[Question, ...]:
    """Every check, asked of some hosts themselves: web servers, or balancers as visitors reach them."""
    checks = (Check(REVISION_PATH, OK, desired.content), *desired.spec.checks)
    questions = []
    for host in state.hosts:
        if host.name not in names:
            continue
        server = host.name if host.role is Role.WEB else ""
        port = host.http_port
        for domain in desired.spec.domains or ("",):
            for check in checks if server or not serves_nothing(desired) else ():
                request = ProbeRequest(host.address, port, check.path, domain, check.timeout)
                name = _REVISION if check.path == REVISION_PATH else check.path
                questions.append(Question(name, host.name, request, check, server))
    return tuple(questions)


def _asked(desired: Desired, state: InfrastructureState) -> tuple[Endpoint, ...]:
    """Where visitors' requests are made. Without servers the balancer answers 503, and rightly."""
    return () if serves_nothing(desired) else state.endpoints


def _through(desired: Desired, state: InfrastructureState) -> Iterable[Question]:
    revision = Check(REVISION_PATH, OK, desired.content)
    for endpoint in _asked(desired, state):
        for domain in desired.spec.domains or ("",):
            for check in (revision, *desired.spec.checks):
                request = ProbeRequest(endpoint.address, endpoint.port, check.path, domain, check.timeout)
                yield Question(check.path, endpoint.url, request, check)


def asks_the_same(one: Desired, other: Desired) -> bool:
    """Whether two wishes promise visitors the same, so that what is asked for one answers for the other."""
    return _promised(one) == _promised(other)


def _promised(desired: Desired) -> tuple[object, ...]:
    spec = desired.spec
    return desired.content, spec.checks, spec.domains, spreads(desired), serves_nothing(desired)


def is_meant(result: ProbeResult) -> bool:
    """Whether an answer is what a server has to say, and not that it, or who is behind it, is not ready."""
    return isinstance(result, Answer) and result.status not in _NOT_READY


def judge(question: Question, result: ProbeResult) -> CheckFailure | None:
    """What is wrong with an answer, None when it is as it should be."""
    if isinstance(result, NoAnswer):
        return _failure(question, f"HTTP {question.want.status}", result.reason)
    wrong = _wrong(question, result)
    return _failure(question, *wrong) if wrong else None


def _wrong(question: Question, answer: Answer) -> tuple[str, str] | None:
    want = question.want
    if answer.status != want.status:
        return f"HTTP {want.status}", f"HTTP {answer.status}"
    if want.contains and want.contains not in answer.body:
        return f"a body that contains {want.contains!r}", _quoted(answer.body)
    for name, value in want.headers.items():
        have = answer.headers.get(name.lower())
        if have != value:
            return f"header {name}: {value}", f"{name}: {have}" if have is not None else "no such header"
    served_by = answer.headers.get(SERVER_HEADER, "")
    if question.server and served_by != question.server:
        return f"an answer by {question.server}", f"an answer by {served_by or 'an unknown server'}"
    return None


def shows_revision(failure: CheckFailure, revision: str | None) -> bool:
    """Whether what failed is that a host serves this revision, in order, and not the one that is wanted."""
    return revision is not None and failure.check == _REVISION and failure.received == _quoted(revision)


def _quoted(body: str) -> str:
    return repr(body[:_EXCERPT])


def _failure(question: Question, expected: str, received: str) -> CheckFailure:
    host = question.server
    return CheckFailure(question.check, question.target, str(question.request), expected, received, host)


def spreads(desired: Desired) -> bool:
    """Whether one client can see the balancer spread over all servers."""
    return desired.spec.algorithm in _SPREADING


def spread_failure(
    target: str, request: ProbeRequest, want: frozenset[str], seen: Mapping[str, int]
) -> CheckFailure | None:
    """Every server has to have answered at least once through the balancer."""
    missing = sorted(want - seen.keys())
    if not missing:
        return None
    asked = sum(seen.values())
    had = ", ".join(f"{name} {count}" for name, count in sorted(seen.items())) or "no answers"
    return CheckFailure("spread", target, f"{asked} x {request}", f"a share for {', '.join(missing)}", had)


def unreachable(endpoint: Endpoint) -> CheckFailure:
    """What visitors get while no balancer runs; they need not be asked to know it."""
    request = ProbeRequest(endpoint.address, endpoint.port, REVISION_PATH)
    received = "no balancer that answers"
    return CheckFailure(REVISION_PATH, endpoint.url, str(request), f"HTTP {OK}", received)


def statistics_failures(
    target: str, request: ProbeRequest, result: ProbeResult, want: frozenset[str]
) -> tuple[CheckFailure, ...]:
    """Haproxy's own statistics have to call every server UP (haproxy management guide, 9.1, CSV)."""
    if not isinstance(result, Answer) or result.status != OK:
        received = result.reason if isinstance(result, NoAnswer) else f"HTTP {result.status}"
        return (CheckFailure("statistics", target, str(request), "haproxy's statistics", received, target),)
    try:
        have = server_states(result.body)
    except csv.Error as error:
        received = f"no CSV ({error}): {result.body[:_EXCERPT]!r}"
        return (CheckFailure("statistics", target, str(request), "haproxy's statistics", received, target),)
    wrong = {name: have.get(name, "not a server") for name in want if not have.get(name, "").startswith("UP")}
    return tuple(
        CheckFailure("statistics", target, str(request), "UP", _excerpt(state), target, name)
        for name, state in sorted(wrong.items())
    )


def _excerpt(text: str) -> str:
    """The beginning of a text from outside, fit to be shown."""
    return text[:_EXCERPT] if text.isprintable() else repr(text[:_EXCERPT])


def server_states(text: str) -> dict[str, str]:
    """Server name -> status from haproxy's CSV; totals of front and back ends left out.

    Raises:
        csv.Error: it is no CSV.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
    return {
        row["svname"]: row.get("status") or "unknown"
        for row in rows
        if row.get("svname") and row["svname"] not in ("FRONTEND", "BACKEND")
    }


Answers = Mapping[str, tuple[int, int]]
"""Server -> how many answers it gave visitors, and how many of them were HTTP 5xx; over all balancers."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Answers that servers gave visitors, and how many of them were errors."""

    total: int
    errors: int

    @property
    def share(self) -> float:
        """Errors as a share of all answers, 0 where there are none."""
        return self.errors / self.total if self.total else 0.0


def answers(texts: Iterable[str]) -> Answers:
    """What balancers' statistics count of each server (management guide, 9.1: `hrsp_*`); no CSV, no count."""
    found: dict[str, tuple[int, int]] = {}
    for text in texts:
        try:
            rows = list(csv.DictReader(io.StringIO(text.removeprefix("# "))))
        except csv.Error:
            continue
        for row in rows:
            name = row.get("svname") or ""
            if name in ("", "FRONTEND", "BACKEND"):
                continue
            total, errors = found.get(name, (0, 0))
            counts = [_count(row.get(f"hrsp_{digit}xx")) for digit in "12345"]
            found[name] = (total + sum(counts), errors + counts[-1])
    return found


def errors_since(before: Answers, after: Answers, names: Iterable[str]) -> Errors:
    """What servers answered between two looks. A balancer that was reloaded meanwhile began at 0 again."""
    total = errors = 0
    for name in names:
        first, now = before.get(name, (0, 0)), after.get(name, (0, 0))
        if now[0] < first[0] or now[1] < first[1]:
            first = (0, 0)
        total += now[0] - first[0]
        errors += now[1] - first[1]
    return Errors(total, errors)


def _count(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
