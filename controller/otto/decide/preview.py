"""The comment on a pull request: what merging it would do, in Markdown that no name can break out of.

Everything that somebody else wrote stands inside fences: there, forges read no Markdown or HTML, mention and
notify nobody, link nothing (GitHub Flavored Markdown 4.5) and run no quick action (GitLab). What stands
outside is ours.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from otto.decide.dns.words import changes_of
from otto.decide.wording import counted, standing_in_the_way, told_of
from otto.model.canonical import short
from otto.model.cost import CostChange
from otto.model.forge import CommitState, Proposal
from otto.model.plan import Action, ActionKind, Plan, Step, StepKind
from otto.model.text import one_line
from otto.model.verdict import Allowed, NeedsApproval, Refused, Verdict, Waiting

LONGEST = 60_000  # GitHub takes 65,536 characters
_LINE = 300
_BLOCK = 6_000
_SHOWN_SITES = 25
_MARKER = re.compile(r"[^A-Za-z0-9_. -]")
_SIGNS = {
    ActionKind.CREATE: "+",
    ActionKind.UPDATE: "~",
    ActionKind.SCALE_IN: "-",
    ActionKind.REPAIR: "+",
    ActionKind.REPLACE: "±",
    ActionKind.DESTROY: "-",
    ActionKind.IMPORT: "=",
}


@dataclass(frozen=True, slots=True)
class SitePreview:
    """What merging would do to one site.

    Attributes:
        site: its name.
        plan: what would be done, None where nobody can tell.
        verdict: what the guard says of that as things are now, None without a plan.
        trouble: why there is no plan, or what keeps the spec from being used.
        wrong: whether that is the proposal's fault.
    """

    site: str
    plan: Plan | None = None
    verdict: Verdict | None = None
    trouble: str = ""
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What merging would do.

    Attributes:
        proposal: the two commits, and what came of merging them.
        lines: what changes, site by site, in words.
        sites: touched sites, by name; those that are looked at.
        more: touched sites that are not.
        refused: problems that the proposal brings.
        notes: what else there is to say.
    """

    proposal: Proposal
    lines: tuple[str, ...] = ()
    sites: tuple[SitePreview, ...] = ()
    more: int = 0
    refused: int = 0
    notes: tuple[str, ...] = field(default_factory=tuple)


def marker(context: str) -> str:
    """The hidden line by which our comment is found again; each context has its own."""
    name = _MARKER.sub("_", context).replace("--", "__")
    return f"<!-- {name}: preview of a pull request -->"


def verdict_on(preview: Preview) -> tuple[CommitState, str]:
    """The preview in one line, for the status of the proposed commit."""
    proposal = preview.proposal
    if proposal.conflicts:
        where = counted(len(proposal.conflicts), "file")
        return CommitState.FAILURE, f"cannot be merged: conflicts in {where}"
    if not proposal.commit:
        return CommitState.ERROR, f"cannot be previewed: {proposal.trouble}"
    if preview.refused:
        return CommitState.FAILURE, f"{counted(preview.refused, 'problem')} in specs"
    touched = len(preview.sites) + preview.more
    if not touched:
        return CommitState.SUCCESS, "changes no site"
    words = [f"touches {counted(touched, 'site')}"]
    wrong = [item for item in preview.sites if item.wrong or isinstance(item.verdict, Refused)]
    asking = sum(isinstance(item.verdict, NeedsApproval) for item in preview.sites)
    words += [f"{counted(len(wrong), 'site')} would be refused"] if wrong else []
    words += [f"{asking} would need approval"] if asking else []
    return (CommitState.FAILURE if wrong else CommitState.SUCCESS), ", ".join(words)


def outdated(context: str, head: str) -> str:
    """What the comment says once the pull request is closed or merged."""
    words = f"**Outdated:** this was the preview of `{short(head)}`, until it was merged or closed."
    return f"{marker(context)}\n{words}"


def comment(context: str, preview: Preview) -> str:
    """The whole comment.

    Args:
        context: the name that statuses begin with.
        preview: what there is to say.
    """
    proposal = preview.proposal
    _, words = verdict_on(preview)
    where = f"`{short(proposal.head)}` into `{short(proposal.base)}`"
    head = [marker(context), "### What merging this would do", "", f"{_plain(words)} ({where})", ""]
    head += [f"> {_plain(note)}" for note in preview.notes]
    parts = ["\n".join(head), *_trouble(proposal)]
    if preview.lines:
        parts.append(fenced(preview.lines))
    if preview.sites:
        parts.append("\n".join(_table(preview.sites[:_SHOWN_SITES])))
    return _joined(parts, [_details(item) for item in preview.sites[:_SHOWN_SITES]], preview)


def _joined(parts: Sequence[str], details: Sequence[str], preview: Preview) -> str:
    """As many details as there is room for, and how many sites are left out."""
    text, shown = "\n".join(parts), 0
    for detail in details:
        if len(text) + len(detail) > LONGEST - _LINE:
            break
        text += "\n" + detail
        shown += 1
    left = preview.more + len(preview.sites) - shown
    return text + (f"\n\n{counted(left, 'more site')}, not shown in detail." if left else "")


