"""Rules of the roles that are data: what may be a domain or an address, what the fact watches."""

import re
from typing import Any

import pytest
import yaml

from .conftest import ANSIBLE


def defaults(role: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ANSIBLE / "roles" / role / "defaults" / "main.yml").read_text()))


@pytest.mark.parametrize(
    "name", ["a.example", "localhost", "*.a.example", "xn--bcher-kva.example", "1.2.example"]
)
def test_domains(name: str) -> None:
    assert re.match(defaults("nginx")["nginx_domain_pattern"], name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "a;b",
        'a"',
        "a\\",
        "a{b}",
        "$host",
        "~^.*$",
        "_",
        "a..b",
        "-a.example",
        "a-.example",
        "a.example.",
        "*",
        "*.*.a",
        "A.example",
        "ä.example",
        "a" * 64,
        "a\nb",
        "a.example\n",
        "{{ 1 }}",
        "#a",
    ],
)
def test_no_domains(name: str) -> None:
    assert not re.match(defaults("nginx")["nginx_domain_pattern"], name)


@pytest.mark.parametrize(
    "pattern", [("base", "base_address_pattern"), ("haproxy", "haproxy_address_pattern")]
)
def test_addresses(pattern: tuple[str, str]) -> None:
    expression = defaults(pattern[0])[pattern[1]]
    for good in ("10.0.0.1", "::1", "2001:db8::7", "::ffff:10.0.0.1"):
        assert re.match(expression, good)
    for bad in ("", "10.0.0", "a.example", "10.0.0.1; x", "10.0.0.1\n", "::1 x", "{{ 1 }}", "1.2.3.4 }"):
        assert not re.match(expression, bad), bad


def test_every_file_a_role_writes_is_watched() -> None:
    for role in ("base", "nginx", "haproxy"):
        watched = set(defaults(role)[f"{role}_managed_files"])
        tasks = "".join(path.read_text() for path in (ANSIBLE / "roles" / role / "tasks").glob("*.yml"))
        written = set(re.findall(r"- path: (/\S+)", tasks))
        # The fact reports its own digest, and reads the two that seal a host.
        own = {"/etc/ansible/facts.d/otto.fact", "/etc/otto/managed.json", "/etc/otto/configuration.json"}
        assert written - own == watched


def test_every_part_has_a_tag_of_its_name() -> None:
    """The adapter asks for parts by tag; a tag that names nothing would silently do nothing."""
    (play,) = yaml.safe_load((ANSIBLE / "site.yml").read_text())
    tagged = {task["tags"][-1]: task for task in play["tasks"]}
    assert list(tagged) == ["base", "nginx", "haproxy", "seal", "content"]
    for name, task in tagged.items():
        assert task["when"] == f"'{name}' in site_roles"
        assert task["tags"] == (["content"] if name == "content" else ["configure", name])


def test_no_role_uses_a_shell_or_a_collection() -> None:
    for path in (ANSIBLE / "roles").rglob("*.yml"):
        text = path.read_text()
        assert "ansible.builtin.shell" not in text
        assert not re.search(r"^\s+(community|ansible\.posix|ansible\.utils)\.", text, re.MULTILINE), path


def test_security_updates_leave_what_otto_looks_after() -> None:
    text = (ANSIBLE / "roles/base/templates/upgrades.conf.j2").read_text()
    blocked = re.findall(r'^\s+"([a-z-]+)";', text.partition("Package-Blacklist")[2], re.MULTILINE)
    for package in ("nginx", "nginx-common", "libnginx-mod-http-geoip", "haproxy"):
        assert any(re.match(pattern, package) for pattern in blocked)
    assert "-security,label=Debian-Security" in text
