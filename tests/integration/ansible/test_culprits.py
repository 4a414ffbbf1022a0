# ruff: noqa: ASYNC220, ASYNC221  (local processes of a test)
"""Who or what keeps changing a host, as that host tells it."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from otto.model.host import Host
from otto.model.progress import silent

from .conftest import Site
from .fleet import Fleet, podman

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ansible")]

CONF = "/etc/nginx/nginx.conf"
TIMER = """
printf '#!/bin/sh\\necho "# again" >>%s\\n' {conf} >/usr/local/bin/tweak
chmod +x /usr/local/bin/tweak
printf '[Service]\\nType=oneshot\\nExecStart=/usr/local/bin/tweak\\n' >/etc/systemd/system/tweak.service
printf '[Timer]\\nOnActiveSec=0\\nAccuracySec=1ms\\n' >/etc/systemd/system/tweak.timer
systemctl daemon-reload
systemctl start tweak.timer
until grep -q again {conf}; do sleep 0.05; done
until [ "$(systemctl show -p ActiveState --value tweak.service)" = inactive ]; do sleep 0.05; done
"""
NO_TIMER = """
systemctl stop tweak.timer
rm -f /usr/local/bin/tweak /etc/systemd/system/tweak.service /etc/systemd/system/tweak.timer
systemctl daemon-reload
"""
# A reload returns while sshd still has its port to close and open again; a restart waits, and keeps sessions.
RESTARTED = "systemctl restart ssh"
CRON = "* * * * * root sed -i s/a/b/ {conf} --password=hush\\n"


@contextmanager
def mended(fleet: Fleet, host: Host, undo: str) -> Iterator[None]:
    """Keep a host's configuration as it is now."""
    fleet.ssh(host, f"cp -p {CONF} /var/tmp/kept.conf")
    try:
        yield
    finally:
        fleet.ssh(host, f"{undo}\nmv /var/tmp/kept.conf {CONF}")


async def test_a_timer_that_edits_a_file_is_named(ready: Site) -> None:
    fleet, (web, other) = ready.fleet, ready.fleet.web
    with mended(fleet, web, NO_TIMER):
        fleet.ssh(web, TIMER.format(conf=CONF))
        found = await ready.ansible.culprits((web, other), {web.name: [CONF], other.name: [CONF]})
    times = r"\d\d:\d\d:\d\d UTC"
    assert re.fullmatch(rf"{CONF}: changed {times}, owner uid 0 \(root\)", found[web.name][0])
    script = "tweak.service names it by way of /usr/local/bin/tweak"
    pattern = rf"{CONF}: {script}, started by tweak.timer, last ran {times}"
    assert any(re.fullmatch(pattern, line) for line in found[web.name]), found
    assert not any("tweak" in line or "of cron" in line for line in found[other.name]), found
    assert not any("nginx.service" in line for line in found[other.name]), "it is to use its configuration"


async def test_a_table_of_cron_is_named_and_its_secrets_are_not(ready: Site) -> None:
    fleet, web = ready.fleet, ready.fleet.web[0]
    table = "/etc/cron.d/tweak"
    with mended(fleet, web, f"rm -f {table}"):
        fleet.ssh(web, f"mkdir -p /etc/cron.d; printf '{CRON.format(conf=CONF)}' >{table}")
        found = await ready.ansible.culprits((web,), {web.name: [CONF]})
    assert f"{CONF}: {table} of cron names it" in found[web.name]
    assert "hush" not in str(found)