def _trouble(proposal: Proposal) -> Iterator[str]:
    if proposal.conflicts:
        yield "It cannot be merged as it is: these files were changed on both sides.\n"
        yield fenced(proposal.conflicts)
    elif proposal.trouble:
        yield fenced((proposal.trouble,))


def _table(sites: Iterable[SitePreview]) -> Iterator[str]:
    yield "\n| site | plan | guard | a month |\n|---|---|---|---|"
    for item in sites:
        cells = (f"`{_name(item.site)}`", _plan_words(item), _guard_words(item.verdict), _month(item))
        yield f"| {' | '.join(cells)} |"


def _details(item: SitePreview) -> str:
    lines = list(_site_lines(item))
    if not lines:
        return ""
    body = fenced(lines)
    return f"<details><summary><code>{_name(item.site)}</code></summary>\n\n{body}\n\n</details>"


def _site_lines(item: SitePreview) -> Iterator[str]:
    if item.trouble:
        yield item.trouble
    if item.plan is None:
        return
    for step in item.plan.steps:
        yield from _step(step)
    if item.plan.about.cost is not None and item.plan:
        yield f"cost: {cost_words(item.plan.about.cost)}"
    if item.verdict is not None and item.plan:
        yield f"guard: {_guard_words(item.verdict)}"
        for reason in told_of(item.verdict):
            yield f"  {reason.message} [{reason.rule}]"
        for mend in dict.fromkeys(reason.mend for reason in standing_in_the_way(item.verdict) if reason.mend):
            yield f"  to go on: {mend}"


def _step(step: Step) -> Iterator[str]:
    if step.kind is StepKind.DNS:
        yield step.kind.value
        for action, change in changes_of(step):
            yield f"{_action(action)}  {change}".rstrip()
        return
    about = [] if step.actions else list(step.hosts)
    # The digests of what goes in say nothing to people.
    about += [word for word in step.detail if not word.startswith("inputs ")]
    yield f"{step.kind.value:<10} {', '.join(about)}".rstrip()
    for action in step.actions:
        yield _action(action)


def _action(action: Action) -> str:
    changed = f"  ({', '.join(action.changed)})" if action.changed else ""
    return f"  {_SIGNS[action.kind]} {action.kind.value:<9} {action.address}{changed}"


def _plan_words(item: SitePreview) -> str:
    if item.plan is None:
        return "not used" if item.wrong else "not known"
    if not item.plan:
        return "nothing"
    counts: dict[ActionKind, int] = {}
    for action in item.plan.actions:
        counts[action.kind] = counts.get(action.kind, 0) + 1
    steps = [f"{count} {kind.value}" for kind, count in counts.items()]
    steps += [step.kind.value for step in item.plan.steps if not step.actions]
    return ", ".join(steps)


def _guard_words(verdict: Verdict | None) -> str:
    match verdict:
        case Allowed():
            return "may be carried out"
        case NeedsApproval():
            return "needs approval"
        case Refused():
            return "refused"
        case Waiting():
            return "has to wait"
    return ""


def _month(item: SitePreview) -> str:
    change = item.plan.about.cost if item.plan else None
    if change is None or not item.plan:
        return ""
    if change.before.unknown or change.after.unknown:
        return "unknown"
    difference = change.after.monthly - change.before.monthly
    sign = "" if abs(difference) < 0.005 else f" ({difference:+.2f})"  # noqa: PLR2004  (half a cent)
    return f"{_name(change.currency)} {change.after.monthly:.2f}{sign}"


def cost_words(change: CostChange) -> str:
    """What a plan makes of the cost of its site, an hour and a month."""
    unknown = sorted({*change.before.unknown, *change.after.unknown})
    more = f", and more: no price is known for {', '.join(unknown)}" if unknown else ""
    before, after = change.before, change.after
    hourly = f"{before.hourly:.4f} -> {after.hourly:.4f} an hour"
    return f"{change.currency} {hourly}, {before.monthly:.2f} -> {after.monthly:.2f} a month{more}"


def fenced(lines: Iterable[str]) -> str:
    """Lines of anybody's, in a fence that none of them can end; shortened."""
    shown, size, left = [], 0, 0
    for line in lines:
        clean = _visible(line)
        size += len(clean) + 1
        if size > _BLOCK:
            left += 1
        else:
            shown.append(clean)
    if left:
        shown.append(f"... {counted(left, 'more line')}")
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n" + "\n".join(shown) + f"\n{fence}"


def _visible(line: str) -> str:
    """One line of characters that show, its columns kept."""
    plain = "".join(c if c.isprintable() else " " for c in line[:_LINE])
    return plain + ("…" if len(line) > _LINE else "")


def _name(text: str) -> str:
    """A name that can stand anywhere: what is valid stays as it is."""
    return re.sub(r"[^A-Za-z0-9._-]", "?", text[:80])


def _plain(text: str) -> str:
    """Words of ours, which may hold others' words all the same: nothing in them is markup."""
    return re.sub(r"[^A-Za-z0-9 .,:;()'/%-]", "?", one_line(text, _LINE))
