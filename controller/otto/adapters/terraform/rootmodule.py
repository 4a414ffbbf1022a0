"""The root module generated for a site, as Terraform's JSON configuration syntax."""

import json
from collections.abc import Iterable, Mapping

from otto.adapters.terraform.backend import LiveResource, Module
from otto.model.canonical import Data

CALL = "site"
PREFIX = f"module.{CALL}."


def render(module: Module, source: str, variables: Iterable[str]) -> str:
    """The root module: one call of the provider's module, its variables and outputs passed through.

    Args:
        module: the provider's module.
        source: the module's path relative to the working folder. A relative path is used in place; an
            absolute one would be copied by `init` and go stale.
        variables: names of the module's variables.
    """
    names = sorted(variables)
    root: dict[str, object] = {
        "terraform": {
            "required_providers": {name: dict(need) for name, need in module.required_providers.items()},
            "backend": {"local": {"path": "terraform.tfstate"}},
        },
        "variable": {name: {"sensitive": True} if name in module.sensitive else {} for name in names},
        "module": {CALL: {"source": source} | {name: f"${{var.{name}}}" for name in names}},
        "output": {name: {"value": f"${{{PREFIX}{name}}}"} for name in module.outputs},
    }
    if module.configuration:
        root["provider"] = {name: _literal(dict(of)) for name, of in module.configuration.items()}
    return _text(root)


def imports(resources: Iterable[LiveResource]) -> str:
    """Import blocks for resources that the state lacks."""
    blocks = [{"to": PREFIX + item.address, "id": _literal(item.id)} for item in resources]
    return _text({"import": sorted(blocks, key=lambda block: str(block["to"]))})


def values(variables: Mapping[str, Data]) -> str:
    """A file of variable values."""
    return _text(dict(variables))


def _literal(value: Data) -> Data:
    """A value whose strings Terraform takes as they are: `${` and `%{` begin templates."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, dict):
        return {name: _literal(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return value


def _text(content: object) -> str:
    return json.dumps(content, indent=2, sort_keys=True) + "\n"
