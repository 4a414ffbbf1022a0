"""The lab's nameserver: zones made, changed, signed, delegated; killed, removed, and cleaned away."""

import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.dns.specs import domain, record

from otto.adapters.dns import DnsOptions, DnsZones
from otto.adapters.identity import identity
from otto.cli.labdns import LabNameserver
from otto.config import LabSettings
from otto.lab import inventory, names
from otto.lab.lab import Lab
from otto.lab.nameserver import Nameserver
from otto.model.domain import DnsServer
from otto.model.errors import TerminalError
from otto.model.progress import silent
from otto.model.zone import Aspect

pytestmark = pytest.mark.lab

OWNED = domain(
    record("ns1", "A", "192.0.2.53"),
    record("www", "A", "192.0.2.1"),
    name="example.test",
    nameservers=("ns1.example.test",),
    registrar="lab",
    dnssec=True,
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Not everybody's: it is cleaned."""
    home = tmp_path_factory.mktemp("home")
    made = Lab(home, identity(home).owner, LabSettings(pool="10.204.16.0/20"))
    try:
        made.up()
        yield made
    finally:
        made.clean()


@pytest.fixture(scope="module")
def nameserver(lab: Lab, key: Path) -> Nameserver:
    return Nameserver(lab, key.with_suffix(".pub").read_text().strip(), "test")


@pytest.fixture
async def zones(lab: Lab, nameserver: Nameserver) -> AsyncIterator[DnsZones]:
    made = DnsZones(DnsOptions(lab.owner), lambda reference: reference, LabNameserver(nameserver))
    yield made
    await made.close()


async def test_a_zone_is_born_served_signed_delegated_and_outlives_what_happens_to_its_server(  # noqa: PLR0915
    lab: Lab, nameserver: Nameserver, zones: DnsZones, podman: Callable[..., str]
) -> None:
    # Nothing is started by looking and planning.
    assert nameserver.find() is None
    assert not (await zones.read(OWNED)).exists
    plan = await zones.plan(OWNED, {})
    assert plan.makes_zone
    assert plan.dnssec is True
    assert plan.delegation == ((), ("ns1.example.test",))
    assert nameserver.find() is None

    await zones.apply(OWNED, plan, silent)
    place = nameserver.find()
    assert place is not None
    assert (lab.folder / "nameserver.key").stat().st_mode & 0o777 == 0o600
    assert _dig(place.address, "www.example.test", "A") == ["192.0.2.1"]
    assert not await zones.plan(OWNED, {})
    zone = await zones.read(OWNED)
    assert zone.signed
    assert zone.delegation == ("ns1.example.test",)
    # The spec's own nameserver is nowhere; all that is the lab's holds.
    found = {finding.aspect: finding for finding in await zones.examine(replace(OWNED, nameservers=()), {})}
    assert found[Aspect.DELEGATION].holds
    assert found[Aspect.DNSSEC].holds, found[Aspect.DNSSEC]
    assert found[Aspect.SOA].holds
    assert found[Aspect.ANSWERS].holds

    # It is one of ours, and no site's.
    container = lab.api().container(nameserver.name)
    assert container is not None
    assert container.labels[names.OWNER] == lab.owner
    assert container.labels[names.NAMESERVER] == "test"
    assert nameserver.name not in {host.container for host in inventory.live_hosts(lab.api(), lab.owner)}

    # Killed, host and all: it comes back with what it served, the last change included.
    _kill(nameserver.name)
    assert not await zones.plan(OWNED, {})
    assert nameserver.find() == place

    # No longer signed: the zone above stops vouching first.
    plain = replace(OWNED, dnssec=False)
    plan = await zones.plan(plain, {})
    assert plan.dnssec is False
    await zones.apply(plain, plan, silent)
    assert _dig(place.address, "example.test", "DNSKEY") == []
    assert _dig(place.address, "example.test", "DS") == []
    assert not await zones.plan(plain, {})

    # Its key is gone, or was removed to have another: it gets one, and takes the old one no longer.
    (lab.folder / "nameserver.key").unlink()
    assert not await zones.plan(plain, {})
    turned = nameserver.find()
    assert turned is not None
    assert (turned.address, turned.secret == place.secret) == (place.address, False)
    old = replace(
        OWNED, registrar="", dnssec=None, server=DnsServer(place.address, 53, place.key, place.secret)
    )
    with pytest.raises(TerminalError, match="BADSIG"):
        await zones.plan(old, {})

    # Removed behind OttO's back: made anew from the spec, under the same address.
    podman("rm", "-f", "-t", "0", nameserver.name)
    assert nameserver.find() is None
    assert await zones.serial(OWNED) is None
    assert not (await zones.read(OWNED)).exists
    await zones.apply(OWNED, await zones.plan(OWNED, {}), silent)
    assert not await zones.plan(OWNED, {})
    assert nameserver.find() == turned
    assert _dig(place.address, "www.example.test", "A") == ["192.0.2.1"]
    assert _dig(place.address, "example.test", "DS") != []

    # No spec wants it any more.
    gone = replace(OWNED, records=(), nameservers=(), dnssec=None)
    await zones.remove(gone, await zones.plan(gone, {}), silent)
    assert nameserver.zones() == ("test",)
    assert not (await zones.read(OWNED)).exists
    assert _dig(place.address, "example.test", "NS") == []

    elsewhere = replace(OWNED, name="example.org", nameservers=("ns1.example.org",))
    with pytest.raises(TerminalError, match=r"example.org is not below test"):
        await zones.plan(elsewhere, {})
    with pytest.raises(TerminalError, match="delegates from test, not from other"):
        Nameserver(lab, "", "other").ensure()

    told: list[str] = []
    cleaned = lab.clean(lambda progress: told.append(progress.message))
    assert cleaned.nameserver
    assert cleaned.networks == (nameserver.name,)
    assert "removed the nameserver, with its zones" in told
    assert lab.status().nameserver is None


def _kill(container: str) -> None:
    subprocess.run(["podman", "kill", container], check=True, capture_output=True, timeout=60)


def _dig(address: str, name: str, type_: str) -> list[str]:
    command = ["dig", "+short", "+norecurse", "+tries=2", f"@{address}", name, type_]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.splitlines()
