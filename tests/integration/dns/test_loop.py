"""Zones in the loop over real servers: what a spec says is what they answer, and nothing differs after."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.dns.nameserver import KEY, OWNER, SECRET, Knot, Nameserver

from otto.adapters.clock import SystemClock
from otto.adapters.dns import DnsOptions, DnsZones, Server
from otto.adapters.specs import YamlSpecs
from otto.config import DnsSettings, LoopSettings, SourceSettings
from otto.model.history import Grant, GrantKind
from otto.model.run import Outcome
from otto.model.status import Phase, SiteStatus
from otto.reconcile.controller import Controller
from otto.testing import World

ZONE = "example.test"
RECORDS: list[dict[str, object]] = [
    {"name": "@", "type": "A", "values": ["192.0.2.1", "192.0.2.2"]},
    {"name": "@", "type": "MX", "values": ["10 mail", "20 mail.example.net."]},
    {"name": "@", "type": "CAA", "values": ['0 issue "letsencrypt.org"', "0 iodef mailto:a@example.test"]},
    {"name": "mail", "type": "AAAA", "values": ["2001:DB8::0:10"], "ttl": 60},
    {"name": "www", "type": "CNAME", "values": ["@"]},
    {"name": "*.dev", "type": "A", "values": ["192.0.2.3"]},
    {"name": "*.dev", "type": "TXT", "values": ["wild; card"]},
    {"name": "_sip._tcp", "type": "SRV", "values": ["10 5 5060 mail", "20 0 5060 sip.example.net."]},
    {"name": "long", "type": "TXT", "values": ["x" * 300, 'quoted "words", back\\slash;']},
    {"name": "sub", "type": "NS", "values": ["ns1.sub.example.test.", "ns2.example.net."]},
    {"name": "ns1.sub", "type": "A", "values": ["192.0.2.53"]},
    {"name": "xn--mller-kva", "type": "A", "values": ["192.0.2.4"]},
    {"name": ".".join(["a" * 60] * 3), "type": "A", "values": ["192.0.2.5"]},
]


class Above:
    """The zone above, on a server of its own, in the place of the lab's."""

    parent = "test"

    def __init__(self, server: Nameserver) -> None:
        self.server = server

    async def find(self) -> Server:
        return self.server.server

    async def ensure(self) -> Server:
        return self.server.server

    async def make(self, zone: str, nameservers: tuple[str, ...]) -> None:
        raise NotImplementedError

    async def sign(self, zone: str, *, signed: bool) -> None:
        raise NotImplementedError

    async def drop(self, zone: str) -> None:
        raise NotImplementedError


class Story:
    """A controller over a real server, everything else in memory."""

    def __init__(self, server: Nameserver, above: Above | None = None) -> None:
        self.server = server
        self.above = above
        self.world = World(clock=SystemClock(), specs=YamlSpecs())  # type: ignore[arg-type]

    def commit(self, records: list[dict[str, object]], **spec: object) -> None:
        where = {
            "address": self.server.address,
            "port": self.server.port,
            "keyName": KEY,
            "key": "env:KEY",
        }
        document = {
            "apiVersion": "otto/v1",
            "kind": "Domain",
            "metadata": {"name": ZONE},
            "spec": {"provider": "rfc2136", "server": where, "records": records, **spec},
        }
        self.world.source.commit({f"specs/{ZONE}.yaml": json.dumps(document)})

    @asynccontextmanager
    async def running(self, home: Path) -> AsyncIterator[Controller]:
        zones = DnsZones(DnsOptions(OWNER, query_timeout=3.0), {"env:KEY": SECRET}.__getitem__, self.above)
        kit = replace(
            self.world.kit(LoopSettings(backoffBase=0.2, backoffCap=2.0)),
            zones=zones,
            dns=DnsSettings(interval=0.3, refresh=60.0, verifyDeadline=15.0),
        )
        try:
            async with Controller(
                kit, home, SourceSettings(interval=0.3), lambda _: nullcontext(self.world.source)
            ).running() as controller:
                yield controller
        finally:
            await zones.close()

    async def until(self, *phases: Phase, seconds: float = 60.0, after: int = -1) -> SiteStatus:
        """Wait for the zone to be in one of some phases, with more runs than `after`."""
        status = None
        async with asyncio.timeout(seconds):
            while status is None or status.phase not in phases or await self.runs() <= after:
                await asyncio.sleep(0.05)
                status = await self.world.store.status(ZONE)
        return status

    async def runs(self) -> int:
        return len([run for run in await self.world.store.runs(ZONE, 200) if run.ended_at])


@pytest.fixture
def story(nameserver: Nameserver) -> Story:
    return Story(nameserver)


