"""What a forge is told of commits, from how sites fare.

A commit is told of by what it did to a site, once that is known; what happens to the site later, a server
that dies for instance, is not the commit's doing and does not change the word on it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from otto.model.canonical import short
from otto.model.forge import CommitState, Mark, Told
from otto.model.pipeline import Pipeline, StageKind
from otto.model.rollout import Quarantine
from otto.model.run import Outcome
from otto.model.status import ConditionType, Phase, SiteStatus, Truth

QUEUED = "is queued"
TAKEN_DOWN = "is taken down"
_UNDER_WAY = "is under way"
_FINAL = frozenset({CommitState.SUCCESS, CommitState.SUPERSEDED})
_MOST_BEHIND = 8
_NAMES = 5
_FEW = 20
_REFUSED = "Refused"
# What fails here is the commit's fault; elsewhere it is a repository's, a tool's or a provider's.
_JUDGING = frozenset({StageKind.VALIDATE, StageKind.VERIFY})
_SILENT = frozenset({Outcome.SUCCEEDED, Outcome.SUPERSEDED})


def fares(status: SiteStatus) -> tuple[CommitState, str]:
    """How the commit that a site is at fares, by the site's status; in a word, and in a line."""
    valid = status.conditions.get(ConditionType.VALID.value)
    if valid is not None and valid.status is Truth.FALSE:
        return CommitState.FAILURE, valid.message
    match status.phase:
        case Phase.READY:
            return CommitState.SUCCESS, _serves(status)
        case Phase.SUSPENDED:
            return CommitState.PENDING, status.message
        case Phase.ORPHANED:
            return CommitState.SUCCESS, status.message
        case Phase.DESTROYED:
            return CommitState.SUCCESS, TAKEN_DOWN
        case Phase.AWAITING_APPROVAL:
            return _held(status)
    if status.failures:
        broken = status.conditions.get(ConditionType.SERVING.value)
        wrong = broken is not None and broken.status is Truth.FALSE
        return (CommitState.FAILURE if wrong else CommitState.ERROR), status.message
    return CommitState.PENDING, _UNDER_WAY


def _serves(status: SiteStatus) -> str:
    urls = ", ".join(endpoint.url for endpoint in status.endpoints[:2])
    return f"serves at {urls}" if urls else "serves"


def _held(status: SiteStatus) -> tuple[CommitState, str]:
    allowed = status.conditions.get(ConditionType.ALLOWED.value)
    if allowed is not None and allowed.reason == _REFUSED:
        return CommitState.FAILURE, f"the guard refuses it: {status.message}"
    return CommitState.PENDING, f"is held: {status.message}"


def pushed(told: Told, newest: Mark, problem: str = "") -> Told:
    """A new commit of the spec repository touches the site.

    Args:
        told: what was told until now.
        newest: the commit.
        problem: what is wrong with the spec, "" when it is good.
    """
    before = told.spec
    behind = (before.commit, *before.behind)[:_MOST_BEHIND] if before else ()
    mark = replace(newest, behind=tuple(dict.fromkeys((*newest.behind, *behind)))[:_MOST_BEHIND])
    if problem:
        return replace(
            told,
            spec=replace(mark, state=CommitState.FAILURE, words=f"{StageKind.VALIDATE.value}: {problem}"),
        )
    return replace(told, spec=replace(mark, words=QUEUED))


def looked(
    told: Told,
    status: SiteStatus,
    newest: Mark | None,
    content: Mark | None,
    quarantined: Mapping[str, Quarantine],
) -> Told:
    """A site has a new status.

    Args:
        told: what was told until now.
        status: the status.
        newest: the newest commit of the spec repository, None when that is not at the forge.
        content: the newest commit of the repository of the site's content, None as before.
        quarantined: wishes of the site that failed, by digest.
    """
    if status.digest and status.digest != told.digest:
        if told.digest in quarantined:
            # It went back to an older wish: that is the end of the one that failed.
            return replace(_failed(told, quarantined[told.digest]), digest=status.digest)
        told = _turned(told, status.digest, newest, content)
    if status.digest in quarantined:
        return _failed(told, quarantined[status.digest])
    state, words = fares(status)
    spec, own = told.spec, told.content
    if spec is not None and status.commit not in spec.behind:
        spec = _moved(spec, state, words)
    return replace(told, spec=spec, content=own and _moved(own, state, words))


