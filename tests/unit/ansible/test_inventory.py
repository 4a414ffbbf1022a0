"""Inventories and pinned keys, read back by the tools they are for."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from otto.adapters.ansible import host_variables, listing
from otto.adapters.ansible.inventory import control_path, fault, group_name, run_inventory, ssh_arguments
from otto.adapters.ansible.known_hosts import hashed, key_of, known_hosts, name_of
from otto.adapters.ansible.options import control_folder
from otto.model.errors import TerminalError
from otto.model.host import Host
from otto.model.spec import Role

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHYhqIktOxmvyxgHcvrz7uoym0JWqUipZcXsE6o9KiCD"
WEB = Host("shop-web-1", Role.WEB, "id1", "127.0.0.1", "10.203.1.11", 40022, "otto", 40080, KEY)
BALANCER = Host("shop-balancer-1", Role.BALANCER, "id2", "10.203.1.2", "10.203.1.2", 22, "otto", 80, KEY)


def salt(length: int) -> bytes:
    return bytes(range(length))


@pytest.mark.parametrize("host", [WEB, BALANCER])
def test_ssh_finds_the_pinned_key(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(known_hosts(host, salt))
    name = name_of(host.address, host.ssh_port)
    found = subprocess.run(
        ["ssh-keygen", "-F", name, "-f", file], capture_output=True, text=True, timeout=10, check=True
    ).stdout
    assert str(key_of(host)) in found
    assert host.address not in file.read_text(), "the name is hashed"


def test_a_port_of_its_own_belongs_to_the_name() -> None:
    assert name_of("::1", 2222) == "[::1]:2222"
    assert name_of("10.0.0.1", 22) == "10.0.0.1"
    assert hashed("a", b"x") != hashed("a", b"y")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (KEY, KEY),
        (f"{KEY} root@host", KEY),
        (f"  {KEY}\n", KEY),
        ("", None),
        ("ssh-ed25519", None),
        (f"{KEY}\n{KEY}", KEY),
        ('command="x" ssh-ed25519 AAAA', None),
    ],
)
def test_keys_lose_their_comment_or_are_refused(line: str, key: str | None) -> None:
    host = replace(WEB, host_key=line)
    assert key_of(host) == key
    assert known_hosts(host, salt).endswith(f" {key}\n" if key else "")
    assert known_hosts(host, salt).count("\n") == bool(key)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"name": "web[1:9]"}, "name"),
        ({"name": "-oProxyCommand=x"}, "name"),
        ({"address": "-oProxyCommand=x"}, "address"),
        ({"address": "a b"}, "address"),
        ({"ssh_user": "x;y"}, "user"),
        ({"host_key": ""}, "key"),
    ],
)
def test_hosts_that_could_mislead_ssh_are_refused(change: dict[str, str], word: str) -> None:
    assert word in fault(replace(WEB, **change))  # type: ignore[arg-type]
    assert fault(WEB) == fault(BALANCER) == ""


def test_ansible_reads_the_inventory_and_evaluates_nothing_in_it(tmp_path: Path) -> None:
    hostile = "{{ lookup('ansible.builtin.pipe', 'id') }}"
    text = run_inventory(
        (WEB, BALANCER),
        {"shop-web-1": {"otto_domains": ["a.example", hostile], "n": 1}},
        key=tmp_path / "key",
        known_hosts={"shop-web-1": tmp_path / "a b", "shop-balancer-1": tmp_path / "c"},
        control=tmp_path,
    )
    file = tmp_path / "inventory.yml"
    file.write_text(text)
    environment = {"ANSIBLE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    program = shutil.which("ansible-inventory", path=str(Path(yaml.__file__).parents[4] / "bin"))
    assert program is not None
    done = subprocess.run(
        [program, "-i", file, "--list"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=True,
    )
    said = json.loads(done.stdout)
    assert said["web"]["hosts"] == ["shop-web-1"]
    assert said["balancer"]["hosts"] == ["shop-balancer-1"]
    variables = said["_meta"]["hostvars"]["shop-web-1"]
    assert hostile in json.dumps(variables["otto_domains"])
    assert (variables["ansible_port"], variables["n"]) == (40022, 1)
    assert text.count("!unsafe") >= 8


def test_paths_with_spaces_and_percents_survive_ssh() -> None:
    assert ssh_arguments(Path("/a b/50%/k")) == """-o 'UserKnownHostsFile="/a b/50%%/k"'"""


def test_a_new_host_at_an_old_address_gets_a_connection_of_its_own() -> None:
    other = replace(WEB, host_key=KEY.replace("AAAAIHY", "AAAAIHX"))
    paths = {control_path(Path("/c"), host) for host in (WEB, other, BALANCER)}
    assert len(paths) == 3
    assert control_path(Path("/c"), replace(WEB, host_key=f"{KEY} comment")) in paths


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's, wherever the suite's own folders are."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="otto-") as folder:
        yield Path(folder)


def test_control_sockets_always_fit(short: Path) -> None:
    assert control_folder(short / "c") == short / "c"
    deep = short / ("d" * 60) / ("e" * 60)
    folder = control_folder(deep)
    try:
        assert folder == control_folder(deep) != control_folder(short / "c")
        assert len(str(folder)) < 73
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        folder.rmdir()


def test_a_folder_of_somebody_else_is_refused(short: Path) -> None:
    (short / "real").mkdir()
    (short / "link").symlink_to(short / "real")
    with pytest.raises(TerminalError):
        control_folder(short / "link")


def test_the_listing_follows_the_dynamic_inventory_convention() -> None:
    said = listing({"shop": [WEB, BALANCER], "my-blog": []})
    assert said["web"] == {"hosts": ["shop-web-1"]}
    assert said["site_shop"] == {"hosts": ["shop-balancer-1", "shop-web-1"]}
    assert said["site_my_blog"] == {"hosts": []}
    assert said["_meta"] == {
        "hostvars": {host.name: host_variables("shop", host) for host in (BALANCER, WEB)}
    }
    assert host_variables("shop", WEB)["ansible_port"] == 40022
    assert group_name("a-b.c") == "site_a_b_c"
    json.dumps(said)
