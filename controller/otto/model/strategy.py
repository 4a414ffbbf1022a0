"""What a spec says of how changes reach running servers, and an operator of how they reach the fleet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Strategy(StrEnum):
    """In which steps."""

    ROLLING = "rolling"  # batch by batch
    CANARY = "canary"  # one server first, then batch by batch
    ALL = "all"  # all at once


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of servers, or a share of them (between 0 and 1); one of the two."""

    count: int = 0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class AbortOn:
    """What ends a rollout while a batch is watched.

    Attributes:
        failed_checks: rounds of checks in a row that fail.
        errors: share of the answers of the batch's servers that are 5xx, from their return on.
    """

    failed_checks: int = 1
    errors: float = 0.05


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a change reaches the running servers of one site. Lengths of time are seconds.

    Attributes:
        strategy: in which steps.
        batch: servers that are changed at once.
        max_unavailable: servers that may be out of service at once, those that are broken included.
        soak: how long a batch is watched after its return before the next one begins.
        drain_timeout: how long visitors of a server have to finish before it is changed.
        abort_on: what ends the rollout.
    """

    strategy: Strategy = Strategy.ROLLING
    batch: Amount = Amount(share=0.25)
    max_unavailable: Amount = Amount(share=0.25)
    soak: float = 2.0
    drain_timeout: float = 15.0
    abort_on: AbortOn = AbortOn()


@dataclass(frozen=True, slots=True)
class FleetRollout:
    """In which order a change that many sites share reaches them.

    Attributes:
        canaries: labels of the sites that go first; empty for none.
        wave: sites of one wave after them; None for all at once.
    """

    canaries: Mapping[str, str] = field(default_factory=dict)
    wave: Amount | None = None
