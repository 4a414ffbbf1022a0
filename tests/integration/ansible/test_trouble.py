# ruff: noqa: ASYNC220  (local files and processes of a test)
"""Everything that may go wrong: told apart, told clearly, and never harming what serves."""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from otto.adapters.ansible import Ansible
from otto.adapters.clock import SystemClock
from otto.model.configuration import HostOutcome, HostResult
from otto.model.errors import TerminalError
from otto.model.observed import Seen
from otto.model.progress import silent
from otto.model.spec import Role

from .conftest import PAGES, Site, eventually, strays
from .visitors import visiting

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ansible")]


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(roles: Path) -> None:
        text = (roles / path).read_text()
        assert old in text
        (roles / path).write_text(text.replace(old, new))

    return change


async def test_failures_are_told_apart_and_a_bad_configuration_never_goes_live(ready: Site) -> None:
    fleet = ready.fleet
    web, impostor, balancer = fleet.web[0], fleet.web[1], fleet.balancers[0]
    ghost = replace(web, name="shop-ghost", address=f"{fleet.subnet}.99")
    impostor = replace(impostor, host_key=web.host_key)
    before = await ready.facts((web, balancer))

    def spoil(roles: Path) -> None:
        edit("roles/nginx/templates/nginx.conf.j2", "server_tokens off;", "server_tokens perhaps;")(roles)
        edit("roles/haproxy/templates/haproxy.cfg.j2", "option redispatch", "option redispach")(roles)

    bad = ready.with_roles(spoil)
    async with visiting(f"http://{balancer.address}/", rate=20) as visits:
        result = await bad.configure(ready.request(hosts=(web, impostor, balancer, ghost)), silent)
    by_host = {host.host: host for host in result.hosts}
    assert [by_host[h.name].outcome for h in (web, impostor, balancer, ghost)] == [
        HostOutcome.FAILED,
        HostOutcome.UNREACHABLE,
        HostOutcome.FAILED,
        HostOutcome.UNREACHABLE,
    ]
    assert 'invalid value "perhaps"' in by_host[web.name].message
    assert "/etc/nginx/nginx.conf was left as it was" in by_host[web.name].message
    assert "nginx" in by_host[web.name].task
    assert "redispach" in by_host[balancer.name].message
    assert "does not have the SSH key that is pinned" in by_host[impostor.name].message
    assert by_host[ghost.name].message.startswith("ssh: connect to host")
    assert (visits.errors, visits.statuses) == ([], {200})
    after = await ready.facts((web, balancer))
    for host in (web, balancer):
        seen, known = after[host.name], before[host.name]
        assert isinstance(seen, Seen)
        assert isinstance(known, Seen)
        assert seen.value.files == known.value.files
        assert seen.value.services == known.value.services
    assert ".otto-" not in fleet.ssh(web, "ls -A /etc/nginx")
    await bad.close()


@pytest.mark.parametrize(
    "domain",
    [
        'a.example"; } server { listen 81; server_name "b',
        "{{ lookup('ansible.builtin.pipe', 'touch /tmp/otto-injected') }}",
    ],
)
async def test_a_hostile_domain_is_refused_and_never_executed(ready: Site, domain: str) -> None:
    marker = Path("/tmp/otto-injected")
    marker.unlink(missing_ok=True)
    request = ready.request(hosts=ready.fleet.web[:1], domains=("shop.example", domain))
    result = await ready.ansible.configure(request, silent)
    assert result.hosts[0].outcome is HostOutcome.FAILED
    assert "no host name" in result.hosts[0].message
    assert not marker.exists()
    assert "listen 81" not in ready.fleet.ssh(ready.fleet.web[0], "cat /etc/nginx/nginx.conf")