def _turned(told: Told, digest: str, newest: Mark | None, content: Mark | None) -> Told:
    """Another wish: which commit brought it."""
    spec, own = told.spec, told.content
    by_content = content is not None and (own is None or own.commit != content.commit)
    if not told.digest or not by_content:
        spec = spec if spec and newest and spec.commit == newest.commit else newest
    return replace(told, digest=digest, spec=spec, content=content if by_content else own)


def _moved(mark: Mark, state: CommitState, words: str) -> Mark:
    return mark if mark.state in _FINAL else replace(mark, state=state, words=words)


def _failed(told: Told, why: Quarantine) -> Told:
    words = f"is taken back: {why.reason}"
    spec, own = told.spec, told.content
    return replace(
        told,
        spec=spec and _moved(spec, CommitState.FAILURE, words),
        content=own and _moved(own, CommitState.FAILURE, words),
    )


def superseded(old: Mark | None, new: Mark | None) -> Mark | None:
    """The last word on a commit that another one took the place of before its end, if there is one to say."""
    if old is None or new is None or old.commit == new.commit or old.state is not CommitState.PENDING:
        return None
    return replace(old, state=CommitState.SUPERSEDED, words=f"is superseded by {short(new.commit)}")


def speaks(pipeline: Pipeline) -> bool:
    """Whether a pipeline has something to tell of its commit.

    Of a site that is gone its removal tells, and that a newer commit took the place of one is seen from
    that. A pipeline that something else took the place of leaves its commit to the site.
    """
    return pipeline.outcome not in _SILENT


def hands_over(pipeline: Pipeline) -> bool:
    """Whether the site can tell more of a commit than the pipeline: how it serves, or what holds it."""
    if pipeline.outcome in _SILENT:
        return True
    return bool(pipeline.digest) and pipeline.outcome in (Outcome.FAILED, Outcome.WAITING)


def of_pipeline(pipeline: Pipeline) -> tuple[CommitState, str]:
    """How the commit of a pipeline's event fares: the stage it is at, and what that says."""
    last = pipeline.furthest
    stage = last.kind.value if last else "pipeline"
    words = pipeline.message or (last.summary if last else "")
    match pipeline.outcome:
        case Outcome.INTERRUPTED:
            return CommitState.ERROR, f"{stage}: {words or 'was interrupted'}"
        case Outcome.FAILED:
            at_fault = last is None or last.kind in _JUDGING
            return (CommitState.FAILURE if at_fault else CommitState.ERROR), f"{stage}: {words or 'failed'}"
        case Outcome.WAITING:
            return CommitState.PENDING, f"{stage}: waits: {words}"
    return CommitState.PENDING, f"{stage}: {words}" if words else f"{stage} is under way"


def together(
    marks: Mapping[str, Mark], loose: int = 0, expected: frozenset[str] = frozenset()
) -> tuple[CommitState, str]:
    """How a commit fares over all the sites it touches.

    Args:
        marks: by site.
        loose: problems in files that are no site's.
        expected: sites that it touches, those without a mark included.
    """
    total = len(marks.keys() | expected)
    bad = sorted(s for s, m in marks.items() if m.state in (CommitState.FAILURE, CommitState.ERROR))
    done = sum(mark.state in _FINAL for mark in marks.values())
    stray = f"{loose} problem{'' if loose == 1 else 's'} in files of no site" if loose else ""
    failed = _joined(f"failed: {_named(bad)}" if bad else "", stray)
    if done + len(bad) < total:
        return CommitState.PENDING, _joined(_share(done, total), failed)
    if failed:
        errors = not loose and all(marks[site].state is CommitState.ERROR for site in bad)
        state = CommitState.ERROR if errors else CommitState.FAILURE
        return state, _joined(f"{done} of {_sites(total)} in place", failed)
    return CommitState.SUCCESS, f"{_sites(total)} in place" if total else "no site is touched"


def _share(done: int, total: int) -> str:
    """How many are done; of many in steps of a tenth, since every other text is one more request."""
    if total <= _FEW:
        return f"{done} of {_sites(total)} in place"
    return f"{10 * (10 * done // total)} % of {_sites(total)} in place"


def _sites(count: int) -> str:
    return f"{count} site{'' if count == 1 else 's'}"


def _named(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _NAMES} more" if len(every) > _NAMES else ""
    return ", ".join(every[:_NAMES]) + more


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
