"""Policy tests from files: YAML or JSON, each document a case or a list of cases.

A case is a mapping of `name`, `plan` or `planFile`, `policy` and/or `site`, `fleet`, `history`, `now` and
`expect`.
What is part of a spec is read as specs are, so that a policy that no spec may hold is no test either.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from otto.adapters.specs import build, explain, semantics
from otto.adapters.specs.compose import documents
from otto.adapters.specs.decode import decode
from otto.adapters.specs.document import Document, Flaw, Stop, Value, find
from otto.adapters.specs.limits import SpecLimits
from otto.adapters.specs.parse import problem
from otto.adapters.specs.policy import fleet_policy
from otto.adapters.specs.scalar import Odd
from otto.adapters.specs.schema import API_VERSION, kind
from otto.adapters.specs.text import choices, did_you_mean, quoted, safe
from otto.decide.plandata import plan_of
from otto.decide.policytest import VERDICTS, Expectation, PolicyCase
from otto.model.errors import OttoError
from otto.model.history import History
from otto.model.plan import Plan
from otto.model.policy import Effective, FleetPolicy, Policy
from otto.model.problem import Problem
from otto.model.reading import read

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When a case is judged that does not say when: a Thursday, at noon."""

_LIMITS = SpecLimits(size=8 * 1024 * 1024, values=1_000_000)
_FIELDS = ("name", "plan", "planFile", "policy", "site", "fleet", "history", "now", "expect")
_EXPECT = ("verdict", "rules")
_Path = tuple[str | int, ...]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PolicyCases:
    """What was read: the cases, and everything that is wrong with the files."""

    cases: tuple[PolicyCase, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_cases(paths: Sequence[Path]) -> PolicyCases:
    """Read files of cases; never raises for what they say.

    Args:
        paths: the files. Other files that they name are looked for beside them.
    """
    cases: list[PolicyCase] = []
    problems: list[Problem] = []
    for path in paths:
        name = safe(str(path), 200)
        try:
            for document in _documents(path):
                found, wrong = _cases(document, path)
                cases += found
                problems += (problem(name, flaw) for flaw in wrong)
        except Stop as stop:
            problems.append(problem(name, stop.flaw))
    if not cases and not problems:
        problems.append(Problem(safe(str(paths[0]), 200), 0, 0, "", "there is no case in it"))
    return PolicyCases(tuple(cases), tuple(problems))


def _documents(path: Path) -> list[Document]:
    return list(documents(decode(_bytes(path)), _LIMITS))


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LIMITS.size + 1)
    except OSError as error:
        raise Stop(Flaw(0, 0, f"this file cannot be read: {error.strerror}")) from error
    if len(data) > _LIMITS.size:
        raise Stop(Flaw(0, 0, "this file is too big", allowed=f"at most {_LIMITS.size} bytes"))
    return data


def _cases(document: Document, path: Path) -> tuple[list[PolicyCase], list[Flaw]]:
    cases, wrong = [], list(document.flaws)
    single = not isinstance(document.value, list)
    values = [document.value] if single else document.value
    for number, value in enumerate(values if isinstance(values, list) else ()):
        where: _Path = () if single else (number,)
        if value is None:
            continue
        try:
            cases.append(_Case(document, where, path).read())
        except Stop as stop:
            wrong.append(stop.flaw)
    return ([], wrong) if document.flaws else (cases, wrong)


