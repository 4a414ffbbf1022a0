"""Signatures of commits and tags: what is demanded, what an object of git holds, who vouches for it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

SKEW = 86_400.0
"""Seconds by which clocks of people who sign may be ahead."""


class Demand(StrEnum):
    """What has to be signed."""

    COMMITS = "commits"  # the newest commit of the branch
    TAGS = "tags"  # the newest signed tag of the branch is deployed, and not its newest commit


class Scheme(StrEnum):
    """How something is signed."""

    SSH = "ssh"
    OPENPGP = "openpgp"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """Keys whose signatures count; one of the three is said.

    Attributes:
        ssh: a line of an allowed signers file (ssh-keygen(1), ALLOWED SIGNERS).
        openpgp: public keys in ASCII armour (RFC 9580, section 6.2).
        file: a file of the one or the other, relative paths from the folder of the policy's file.
    """

    ssh: str = ""
    openpgp: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Signatures:
    """Who has to have signed what is deployed.

    Attributes:
        require: what has to be signed.
        keys: whose signatures count.
        revoked: SSH public keys whose signatures count no more, those of a certificate authority's too.
        tags: the tags that count, by name; `*` stands for any text (as in shells).
        content: whether it holds for content repositories as well.
    """

    require: Demand
    keys: tuple[KnownKey, ...]
    revoked: tuple[str, ...] = ()
    tags: str = "*"
    content: bool = False


@dataclass(frozen=True, slots=True)
class GitObject:
    """A commit or a tag, as git stores it.

    Attributes:
        id: its id.
        kind: `commit` or `tag`, or what else it is.
        data: its bytes, without git's own header.
    """

    id: str
    kind: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TagRef:
    """A tag by its name, and the id of what it leads to: a tag's own object, or a commit for a plain name."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What a commit or a tag says, and the signature over it.

    Attributes:
        id: its id.
        kind: `commit` or `tag`.
        target: the tree of a commit; what a tag is of.
        target_kind: `tree`; of a tag what it says it is of.
        name: a tag's name, as it says itself.
        author: who wrote the commit; "" of a tag.
        committer: who committed or tagged it.
        at: when, by its own word.
        payload: the bytes that the signature is of.
        signature: the signature, "" for none.
    """

    id: str
    kind: str
    target: str
    target_kind: str
    name: str
    author: str
    committer: str
    at: datetime
    payload: bytes = field(repr=False)
    signature: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed.

    Attributes:
        name: the principal of an SSH key, the user id of an OpenPGP one.
        key: the key's fingerprint.
        scheme: how.
    """

    name: str
    key: str
    scheme: Scheme

    def __str__(self) -> str:
        """For people."""
        return f"{self.name} ({self.key})"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not deployed.

    Attributes:
        id: the commit or tag.
        reason: what is refused, whose it is and why, in one line.
        mend: what would let it be deployed.
    """

    id: str
    reason: str
    mend: str = ""

    def __str__(self) -> str:
        """For people."""
        return f"{self.reason} ({self.mend})" if self.mend else self.reason


@dataclass(frozen=True, slots=True)
class Admission:
    """What of a branch may be deployed.

    Attributes:
        head: the newest commit of the branch.
        commit: the commit to deploy, "" for none.
        vouched: the commit or tag that carries the signature, "" when none is demanded.
        at: when that was made by its own word, None when none is demanded.
        signer: who signed it; None when none is demanded, or what was in force before stays.
        tag: the tag's name.
        refusal: what is not deployed though it is newer, None when nothing is.
    """

    head: str
    commit: str
    vouched: str = ""
    at: datetime | None = None
    signer: Signer | None = None
    tag: str = ""
    refusal: Refusal | None = None
