"""Tier 0 of one site: what shows without asking its hosts, compared with what is known already."""

from collections.abc import Iterable
from datetime import datetime

from otto.decide.diff import depth, surface
from otto.decide.hosts import listed, with_declared
from otto.decide.signs import Key, fresh, keys, sign
from otto.model.desired import Desired
from otto.model.difference import Difference
from otto.model.errors import OttoError
from otto.model.host import LiveHost
from otto.model.observed import Facts, InfrastructureState, Observed, Seen, Unseen
from otto.model.sign import Sign, Tier
from otto.reconcile.kit import Kit
from otto.reconcile.observation.census import Census
from otto.reconcile.observation.sightings import Watched
from otto.reconcile.observation.silences import Silences
from otto.reconcile.verify import Verifier, dead_hosts


class Surveyor:
    """Glances at sites. It never acts: what is new comes back as signs."""

    def __init__(self, kit: Kit, verifier: Verifier, silences: Silences) -> None:
        self._kit = kit
        self._verifier = verifier
        self._silences = silences

    async def glance(self, watched: Watched, census: Census) -> tuple[Sign, ...]:
        """Tier 0: state file, the provider's list, and a few requests. The signs of what changed."""
        desired = watched.desired
        if not census.error and (census.at is None or census.at <= watched.at):
            return ()  # the last look may have changed what the list says
        state = await self._state(desired)
        if isinstance(state, Seen):
            inventory = self._inventory(watched, census)
            dead = dead_hosts(state.value, inventory)
            round_ = await self._verifier.glance(desired, state.value, dead)
            self._note_silence(state.value, round_.silent, dead)
            observed = Observed(
                state,
                inventory,
                {},
                round_.serving,
                watched.applied,
                self._silences.of(state.value.hosts),
            )
        else:
            nothing = Unseen("the state cannot be read", state.at)
            observed = Observed(state, nothing, {}, nothing, watched.applied)
        return self._compare(watched, surface(desired, observed))

    def look_deep(self, watched: Watched, facts: Facts, census: Census) -> tuple[Sign, ...]:
        """Tier 1: what some hosts say of themselves. Signs of what is new, or of what is fine again."""
        now = self._kit.clock.now()
        state, nothing = Seen(watched.state, now), Unseen("not looked at", now)
        inventory, silent = self._inventory(watched, census), self._silences.of(watched.hosts)
        observed = Observed(state, inventory, facts, nothing, watched.applied, silent)
        found = [item for item in depth(watched.desired, observed) if item.host in facts]
        told = fresh(found, watched.known)
        before = frozenset(item for item in watched.heard if _host(item[0]) in facts)
        recovered = before - keys(found)
        watched.heard = (watched.heard - before) | keys(found)
        watched.known = (watched.known | keys(told)) - recovered
        signs = [sign(difference, now) for difference in told]
        return tuple(signs) or _fine_again(recovered, now, Tier.FACTS)

    async def _state(self, desired: Desired) -> Seen[InfrastructureState] | Unseen:
        now = self._kit.clock.now()
        try:
            state = await self._kit.infrastructure.state(desired.site) or InfrastructureState()
            return Seen(with_declared(state, desired.declared), now)
        except OttoError as error:
            return Unseen(str(error), now)

    def _inventory(self, watched: Watched, census: Census) -> Seen[tuple[LiveHost, ...]] | Unseen:
        if census.at is None or census.error:
            return Unseen(census.error, self._kit.clock.now())
        desired = watched.desired
        return Seen(listed(desired.site, census.of(desired.site), desired.declared), census.at)

    def _note_silence(self, state: InfrastructureState, silent: frozenset[str], dead: frozenset[str]) -> None:
        for host in state.hosts:
            if host.name in silent:
                self._silences.silent(host)
            elif host.name not in dead:
                self._silences.heard(host)

    def _compare(self, watched: Watched, found: tuple[Difference, ...]) -> tuple[Sign, ...]:
        """Signs of what is new, or of what is fine again; the same trouble is told once."""
        at = self._kit.clock.now()
        now_seen = keys(found)
        told = fresh(found, watched.known)
        recovered = watched.glimpsed - now_seen
        watched.known = (watched.known | keys(told)) - recovered
        watched.glimpsed = now_seen
        signs = [sign(difference, at) for difference in told]
        return tuple(signs) or _fine_again(recovered, at, Tier.PROBE)


def _fine_again(recovered: Iterable[Key], at: datetime, tier: Tier) -> tuple[Sign, ...]:
    return tuple(Sign(tier, f"{path}: as desired again", at, _host(path)) for path, _ in sorted(recovered))


def _host(path: str) -> str:
    """The host that a difference's path names, "" for the site as a whole."""
    parts = path.split("/")
    return parts[1] if parts[0] == "hosts" and len(parts) > 1 else ""
