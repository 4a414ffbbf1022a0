"""Take a site down because a person said so, and keep it down until a person wants it back."""

import asyncio

from otto.model.canonical import digest
from otto.model.errors import TerminalError
from otto.model.observed import Applied
from otto.model.run import Outcome, Run
from otto.model.spec import Provider, SiteSpec
from otto.model.status import SiteStatus
from otto.ports import Store
from otto.reconcile.kit import Kit
from otto.reconcile.recorder import Recorder, run_id

DESTROY = "destroy"
DESTROYED = "destroyed"
TEARDOWN = "teardown"


class Destroyer:
    """Destroys what a site has. The wish is kept in the store first, so a killed controller goes on."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def destroy(
        self, site: str, spec: SiteSpec | None, status: SiteStatus | None, *, keep_away: bool
    ) -> None:
        """Destroy everything the site has, and take note.

        Args:
            site: its name.
            spec: its last good spec, None when none is known.
            status: its status until now; names the provider when there is no spec.
            keep_away: whether a spec still wants the site, which then stays away all the same.
        """
        store = self._kit.store
        if keep_away and spec is not None:
            await store.set_value(_key(site), digest(_words(spec)))
            await store.set_intent(site, DESTROYED, on=True)
        now = self._kit.clock.now()
        recorder = Recorder(self._kit, Run(run_id(now), site, "destroy", now))
        provider = spec.provider if spec else Provider((status.provider if status else "") or "lab")
        if provider.value not in self._kit.providers:
            mend = "add it to CLOWD_PROVIDERS"
            raise TerminalError(f"provider {provider.value} may not be touched", mend=mend)
        try:
            async with recorder.step("destroy") as notes:
                with self._kit.calling("terraform"):
                    await self._kit.infrastructure.destroy(site, provider, notes.report)
                notes.summary = "nothing of it is left"
        except Exception as error:
            await recorder.give_up(Outcome.FAILED, str(error))
            raise
        except BaseException:
            await asyncio.shield(recorder.give_up(Outcome.INTERRUPTED, "the controller stopped"))
            raise
        await recorder.end(Outcome.SUCCEEDED, "destroyed")
        await store.save_applied(site, Applied())
        await store.set_intent(site, DESTROY, on=False)

    async def stays_away(self, site: str, spec: SiteSpec, intents: frozenset[str]) -> bool:
        """Whether a destroyed site is to stay away: until it is resumed, or its spec says something else."""
        if DESTROYED not in intents:
            return False
        if await self._kit.store.value(_key(site)) == digest(_words(spec)):
            return True
        await self._kit.store.set_intent(site, DESTROYED, on=False)
        await self._kit.store.set_intent(site, TEARDOWN, on=False)
        return False


async def end_teardowns(store: Store, sites: frozenset[str]) -> None:
    """Sites that went with the whole lab come back when the controller is started again."""
    for site in sites:
        intents = await store.intents(site)
        if TEARDOWN in intents and DESTROY not in intents:
            await store.set_intent(site, TEARDOWN, on=False)
            await store.set_intent(site, DESTROYED, on=False)


def _key(site: str) -> str:
    return f"destroyed.{site}"


def _words(spec: SiteSpec) -> dict[str, object]:
    return {
        "provider": spec.provider,
        "web": spec.web,
        "balancer": spec.balancer,
        "algorithm": spec.algorithm,
        "content": spec.content,
        "domains": spec.domains,
        "checks": spec.checks,
        "labels": spec.labels,
    }
