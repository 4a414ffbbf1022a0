"""The generated root module."""

import json
from pathlib import Path
from typing import Any

from otto.adapters.terraform import environment, rootmodule
from otto.adapters.terraform.backend import LiveResource, Module
from otto.adapters.terraform.folder import Folder

MODULE = Module(
    path=Path("/modules/lab"),
    required_providers={"lab": {"source": "otto.local/otto/lab", "version": "1.0.0"}},
    configuration={"lab": {"socket": "unix:///${x}", "list": ["%{if}", 3], "nested": {"a": "$${"}}},
    environment={"LAB_KEY": "value", "TF_INPUT": "1"},
    sensitive=frozenset({"token"}),
    secrets=frozenset({"correct-horse"}),
)


def rendered(module: Module = MODULE) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(rootmodule.render(module, "../../lab", ["token", "site"]))
    return content


def test_everything_is_passed_through() -> None:
    root = rendered()
    assert root["module"]["site"] == {
        "source": "../../lab",
        "site": "${var.site}",
        "token": "${var.token}",
    }
    assert root["variable"] == {"site": {}, "token": {"sensitive": True}}
    assert root["output"]["hosts"] == {"value": "${module.site.hosts}"}
    assert root["terraform"]["required_providers"]["lab"]["version"] == "1.0.0"
    assert root["terraform"]["backend"] == {"local": {"path": "terraform.tfstate"}}


def test_values_are_no_templates() -> None:
    assert rendered()["provider"]["lab"] == {
        "socket": "unix:///$${x}",
        "list": ["%%{if}", 3],
        "nested": {"a": "$$${"},
    }
    assert "provider" not in rendered(Module(path=Path("/m")))


def test_the_order_of_variables_does_not_matter() -> None:
    names = ["web", "site", "owner"]
    assert rootmodule.render(MODULE, ".", names) == rootmodule.render(MODULE, ".", reversed(names))


def test_imports_are_sorted_and_literal() -> None:
    resources = [LiveResource('h["b"]', "id-${b}", "b"), LiveResource('h["a"]', "id-a", "a")]
    assert json.loads(rootmodule.imports(resources)) == {
        "import": [
            {"to": 'module.site.h["a"]', "id": "id-a"},
            {"to": 'module.site.h["b"]', "id": "id-$${b}"},
        ]
    }


def test_secrets_are_not_told_by_the_module() -> None:
    assert "correct-horse" not in repr(MODULE)
    assert "LAB_KEY" not in repr(MODULE)


def test_the_environment_is_an_allow_list() -> None:
    folder = Folder(Path("/var/sites/blog"))
    outside = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "TF_LOG": "trace", "TF_VAR_site": "x"}
    assert environment.build(MODULE, folder, outside) == {
        "PATH": "/bin",
        "LAB_KEY": "value",
        "TF_CLI_CONFIG_FILE": "/var/sites/blog/terraform.rc",
        "TF_DATA_DIR": "/var/sites/blog/.terraform",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }
