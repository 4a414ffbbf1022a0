"""From the valid documents of policies to their values."""

from collections.abc import Mapping
from typing import Any

from otto.adapters.specs.rollout import fleet_rollout
from otto.adapters.specs.times import time_of
from otto.model.difference import Layer
from otto.model.duration import seconds_of
from otto.model.policy import (
    Budget,
    Collapse,
    DriftPolicy,
    FleetLimits,
    FleetPolicy,
    Handling,
    Hook,
    Ignored,
    LabelDefault,
    Limits,
    Overrun,
    Place,
    Policy,
    Window,
    Windows,
)
from otto.model.signature import Demand, KnownKey, Signatures

_Fields = Mapping[str, Any]


def site_policy(policy: _Fields) -> Policy:
    """The policy of a site, from `spec.policy` with its defaults filled in."""
    return Policy(
        approval=policy["approval"],
        approvers=policy["approvers"],
        approval_expiry=seconds_of(policy["approvalExpiry"]),
        protect=policy["protect"],
        ttl=seconds_of(policy["ttl"]) if "ttl" in policy else None,
        until=time_of(policy["until"]) if "until" in policy else None,
        limits=read_limits(policy["limits"]) if "limits" in policy else None,
        windows=read_windows(policy["windows"]),
        budget=_budget(policy),
        drift=_drift(policy["drift"]),
    )


def fleet_policy(document: _Fields) -> FleetPolicy:
    """The policy of the fleet, from a document with its defaults filled in."""
    spec = document["spec"]
    return FleetPolicy(
        limits=_fleet_limits(spec["limits"]),
        site_limits=read_limits(spec["siteLimits"]),
        collapse=Collapse(spec["collapse"]["count"], float(spec["collapse"]["share"])),
        windows=read_windows(spec["windows"]),
        budget=_budget(spec),
        labels=tuple(LabelDefault(dict(item["match"]), seconds_of(item["ttl"])) for item in spec["labels"]),
        ttl_warnings=tuple(sorted(map(seconds_of, spec["ttlWarnings"]), reverse=True)),
        places={provider: _place(place) for provider, place in spec["places"].items()},
        hook=_hook(spec["hook"]) if "hook" in spec else None,
        rollout=fleet_rollout(spec["rollout"]),
        signatures=_signatures(spec["signatures"]) if "signatures" in spec else None,
    )


def read_limits(limits: _Fields) -> Limits:
    """The blast radius of a site, or of a zone, which has no share and no repairs."""
    usual = Limits()
    return Limits(
        count=float(limits["count"]),
        share=float(limits.get("share", usual.share)),
        repair_count=limits.get("repairCount", usual.repair_count),
        window=seconds_of(limits["window"]),
        window_count=float(limits["windowCount"]),
        reason=limits.get("reason", "").strip(),
    )


def _fleet_limits(limits: _Fields) -> FleetLimits:
    return FleetLimits(
        window=seconds_of(limits["window"]),
        count=float(limits["count"]),
        share=float(limits["share"]),
        changing=float(limits["changing"]),
        reason=limits.get("reason", "").strip(),
    )


def read_windows(windows: _Fields) -> Windows:
    """When changes may be made."""
    found = (
        Window(kind == "allow", " ".join(item["cron"].split()), seconds_of(item["lasts"]), item["timezone"])
        for kind in ("allow", "deny")
        for item in windows[kind]
    )
    return Windows(tuple(found), Overrun(windows["overrun"]), windows["repairs"])


def _budget(fields: _Fields) -> Budget | None:
    budget = fields.get("budget")
    return None if budget is None else Budget(float(budget["monthly"]), float(budget["warn"]))


def _drift(drift: _Fields) -> DriftPolicy:
    layers = {layer.value: Handling(drift[layer.value]) for layer in Layer}
    return DriftPolicy(
        # What is not named is repaired: a spec that says so is the same as one that does not.
        layers={layer: handling for layer, handling in layers.items() if handling is not Handling.REPAIR},
        ignore=tuple(
            Ignored(item["path"], item["reason"].strip(), time_of(item["until"])) for item in drift["ignore"]
        ),
        confirmations=drift["confirmations"],
        heals=drift["heals"],
    )


def _place(place: _Fields) -> Place:
    return Place(
        tuple(place["accounts"]), tuple(place["regions"]), tuple(place["sizes"]), tuple(place["resources"])
    )


def _hook(hook: _Fields) -> Hook:
    return Hook(tuple(hook["command"]), seconds_of(hook["timeout"]))


def _signatures(signatures: _Fields) -> Signatures:
    return Signatures(
        require=Demand(signatures["require"]),
        keys=tuple(KnownKey(**key) for key in signatures["keys"]),
        revoked=tuple(signatures["revoked"]),
        tags=signatures["tags"],
        content=signatures["content"],
    )
