"""Documents of kind Host: what they may say, and what no two of them may say together."""

from typing import Any

import pytest
import yaml

from otto.adapters.specs import YamlSpecs
from otto.decide.catalogue import assemble, touched
from otto.decide.pushed import judge
from otto.model.catalogue import Catalogue
from otto.model.spec import Role

from .writing import MINIMAL

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIgVGQ7OWaHr3vAZXoRWLSoMHdWhQKjN4f5yyEMiSAcg"


def document(name: str = "old1", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "otto/v1",
        "kind": "Host",
        "metadata": {"name": name},
        "spec": {"address": "192.0.2.20", "hostKey": KEY, **spec},
    }


def catalogue(*documents: dict[str, Any], machines: Any = None) -> Catalogue:
    text = yaml.safe_dump_all([MINIMAL, *documents])
    return assemble(
        "c", {"specs/a.yaml": YamlSpecs().parse("specs/a.yaml", text.encode())}, machines=machines
    )


def wrong(*documents: dict[str, Any]) -> list[str]:
    found = catalogue(*documents)
    return [
        f"{problem.pointer}: {problem.message}" for some in found.host_problems.values() for problem in some
    ]


def test_a_declared_machine_has_its_defaults() -> None:
    found = catalogue(document(site="hello"))
    assert not found.host_problems
    (spec,) = found.hosts.values()
    assert (spec.name, spec.site, spec.role) == ("old1", "hello", Role.WEB)
    assert (spec.ssh_port, spec.http_port, spec.ssh_user) == (22, 80, "root")
    assert found.problems == {}


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "old1.example.org", "old1", "10.0.0.7"])
def test_addresses_that_a_machine_can_have(address: str) -> None:
    # Documentation ranges count as any other.
    assert wrong(document(address=address)) == []


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "localhost", "a.localhost", "0.0.0.0", "::1", "::ffff:127.0.0.1", "169.254.169.254"),
        *("224.0.0.1", "300.1.1.1", "1.2.3", "-x", "a..b", "a b", "x;reboot", "$(id)", "::g", "fe80::1"),
    ],
)
def test_addresses_that_no_machine_can_have(address: str) -> None:
    assert wrong(document(address=address))


@pytest.mark.parametrize(
    "changes",
    [
        {"hostKey": "ssh-ed25519 short"},
        {"hostKey": f"{KEY}\nevil"},
        {"hostKey": f"@cert-authority * {KEY}"},
        {"role": "web"},
        {"site": "hello", "role": "database"},
        {"sshPort": 0},
        {"sshUser": "root"},
    ],
)
def test_what_a_machine_cannot_say_of_itself(changes: dict[str, Any]) -> None:
    assert wrong(document(**changes))


def test_names_of_hosts_that_otto_makes_are_taken() -> None:
    (problem,) = wrong(document("hello-web-9"))
    assert problem == "/metadata/name: names like this are those of hosts that OttO makes"


def test_names_machines_and_sites_have_to_be_right_together() -> None:
    assert (
        wrong(document(), document(address="192.0.2.21"))
        == ['/metadata/name: the host "old1" is declared twice, so neither is used'] * 2
    )
    assert (
        wrong(document(), document("old2"))
        == ["/spec/address: the machine at 192.0.2.20 is declared more than once"] * 2
    )
    assert wrong(document(site="nobody")) == ['/spec/site: there is no site "nobody" to serve']


def test_a_host_may_be_called_as_a_site_is() -> None:
    found = catalogue(document("hello"))
    assert set(found.sites) == set(found.hosts) == {"hello"}


def test_a_machine_that_comes_or_goes_touches_its_site() -> None:
    before, after = catalogue(), catalogue(document(site="hello"))
    assert touched(before, after, frozenset()) == {"hello"}
    assert touched(after, before, frozenset()) == {"hello"}
    assert touched(before, catalogue(document()), frozenset()) == frozenset()
    assert "  accepted  host old1  serves hello" in judge(before, after, frozenset()).lines
    assert any("removed   host old1" in line for line in judge(after, before, frozenset()).lines)


def test_a_machine_in_a_file_that_cannot_be_read_is_held_and_no_site_of_its_name_comes() -> None:
    held = catalogue(document()).hosts
    text = f"kind: Host\nmetadata:\n  name: old1\nspec: [\n"
    found = assemble("c", {"specs/a.yaml": YamlSpecs().parse("specs/a.yaml", text.encode())}, machines=held)
    assert set(found.host_problems) == {"old1"}
    assert found.problems == {}
