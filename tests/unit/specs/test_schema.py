"""The schema as a document of its own: for editors, for the tables in the docs, for later kinds."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from otto import resources
from otto.adapters.specs.schema import KINDS, kind
from otto.model.strategy import Rollout

from .writing import MINIMAL, parse, spec


def _raw(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(resources.path("schemas", KINDS[name]).read_text(encoding="utf-8"))
    return loaded


def _fields(schema: dict[str, Any], where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, part in schema.get("properties", {}).items():
        yield f"{where}/{name}", part
        yield from _fields(part, f"{where}/{name}")
    if isinstance(items := schema.get("items"), dict):
        yield from _fields(items, f"{where}/*")


def _objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if schema.get("type") == "object":
        yield schema
    for part in [*schema.get("properties", {}).values(), schema.get("items")]:
        if isinstance(part, dict):
            yield from _objects(part)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_is_a_schema_of_2020_12(name: str) -> None:
    raw = _raw(name)
    Draft202012Validator.check_schema(raw)
    assert raw["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert raw["$id"] == f"urn:otto:schema:{KINDS[name].removesuffix('.json')}:v1"


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_object_is_closed(name: str) -> None:
    for part in _objects(kind(name).schema):
        assert "additionalProperties" in part
        assert part["additionalProperties"] is False or part["additionalProperties"]["type"] == "string"


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_field_is_described_and_typed(name: str) -> None:
    for where, part in _fields(kind(name).schema):
        assert part.get("description", "").endswith("."), where
        assert "type" in part, where
        assert (
            "examples" in part
            or "enum" in part
            or "const" in part
            or "default" in part
            or "properties" in part
        )


@pytest.mark.parametrize("name", sorted(KINDS))
def test_examples_and_defaults_are_valid(name: str) -> None:
    schema = kind(name).schema
    for where, part in [("", schema), *_fields(schema)]:
        for value in [*part.get("examples", ()), *([part["default"]] if "default" in part else ())]:
            assert not list(Draft202012Validator(part).iter_errors(value)), (where, value)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_pattern_is_explained(name: str) -> None:
    for where, part in _fields(kind(name).schema):
        for governed in (part, part.get("items", {}), part.get("propertyNames", {})):
            assert "pattern" not in governed or governed["patternErrorMessage"], where


def test_the_schemas_defaults_of_a_rollout_are_the_models() -> None:
    (site,) = parse(spec()).sites
    assert site.rollout == Rollout()


def test_all_optional_fields_have_a_default_or_may_be_absent() -> None:
    content = {"path", "git", "ref"}
    policy = {"ttl", "until", "limits", "budget"}
    absent = {f"/spec/content/{name}" for name in content} | {f"/spec/policy/{name}" for name in policy}
    required = {
        "/apiVersion",
        "/kind",
        "/metadata",
        "/metadata/name",
        "/spec",
        "/spec/content",
        "/spec/checks/*/path",
        "/spec/policy/limits/reason",
        "/spec/policy/budget/monthly",
        *(
            f"/spec/policy/windows/{kind}/*/{name}"
            for kind in ("allow", "deny")
            for name in ("cron", "lasts")
        ),
        *(f"/spec/policy/drift/ignore/*/{name}" for name in ("path", "reason", "until")),
    }
    without = {where for where, part in _fields(kind("Site").schema) if "default" not in part}
    assert without == absent | required


def test_filling_in_twice_changes_nothing() -> None:
    site = kind("Site")
    once = site.filled(MINIMAL)
    assert site.filled(once) == once
    assert site.fits(once)
    assert MINIMAL["spec"] == {"content": {"path": "sites/hello"}}
