"""Spec texts to test with."""

import json
from typing import Any

from otto.adapters.specs import YamlSpecs
from otto.model.catalogue import SpecFile
from otto.model.problem import Problem

MINIMAL: dict[str, Any] = {
    "apiVersion": "otto/v1",
    "kind": "Site",
    "metadata": {"name": "hello"},
    "spec": {"content": {"path": "sites/hello"}},
}


def spec(name: str = "hello", **fields: object) -> bytes:
    """A spec as JSON, which is YAML."""
    return json.dumps(
        MINIMAL | {"metadata": {"name": name}, "spec": {"content": {"path": f"sites/{name}"}, **fields}}
    ).encode()


def parse(text: str | bytes, path: str = "specs/hello.yaml") -> SpecFile:
    return YamlSpecs().parse(path, text.encode() if isinstance(text, str) else text)


def only(file: SpecFile) -> Problem:
    assert len(file.problems) == 1, [str(problem) for problem in file.problems]
    return file.problems[0]