async def test_a_torn_archive_never_becomes_current(ready: Site) -> None:
    whole = ready.archive({f"{n}.html": f"{n}" * 9999 for n in range(50)}).read_bytes()
    torn = ready.folder / "torn.tar"
    torn.write_bytes(whole[: len(whole) // 2])
    web = ready.fleet.web[0]
    ready.fleet.ssh(
        web, "mkdir -p /srv/otto/releases/.torn.partial/site; touch /srv/otto/releases/.torn.partial/x"
    )
    result = await ready.deploy("torn", torn)
    assert {host.outcome for host in result.hosts} == {HostOutcome.FAILED}
    assert "archive" in result.hosts[0].message
    assert ready.fleet.ssh(web, "readlink /srv/otto/current").strip() == "releases/one"
    assert not (await ready.deploy("after", PAGES)).failed
    assert ".partial" not in ready.fleet.ssh(web, "ls -A /srv/otto/releases")


@pytest.mark.parametrize("name", ["../outside.html", "/etc/cron.d/evil"])
async def test_an_archive_cannot_leave_its_folder(ready: Site, name: str) -> None:
    result = await ready.deploy("evil", {"index.html": "x", name: "y"})
    assert {host.outcome for host in result.hosts} == {HostOutcome.FAILED}
    assert "outside the site's folder" in result.hosts[0].message
    assert "evil" not in ready.fleet.ssh(ready.fleet.web[0], "readlink /srv/otto/current; ls /etc/cron.d")


def slow(roles: Path) -> None:
    (roles / "roles/base/tasks/main.yml").write_text(
        "- name: Take long\n  ansible.builtin.command: sleep 60\n  changed_when: false\n"
    )


async def test_a_play_that_takes_too_long_is_ended_and_leaves_no_process(ready: Site) -> None:
    hasty = ready.with_roles(slow, timeout=4.0)
    result = await hasty.configure(ready.request(hosts=ready.fleet.web), silent)
    assert {host.outcome for host in result.hosts} == {HostOutcome.TIMED_OUT}
    assert "not done after 4 s" in result.hosts[0].message
    assert strays(ready.options.runs) == []
    await hasty.close()


async def test_a_task_that_takes_too_long_is_a_host_that_timed_out(ready: Site) -> None:
    def change(roles: Path) -> None:
        slow(roles)
        edit("ansible.cfg", "task_timeout = 240", "task_timeout = 2")(roles)

    hasty = ready.with_roles(change)
    result = await hasty.configure(ready.request(hosts=ready.fleet.web[:1]), silent)
    assert result.hosts[0].outcome is HostOutcome.TIMED_OUT, result
    await hasty.close()


async def test_cancelling_ends_every_process_first(ready: Site) -> None:
    lazy = ready.with_roles(slow)
    task = asyncio.create_task(lazy.configure(ready.request(hosts=ready.fleet.web), silent))
    await eventually(lambda: any("sleep" in line or "ssh" in line for line in strays(ready.options.runs)))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert strays(ready.options.runs) == []
    await lazy.close()


async def test_a_broken_playbook_is_an_error_of_ours(ready: Site) -> None:
    broken = ready.with_roles(edit("site.yml", "hosts: web:balancer\n", "hosts: [web\n"))
    with pytest.raises(TerminalError) as caught:
        await broken.configure(ready.request(), silent)
    assert "site.yml" in caught.value.detail


async def test_several_runs_at_once_do_not_meddle(ready: Site) -> None:
    one, two = ready.fleet.web
    results = await asyncio.gather(
        ready.ansible.configure(ready.request(hosts=(one,)), silent),
        ready.ansible.configure(ready.request(hosts=(two,)), silent),
        ready.facts(),
    )
    assert [result.host for result in _hosts(results[0]) + _hosts(results[1])] == [one.name, two.name]
    assert all(isinstance(seen, Seen) for seen in results[2].values())


def _hosts(result: object) -> tuple[HostResult, ...]:
    return getattr(result, "hosts", ())


CONTROLLER = """
import asyncio, pickle, sys
from otto.adapters.ansible import Ansible
from otto.adapters.clock import SystemClock
from otto.model.progress import silent
with open(sys.argv[1], "rb") as file:
    options, request = pickle.load(file)
asyncio.run(Ansible(options, SystemClock()).configure(request, silent))
"""


async def test_a_killed_controller_takes_ansible_with_it(ready: Site) -> None:
    lazy, runs = ready.with_roles(slow), ready.options.runs

    def playbooks() -> int:
        return sum("ansible-playbook" in line for line in strays(runs))

    order = ready.folder / "order"
    order.write_bytes(pickle.dumps((lazy._options, ready.request(hosts=ready.fleet.web))))
    with subprocess.Popen([sys.executable, "-c", CONTROLLER, str(order)]) as controller:
        try:
            await eventually(lambda: playbooks() == 3 and any("ssh" in line for line in strays(runs)))
        finally:
            controller.send_signal(signal.SIGKILL)
    await eventually(lambda: playbooks() < 3)  # the one that starts tasks is gone, two workers may linger
    Ansible(ready.options, SystemClock())  # the next controller clears up
    assert strays(runs) == []
    assert list(runs.glob("run-*")) == []


async def test_nothing_of_the_users_own_settings_reaches_ansible(
    ready: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {
        "ANSIBLE_CALLBACK_PLUGINS": "/nonexistent",
        "ANSIBLE_STDOUT_CALLBACK": "nonexistent",
        "ANSIBLE_CONFIG": "/nonexistent.cfg",
        "ANSIBLE_VAULT_PASSWORD_FILE": "/nonexistent",
        "SSH_AUTH_SOCK": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, text)
    assert all(isinstance(seen, Seen) for seen in (await ready.facts()).values())
    assert os.environ["ANSIBLE_STDOUT_CALLBACK"] == "nonexistent"


async def test_a_host_that_may_have_a_firewall_gets_one(site: Site) -> None:
    fleet = site.fleet
    walled = fleet.add("web-9", Role.WEB, 19, "--cap-add", "NET_ADMIN")
    try:
        request = site.request(hosts=(walled,), digests={walled.name: "x"})
        first = await site.ansible.configure(request, silent)
        assert first.hosts[0].outcome is HostOutcome.CHANGED, first
        again = await site.ansible.configure(request, silent)
        assert again.hosts[0].outcome is HostOutcome.OK, again
        rules = fleet.ssh(walled, "nft list ruleset")
        assert "policy drop" in rules
        assert fleet.gateway in rules
        neighbour = fleet.web[0]
        reach = f"curl -s -m 2 -o /dev/null http://{walled.address}/; echo $?"
        assert fleet.ssh(neighbour, reach).strip() == "28", "a neighbour reaches a walled port"
        reader, writer = await asyncio.open_connection(walled.address, 80)
        writer.close()
        assert reader is not None
    finally:
        fleet.remove("web-9")
