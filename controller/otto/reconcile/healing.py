"""How long heals take."""

from otto.decide.signs import tier_of
from otto.model.difference import UNWISHED, Cause
from otto.reconcile.kit import Kit
from otto.reconcile.look import Look


def measure_heal(kit: Kit, look: Look, run: str) -> None:
    """Count a heal that has just come to its end, from the first sign of it; a changed wish is none."""
    healed = [item for item in look.differences if item.cause in UNWISHED]
    if not healed or any(item.cause is Cause.SPEC for item in look.differences):
        return
    first = min(look.signs, key=lambda sign: sign.at, default=None)
    tier = first.tier if first else tier_of(healed[0])
    began = first.at if first else look.observed.serving.at
    kit.metrics.healed(tier.value, max(0.0, (kit.clock.now() - began).total_seconds()), run)