class _Case:
    """One case that is being read; raises `Stop` with the first thing that is wrong."""

    def __init__(self, document: Document, where: _Path, path: Path) -> None:
        self._top = find(document.place, where)
        value = document.value[where[0]] if where else document.value  # type: ignore[index]
        if not isinstance(value, dict):
            self._stop((), "a case has to be a mapping", found=explain.kind_of(value))
        self._value: dict[str, Value] = value
        self._path = path

    def read(self) -> PolicyCase:
        self._known((), self._value, _FIELDS)
        plan = self._plan()
        return PolicyCase(
            name=self._name(plan),
            plan=plan,
            policy=Effective(self._policy(), self._fleet()),
            history=self._history(),
            now=self._now(),
            expected=self._expected(),
            file=safe(str(self._path), 200),
            line=self._top.line,
        )

    def _name(self, plan: Plan) -> str:
        name = self._value.get("name", f"{plan.site} {plan.digest[:12]}")
        if not isinstance(name, str):
            self._stop(("name",), "this has to be text", found=explain.kind_of(name))
        return safe(name, 120)

    def _plan(self) -> Plan:
        given = [name for name in ("plan", "planFile") if name in self._value]
        if len(given) != 1:
            self._stop(
                (), 'a case has either "plan" or "planFile"', mend="take what `otto plan SITE --json` prints"
            )
        at: _Path = (given[0],)
        data = plain(self._value["plan"]) if given == ["plan"] else self._json(self._other(at))
        return self._made(at, lambda: plan_of(data))

    def _policy(self) -> Policy:
        document = self._document(("site",), "Site") if "site" in self._value else None
        if "policy" in self._value:
            document = self._with_policy(document)
        if document is None:
            return Policy()
        value = self._valid("Site", document)
        return build.site(value, str(self._path), self._top.line).policy

    def _valid(self, name: str, document: Document) -> dict[str, Any]:
        """A document with its defaults filled in."""
        known = kind(name)
        flaws = [*document.flaws, *explain.flaws(known, document, 10)] or semantics.flaws(document)
        if flaws:
            self._blame(name, document, flaws[0])
        value: Any = document.value
        return known.filled(value)

    def _blame(self, name: str, document: Document, flaw: Flaw) -> NoReturn:
        """Say what is wrong with a document: where it stands, or where the file is named that holds it."""
        field = name.removesuffix("Policy").lower()
        joined = name == "Site" and "policy" in self._value and not document.flaws
        ours = joined and flaw.path[:2] == ("spec", "policy")
        if ours or not isinstance(self._value.get(field), str):
            raise Stop(flaw)
        self._stop((field,), f"line {flaw.line}: {flaw.message}", found=flaw.found, mend=flaw.mend)

    def _with_policy(self, document: Document | None) -> Document:
        """A spec that holds the case's policy: the case's own, or else the least there is.

        A document that is wrong anyhow is left as it is.
        """
        document = document or Document(_LEAST, self._top._replace(items=None))
        value: Any = document.value
        spec = value.get("spec")
        if document.flaws or not isinstance(spec, dict):
            return document
        around = document.place
        inner = find(around, ("spec",))
        places = inner.items if isinstance(inner.items, dict) else {}
        spec_place = inner._replace(items={**places, "policy": find(self._top, ("policy",))})
        tops = around.items if isinstance(around.items, dict) else {}
        merged = {**value, "spec": {**spec, "policy": self._value["policy"]}}
        return Document(merged, around._replace(items={**tops, "spec": spec_place}))

    def _fleet(self) -> FleetPolicy:
        if "fleet" not in self._value:
            return FleetPolicy()
        return fleet_policy(self._valid("FleetPolicy", self._document(("fleet",), "FleetPolicy")))

    def _document(self, at: _Path, wanted: str) -> Document:
        """A document that stands in the case, or in the file that it names."""
        value = self._value[str(at[0])]
        if isinstance(value, str):
            found = [item for item in self._named(at, self._other(at), _documents) if item.value is not None]
            if len(found) != 1:
                self._stop(at, "that file holds not one document", found=quoted(value))
            document = found[0]
        else:
            document = Document(value, find(self._top, at))
        header = document.value if isinstance(document.value, dict) else {}
        if (header.get("apiVersion"), header.get("kind")) != (API_VERSION, wanted):
            mend = f"begin it with apiVersion: {API_VERSION} and kind: {wanted}"
            self._stop(at, f"this is no document of the kind {wanted}", mend=mend)
        return document

    def _named(self, at: _Path, path: Path, take: Callable[[Path], T]) -> T:
        """What is taken from another file; what is wrong with it is told where it is named."""
        try:
            return take(path)
        except Stop as stop:
            flaw = stop.flaw
            self._stop(at, f"{safe(path.name)}: {flaw.message}", found=flaw.found, allowed=flaw.allowed)

    def _history(self) -> History:
        data = plain(self._value.get("history", {}))
        if not isinstance(data, dict):
            self._stop(("history",), "this has to be fields (a mapping)")
        self._known(("history",), data, tuple(item.name for item in fields(History)))
        return self._made(("history",), lambda: read(History, data))

    def _now(self) -> datetime:
        data = plain(self._value.get("now", NOON.isoformat()))
        return self._made(("now",), lambda: read(datetime, data))

    def _expected(self) -> Expectation:
        data = plain(self._value.get("expect"))
        if not isinstance(data, dict) or not data:
            self._stop(("expect",), "a case has to say what it expects", allowed=choices(_EXPECT))
        self._known(("expect",), data, _EXPECT)
        expected = self._made(("expect",), lambda: read(Expectation, data))
        if expected.verdict not in ("", *VERDICTS):
            meant = did_you_mean(expected.verdict, VERDICTS)
            mend = f'did you mean "{meant}"?' if meant else ""
            found = quoted(expected.verdict)
            at = ("expect", "verdict")
            self._stop(at, "there is no such verdict", found=found, allowed=choices(VERDICTS), mend=mend)
        return expected

    def _other(self, at: _Path) -> Path:
        """The file that a field names, beside the file of the case."""
        name = self._value[str(at[0])]
        if not isinstance(name, str) or not name or "\0" in name:
            self._stop(at, "this has to be the path of a file", found=explain.kind_of(name))
        return self._path.parent / name

    def _json(self, path: Path) -> object:
        data = self._named(("planFile",), path, _bytes)
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            self._stop(("planFile",), f"{safe(str(path), 200)} is not JSON")

    def _known(self, at: _Path, value: Mapping[str, object], known: Sequence[str]) -> None:
        for key in value:
            if key not in known:
                meant = did_you_mean(key, known)
                mend = f'did you mean "{meant}"?' if meant else "remove it"
                self._stop((*at, key), f"unknown field {quoted(key)}", allowed=choices(known), mend=mend)

    def _made(self, at: _Path, make: Callable[[], T]) -> T:
        try:
            return make()
        except OttoError as error:
            self._stop(at, safe(error.message, 300), mend=error.mend)

    def _stop(
        self, at: _Path, message: str, *, found: str = "", allowed: str = "", mend: str = ""
    ) -> NoReturn:
        place = find(self._top, at)
        line, column = place.key or (place.line, place.column)
        raise Stop(Flaw(line, column, message, found=found, allowed=allowed, mend=mend, path=at))


_LEAST: dict[str, Value] = {
    "apiVersion": API_VERSION,
    "kind": "Site",
    "metadata": {"name": "case"},
    "spec": {"content": {"path": "sites/case"}},
}


def plain(value: Value) -> object:
    """A value as JSON has it: times and numbers that YAML may read otherwise are taken as they stand."""
    if isinstance(value, Odd):
        return _odd(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def _odd(value: Odd) -> object:
    try:
        return float(value.text) if "e" in value.text.lower() else value.text
    except ValueError:
        return value.text
