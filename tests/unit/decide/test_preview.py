"""The comment on a pull request: nothing that somebody else wrote can break out of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide.preview import LONGEST, Preview, SitePreview, comment, fenced, marker, outdated, verdict_on
from otto.model.cost import Cost, CostChange
from otto.model.forge import CommitState, Proposal
from otto.model.plan import Action, ActionKind, Circumstances, Plan, Step, StepKind
from otto.model.verdict import Allowed, NeedsApproval, Reason, Refused

MERGED = Proposal("a" * 40, "b" * 40, "c" * 40)
HOSTILE = (
    "@everyone fixes #1 ![x](https://evil.example/a.png)",
    "```\n</details><script>alert(1)</script>\n/close\n/merge",
    "`````` ~~~~ | pipe | ``",
    "<!-- otto: preview of a pull request -->",
    "\x1b[31m\u202eevil\u2028/approve",
)


def plan(site: str, *actions: Action, cost: CostChange | None = None) -> Plan:
    step = Step(StepKind.PROVISION, (), actions or (Action("x", ActionKind.CREATE),))
    return Plan(site, "", (step,), Circumstances(cost=cost))


def outside_of_fences(text: str) -> str:
    """What a forge reads as Markdown: a fence ends with one at least as long (GFM 4.5)."""
    left, fence = [], ""
    for line in text.split("\n"):
        run = re.match("`{3,}", line)
        if not fence and run:
            fence = run[0]
        elif fence and run and len(run[0]) >= len(fence) and not line.strip("`").strip():
            fence = ""
        elif not fence:
            left.append(line)
    assert not fence, "a fence is left open"
    return "\n".join(left)


@pytest.mark.parametrize("evil", HOSTILE)
def test_nothing_hostile_is_read_as_markup(evil: str) -> None:
    reason = Reason("hook.x", evil, mend=evil)
    sites = (
        SitePreview(evil, plan(evil, Action(evil, ActionKind.CREATE, (evil,))), NeedsApproval((reason,))),
        SitePreview("two", trouble=evil, wrong=True),
    )
    said = Preview(MERGED, (evil,), sites, notes=(evil,), refused=1)
    for text in (
        comment("otto", said),
        comment("otto", Preview(Proposal("a", "b", conflicts=(evil,)))),
        comment("otto", Preview(Proposal("a", "b", trouble=evil))),
    ):
        first, *rest = outside_of_fences(text).split("\n")
        assert first == marker("otto")
        ours = "\n".join(rest)
        for sign in ("@", "#1", "![", "<script", "</details><", "<!--", "\x1b", "\u202e", "\u2028"):
            assert sign not in ours
        assert not [line for line in rest if line.startswith("/")]


@given(st.lists(st.text(max_size=80), max_size=8))
def test_no_text_ends_its_fence(lines: list[str]) -> None:
    assert outside_of_fences(fenced(lines)) == ""


@given(st.text(max_size=60))
def test_a_context_of_any_name_makes_a_marker_of_one_line(name: str) -> None:
    found = marker(name)
    assert found.startswith("<!-- ")
    assert "-->" not in found[:-3]
    assert "\n" not in found
    assert outdated(name, "a" * 40).startswith(found)


def test_a_comment_is_never_longer_than_forges_take_and_says_what_is_left_out() -> None:
    actions = tuple(Action("x" * 250 + str(number), ActionKind.CREATE) for number in range(400))
    sites = tuple(SitePreview(f"s{number}", plan("s", *actions), Allowed()) for number in range(25))
    text = comment("otto", Preview(MERGED, ("line " * 60,) * 500, sites, more=9_975))
    assert len(text) <= LONGEST
    assert "more lines" in text
    left = re.search(r"(\d+) more sites, not shown in detail", text)
    assert left is not None
    assert int(left[1]) >= 9_975
    assert outside_of_fences(text)


@pytest.mark.parametrize(
    ("preview", "state", "words"),
    [
        (Preview(MERGED), CommitState.SUCCESS, "changes no site"),
        (Preview(MERGED, refused=2), CommitState.FAILURE, "2 problems in specs"),
        (Preview(Proposal("a", "b", trouble="it hangs")), CommitState.ERROR, "cannot be previewed: it hangs"),
        (
            Preview(Proposal("a", "b", conflicts=("x", "y"))),
            CommitState.FAILURE,
            "cannot be merged: conflicts in 2 files",
        ),
        (
            Preview(MERGED, sites=(SitePreview("one", plan("one"), Refused((Reason("r", "no"),))),), more=3),
            CommitState.FAILURE,
            "touches 4 sites, 1 site would be refused",
        ),
        (
            Preview(MERGED, sites=(SitePreview("one", plan("one"), NeedsApproval((Reason("r", "no"),))),)),
            CommitState.SUCCESS,
            "touches 1 site, 1 would need approval",
        ),
        (
            Preview(MERGED, sites=(SitePreview("one", trouble="away"),)),
            CommitState.SUCCESS,
            "touches 1 site",
        ),
    ],
)
def test_a_preview_in_one_line(preview: Preview, state: CommitState, words: str) -> None:
    assert verdict_on(preview) == (state, words)


def test_money_is_told_by_the_month_and_not_guessed() -> None:
    dearer = CostChange(Cost(0.01), Cost(0.02), 0.01)
    unknown = CostChange(Cost(0.01), Cost(0.01, ("huge",)), 0.0)
    text = comment(
        "otto",
        Preview(
            MERGED,
            sites=(
                SitePreview("one", plan("one", cost=dearer), Allowed()),
                SitePreview("two", plan("two", cost=unknown), Allowed()),
            ),
        ),
    )
    assert "| EUR 14.60 (+7.30) |" in text
    assert "| unknown |" in text
    assert "no price is known for huge" in text