async def test_a_zone_from_its_spec_to_its_repair(story: Story, tmp_path: Path) -> None:
    story.commit(RECORDS)
    async with story.running(tmp_path):
        status = await story.until(Phase.READY, Phase.DEGRADED)
        assert status.phase is Phase.READY, status
        assert sorted(story.server.dig(ZONE, "MX")) == ["10 mail.example.test.", "20 mail.example.net."]
        assert story.server.dig("x.dev.example.test", "A") == ["192.0.2.3"]
        assert "others" in status.conditions["InSync"].message  # what the server's own file held

        # What the spec says is what the server has: nothing differs, however it is written.
        done = await story.runs()
        assert done == 1
        await asyncio.sleep(1.5)
        assert await story.runs() == done

        # Somebody else changes a record: found by the serial, put right.
        story.server.update(
            ZONE, ["del mail.example.test AAAA", "add mail.example.test 60 AAAA 2001:db8::66"]
        )
        await story.until(Phase.READY, after=done)
        assert story.server.dig("mail.example.test", "AAAA") == ["2001:db8::10"]
        run = (await story.world.store.runs(ZONE))[0]
        assert "drift" in str(run.steps[0].detail)

        # What they put in the place of ours is theirs: told of, and left alone.
        story.server.update(ZONE, ["del www.example.test CNAME", "add www.example.test 60 A 192.0.2.66"])
        status = await story.until(Phase.DEGRADED)
        assert status.conditions["InSync"].reason == "Conflict", status
        story.server.update(ZONE, ["del www.example.test A"])
        await story.until(Phase.READY)
        assert story.server.dig("www.example.test", "CNAME") == ["example.test."]

        # An emptied spec waits for a person.
        done = await story.runs()
        story.commit([])
        status = await story.until(Phase.AWAITING_APPROVAL, after=done)
        assert "guard.dns.emptied" in {reason.rule for reason in status.held}
        assert story.server.dig("x.dev.example.test", "A") == ["192.0.2.3"]
        now = story.world.clock.now()
        await story.world.ledger.grant(Grant(GrantKind.APPROVE, ZONE, "ada", now, plan=status.plan))
        status = await story.until(Phase.READY, after=done + 1)
        assert story.server.dig("x.dev.example.test", "A") == []
        assert story.server.dig(ZONE, "NS")  # the server's own


async def test_a_server_that_is_away_comes_back(story: Story, tmp_path: Path) -> None:
    story.commit(RECORDS[:1])
    story.server.end()
    async with story.running(tmp_path):
        status = await story.until(Phase.DEGRADED)
        assert story.server.address in status.message
        assert SECRET not in status.message
        story.server.start()
        status = await story.until(Phase.READY)
        assert status.failures == 0


async def test_nameservers_change_with_a_persons_word_for_that_very_change_alone(
    nameserver: Nameserver, tmp_path: Path
) -> None:
    """Those of the zone itself, and those that the zone above names."""
    records: list[dict[str, object]] = [{"name": "ns1", "type": "A", "values": ["127.0.0.1"]}]
    wish = {"registrar": "lab", "policy": {"approval": "auto", "takeover": True}}
    with Knot(tmp_path / "above", ["test"]) as parent:
        story = Story(nameserver, Above(parent))

        def delegated() -> list[str]:
            told = parent.dig(ZONE, "NS", "+noshort", "+noall", "+authority")
            return sorted(line.split()[-1] for line in told if line.split()[3] == "NS")

        async def approve(plan: str) -> None:
            now = story.world.clock.now()
            await story.world.ledger.grant(Grant(GrantKind.APPROVE, ZONE, "ada", now, plan=plan))

        story.commit(records, nameservers=["ns1.example.test"], **wish)
        async with story.running(tmp_path):
            first = await story.until(Phase.AWAITING_APPROVAL)
            assert "guard.dns.nameservers" in {reason.rule for reason in first.held}
            assert delegated() == []
            await approve(first.plan)
            done = await story.runs()
            status = await story.until(Phase.READY, after=done)
            assert delegated() == ["ns1.example.test."], status

            # Another change is not what was approved.
            done = await story.runs()
            records.append({"name": "ns2", "type": "A", "values": ["127.0.0.1"]})
            story.commit(records, nameservers=["ns2.example.test"], **wish)
            second = await story.until(Phase.AWAITING_APPROVAL, after=done)
            assert second.plan != first.plan
            await approve(first.plan)
            await story.until(Phase.AWAITING_APPROVAL, after=await story.runs())
            assert (delegated(), nameserver.dig(ZONE, "NS")) == (["ns1.example.test."],) * 2
            await approve(second.plan)
            await story.until(Phase.READY, after=await story.runs())
            assert (delegated(), nameserver.dig(ZONE, "NS")) == (["ns2.example.test."],) * 2
        runs = await story.world.store.runs(ZONE, 20)
        assert sum(bool(run.plan) and run.outcome is Outcome.SUCCEEDED for run in runs) == 2