@contextmanager
def anna(fleet: Fleet, host: Host, folder: Path) -> Iterator[list[str]]:
    """Somebody else who may log in and become root; how she calls the host."""
    key = folder / "anna"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True, timeout=20)
    home, public = "/home/anna/.ssh", key.with_suffix(".pub").read_text().strip()
    fleet.ssh(
        host,
        f"useradd -m -p x -s /bin/sh anna && mkdir {home} && echo {public} >{home}/authorized_keys\n"
        "echo 'anna ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/anna\n"
        f"echo 'AllowUsers anna' >/etc/ssh/sshd_config.d/30-anna.conf; {RESTARTED}",
    )
    known = f"UserKnownHostsFile={fleet.folder / 'known_hosts'}"
    try:
        yield [
            "ssh",
            "-F",
            "none",
            "-i",
            str(key),
            "-o",
            known,
            "-o",
            "IdentitiesOnly=yes",
            f"anna@{host.address}",
        ]
    finally:
        fleet.ssh(host, f"rm -f /etc/sudoers.d/anna /etc/ssh/sshd_config.d/30-anna.conf; {RESTARTED}")
        fleet.ssh(host, "userdel -f -r anna 2>/dev/null")


async def test_an_edit_in_a_session_shows_who_logged_in(ready: Site, tmp_path: Path) -> None:
    fleet, web = ready.fleet, ready.fleet.web[0]
    edit = f"echo '# mine' | sudo tee -a {CONF} && echo done && exec sleep 60"
    with mended(fleet, web, ""), anna(fleet, web, tmp_path) as call:
        session = subprocess.Popen([*call, edit], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        try:
            assert session.stdout is not None
            assert session.stdout.readline() == b"# mine\n"
            assert session.stdout.readline() == b"done\n"
            found = (await ready.ansible.culprits((web,), {web.name: [CONF]}))[web.name]
        finally:
            session.kill()
            session.communicate()
    fingerprint = subprocess.run(
        ["ssh-keygen", "-lf", tmp_path / "anna.pub"], capture_output=True, text=True, check=True, timeout=20
    ).stdout.split()[1]
    text = "\n".join(found)
    assert f"by sudo of anna: /usr/bin/tee -a {CONF}" in text
    assert "session of anna over SSH (notty)" in text
    assert f"login of anna from {fleet.gateway} with {fingerprint} at " in text
    ours = [line for line in found if line.startswith("login of otto")]
    assert ours
    assert all(line.endswith("(as OttO does)") for line in ours), found
    assert not any("otto.fact" in line for line in found)


async def test_a_host_that_does_not_answer_says_so_and_holds_nobody_up(ready: Site) -> None:
    fleet, (web, paused) = ready.fleet, ready.fleet.web
    await ready.facts((web, paused))
    podman("pause", fleet.container("web-2"))
    began = time.monotonic()
    try:
        ghost = replace(web, name="ghost", address=f"{fleet.subnet}.99")
        hosts = (web, paused, ghost, fleet.balancers[0])
        found = await ready.ansible.culprits(hosts, {host.name: ["/nowhere/at/all"] for host in hosts[:3]})
    finally:
        podman("unpause", fleet.container("web-2"))
    assert time.monotonic() - began < 20
    assert found[paused.name] == found["ghost"] == ("does not answer",)
    assert found[web.name][0] == "/nowhere/at/all: missing, and its folder too"
    assert found[fleet.balancers[0].name] == ()


async def test_a_process_that_holds_a_file_and_odd_names_are_told(ready: Site) -> None:
    fleet, web = ready.fleet, ready.fleet.web[0]
    odd = "/tmp/a'b\"$(touch /tmp/owned)\\\n\u202e.conf"
    start = f"systemd-run -q --unit=holder sh -c 'exec 9>>{CONF}; exec sleep 60'"
    with mended(fleet, web, "systemctl stop holder"):
        fleet.ssh(web, f"{start}; until ls -l /proc/[0-9]*/fd/9 2>/dev/null | grep -q {CONF}; do :; done")
        found = (await ready.ansible.culprits((web,), {web.name: [CONF, odd, "relative", "/nul\0"]}))[
            web.name
        ]
    pattern = rf"{CONF}: open for writing in process \d+ \(sleep\) of uid 0 \(root\) in holder.service"
    assert any(re.fullmatch(pattern, line) for line in found), found
    assert all(line.isprintable() for line in found)
    assert any(line.startswith("/tmp/a'b") for line in found)
    assert fleet.ssh(web, "test -e /tmp/owned || echo no").strip() == "no"
    again = await ready.ansible.configure(ready.request(hosts=(web,)), silent)
    assert not again.failed
