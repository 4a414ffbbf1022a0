"""From the valid documents of rollouts to their values."""

from collections.abc import Mapping
from typing import Any

from otto.model.duration import seconds_of
from otto.model.strategy import AbortOn, Amount, FleetRollout, Rollout, Strategy

_Fields = Mapping[str, Any]


def site_rollout(rollout: _Fields) -> Rollout:
    """How a change reaches a site's servers, from `spec.rollout` with its defaults filled in."""
    abort = rollout["abortOn"]
    return Rollout(
        strategy=Strategy(rollout["strategy"]),
        batch=amount(rollout["batch"]),
        max_unavailable=amount(rollout["maxUnavailable"]),
        soak=seconds_of(rollout["soak"]),
        drain_timeout=seconds_of(rollout["drainTimeout"]),
        abort_on=AbortOn(abort["failedChecks"], share(abort["errors"])),
    )


def fleet_rollout(rollout: _Fields) -> FleetRollout:
    """In which order a shared change reaches sites, from a fleet's policy with its defaults filled in."""
    wave = rollout.get("wave")
    return FleetRollout(dict(rollout["canaries"]), None if wave is None else amount(wave))


def amount(value: int | str) -> Amount:
    """A number, or a share as `25%`."""
    return Amount(count=value) if isinstance(value, int) else Amount(share=share(value))


def share(text: str) -> float:
    """A share between 0 and 1, from its percentage."""
    return float(text.removesuffix("%")) / 100
