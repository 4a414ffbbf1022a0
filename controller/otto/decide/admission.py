"""What of a branch may be deployed when only what is signed may be."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from otto.decide.gitobject import read
from otto.model.errors import OttoError, TerminalError
from otto.model.history import OTTO, AuditEntry
from otto.model.notice import Notice, NoticeKind
from otto.model.signature import SKEW, Admission, GitObject, Refusal, Signed, TagRef
from otto.model.text import one_line

_SIGN = {
    "commit": "sign it with a key of the fleet's policy and push again: git commit --amend --no-edit -S",
    "tag": "sign it with a key of the fleet's policy: git tag -f -s {name}, and push it with --force",
}


def refusal(signed: Signed, error: OttoError) -> Refusal:
    """Why an object is refused, and whose it is."""
    mend = error.mend or mend_of(signed.kind, signed.name)
    return Refusal(signed.id, f"{_named(signed)} is refused: {error.message}{_whose(signed)}", mend)


def unread(identity: str, what: str, error: OttoError) -> Refusal:
    """Why an object is refused that could not be read far enough to tell whose it is."""
    return Refusal(identity, f"{what} is refused: {error.message}", error.mend)


def tag(found: GitObject, name: str) -> Signed:
    """Read a tag that goes by a name.

    Raises:
        TerminalError: it is no tag that can be signed, or one of another name: an old one under a new name.
    """
    mend = mend_of("tag", name)
    if found.kind != "tag":
        raise TerminalError("it is a name alone, and holds no signature", mend=mend)
    signed = read(found)
    if signed.name != name:
        raise TerminalError(f"it calls itself {one_line(signed.name, 100)!r}", mend=mend)
    if signed.target_kind != "commit":
        raise TerminalError("it is not of a commit", mend=mend)
    return signed


def rewound(before: Admission) -> TerminalError:
    """Why an old commit is not brought back."""
    made = f" of {before.at:%Y-%m-%d %H:%M} UTC" if before.at else ""
    return TerminalError(
        f"it is older than the commit in force, {before.commit[:12]}{made}, and does not build on it",
        mend="to go back, revert in a new commit and sign that: git revert -S",
    )


def no_tag(head: str, pattern: str) -> Refusal:
    """That there is no tag to deploy."""
    mend = "tag a commit of the branch and push that: git tag -s NAME"
    return Refusal(head, f"no tag {pattern} of the branch is signed by anybody known", mend)


def mend_of(kind: str, name: str) -> str:
    """What would have something be signed by somebody known."""
    return _SIGN["tag" if kind == "tag" else "commit"].format(name=name or "NAME")


def _named(signed: Signed) -> str:
    return f"tag {signed.name}" if signed.kind == "tag" else f"commit {signed.id[:12]}"


def _whose(signed: Signed) -> str:
    if signed.kind == "tag":
        return f" (tagged by {signed.committer})"
    committed = "" if signed.author == signed.committer else f", committed by {signed.committer}"
    return f" (written by {signed.author}{committed})"


def early(signed: Signed, now: datetime) -> bool:
    """Whether it says it was made at a time that has not come: nothing newer could follow it."""
    return signed.at.timestamp() > now.timestamp() + SKEW


def rewinds(signed: Signed, before: datetime | None, *, descends: bool) -> bool:
    """Whether a commit that was signed once is being brought back in place of a newer one.

    A signature says who made a commit, not that it is still wanted: whoever may push could go back to any
    old one.

    Args:
        signed: the commit.
        before: when the one in force was made; None when there is none.
        descends: whether the commit is known to build on the one in force.
    """
    return before is not None and signed.at < before and not descends


def wanted_tags(tags: Iterable[TagRef], pattern: str) -> tuple[TagRef, ...]:
    """The tags that count, by name."""
    return tuple(sorted((tag for tag in tags if fnmatchcase(tag.name, pattern)), key=lambda tag: tag.name))


def newest_first(tags: Iterable[Signed]) -> Sequence[Signed]:
    """Tags in the order of their own dates; of two at the same time the greater name comes first."""
    return sorted(tags, key=lambda tag: (tag.at, tag.name), reverse=True)


def notice(found: Refusal, now: datetime) -> Notice:
    """People are told that something was not deployed."""
    mend = f"\nto go on: {found.mend}" if found.mend else ""
    body = f"{found.reason}\nwhat was deployed last stays in force, and is kept healthy{mend}"
    return Notice(NoticeKind.SIGNATURE, "", "the repository holds what nobody known has signed", body, now)


def entry(found: Admission, now: datetime) -> AuditEntry:
    """What goes on record of an admission: that something is refused, or who signed what is deployed."""
    if found.refusal is not None:
        return AuditEntry(
            now,
            OTTO,
            "refuse",
            summary=f"{found.refusal.id[:12]} is not deployed",
            reason=found.refusal.reason,
        )
    what = f"tag {found.tag}" if found.tag else f"commit {found.commit[:12]}"
    by = str(found.signer) if found.signer else ""
    return AuditEntry(now, OTTO, "admit", summary=f"{what} is signed", reason=f"signed by {by}")
