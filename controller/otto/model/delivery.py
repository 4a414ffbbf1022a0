"""A delivery to a webhook: what a forge says has happened, once it is known to have said it."""

from dataclasses import dataclass
from enum import StrEnum


class Sender(StrEnum):
    """Who speaks; each has a way of its own to prove it."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"  # and Forgejo
    GENERIC = "generic"


class DeliveryKind(StrEnum):
    """What a delivery tells of."""

    PUSH = "push"  # a branch or tag points elsewhere; a merge is a push too
    PULL = "pull"  # something happened to a pull request
    PING = "ping"  # somebody tries the webhook out
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery, read.

    Attributes:
        sender: whose form it has.
        kind: what it tells of.
        repositories: normalised addresses of the repository concerned; see `otto.decide.addresses`.
        ref: branch or tag, without `refs/heads/`; "" where there is none.
        commit: where it points now, "" where that is not told.
        by: who caused it, as the sender says.
        pull: number of the pull request, 0 for none.
    """

    sender: Sender
    kind: DeliveryKind
    repositories: tuple[str, ...] = ()
    ref: str = ""
    commit: str = ""
    by: str = ""
    pull: int = 0
