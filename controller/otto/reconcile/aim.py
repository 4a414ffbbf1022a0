"""What a site goes towards: the newest wish, or an older one."""

from dataclasses import dataclass

from otto.model.desired import Desired
from otto.model.history import Grant


@dataclass(frozen=True, slots=True)
class Aim:
    """What a site goes towards.

    Attributes:
        desired: the wish to put in place.
        newest: what the newest spec asks for.
        quarantine: why that is another wish, None where it is the same.
        paused: who paused the rollout of `desired`, None where nobody did.
        undoing: hosts that the rollout of a quarantined wish made anew.
    """

    desired: Desired
    newest: Desired
    quarantine: Grant | None = None
    paused: Grant | None = None
    undoing: frozenset[str] = frozenset()
