"""Questions can be sent, and their answers come back as they were."""

import importlib
import pkgutil
from dataclasses import fields, is_dataclass
from typing import Any, cast

import pytest

import otto.desk
from otto.api.shapes import shape_of
from otto.desk.inspecting import Judgement
from otto.desk.question import Question
from otto.desk.questions import QUESTIONS
from otto.model.caller import Scope
from otto.model.canonical import canonical, load
from otto.model.domain import DomainSpec
from otto.model.reading import read, reader
from otto.model.spec import Provider
from otto.model.verdict import Allowed, NeedsApproval, Reason, Refused, Verdict, Waiting
from otto.testing import START

KINDS = sorted(QUESTIONS.items())
REASON = Reason("guard.replace", "a host would go")


def kinds() -> set[type[Question[Any]]]:
    found = set()
    for module in pkgutil.iter_modules(otto.desk.__path__, "otto.desk."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Question) and value is not Question:
                found.add(value)
    return found


def test_every_question_can_be_asked() -> None:
    assert set(QUESTIONS.values()) == kinds()
    assert len(QUESTIONS) == len(set(QUESTIONS.values()))


@pytest.mark.parametrize(("word", "kind"), KINDS)
def test_it_says_what_it_takes_and_what_it_gives(word: str, kind: type[Question[Any]]) -> None:
    assert word.replace("-", "").isalnum()
    assert isinstance(kind.scope, Scope)
    assert kind.patience > 0
    assert is_dataclass(cast("Any", kind))
    reader(cast("Any", kind))
    reader(cast("Any", kind.answers()))
    assert shape_of(kind)["type"] == "object"
    assert shape_of(kind.answers())


@pytest.mark.parametrize(("word", "kind"), KINDS)
def test_it_reads_back_as_it_was_sent(word: str, kind: type[Question[Any]]) -> None:
    needed = {"site": "acme", "digest": "12", "reason": "why", "items": ("a",), "seconds": 5.0, "id": "p1"}
    needed |= {
        "sites": ("acme", "shop"),
        "image": "nginx",
        "name": "ci",
        "scope_word": "read",
        "token": "0123",
        "names": ("nginx",),
        "providers": (Provider.LAB,),
        "digests": ("sha256:12",),
        "zone": "example.org",
        "spec": DomainSpec("example.org"),
    }
    values = {field.name: needed[field.name] for field in fields(cast("Any", kind)) if field.name in needed}
    question = kind(**values)
    assert read(kind, load(canonical(question))) == question


@pytest.mark.parametrize(
    "verdict",
    [
        Allowed((REASON,)),
        NeedsApproval((REASON,), 1, 2),
        Refused((REASON,), (REASON,)),
        Waiting((REASON,), START),
    ],
)
def test_verdicts_are_told_apart(verdict: Verdict) -> None:
    packed = Judgement.of(verdict)
    assert read(Judgement, load(canonical(packed))).verdict == verdict


@pytest.mark.parametrize(("word", "kind"), KINDS)
def test_what_changes_anything_needs_more_than_reading(word: str, kind: type[Question[Any]]) -> None:
    seeing = kind.__name__.startswith(("See", "Greet", "Inspect", "Walk"))
    assert (kind.scope is Scope.READ) is seeing or kind.__name__ == "SeeTokens"
