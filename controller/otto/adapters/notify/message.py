"""A notice as it is sent: plain text, whatever others wrote into it.

A title is one line, so that no header of an e-mail can be slipped in. In chats, which read markup and
mentions out of text, characters that begin them are replaced by ones that look alike.
"""

import unicodedata
from dataclasses import dataclass, replace

from otto.model.notice import Notice, NoticeKind

_TITLE, _BODY = 200, 3000
_MOVING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# A mention needs its `@` right before the name; `<…>` is a link or a mention in Slack's format.
_IN_CHATS = str.maketrans({"@": "@\N{ZERO WIDTH SPACE}", "<": "\u2039", ">": "\u203a", "`": "'"})
_TYPES = {
    NoticeKind.APPROVAL: "warning",
    NoticeKind.REFUSED: "failure",
    NoticeKind.FREEZE: "failure",
    NoticeKind.THAW: "success",
    NoticeKind.TTL: "warning",
    NoticeKind.BUDGET: "warning",
    NoticeKind.WARNING: "warning",
    NoticeKind.FLAPPING: "failure",
    NoticeKind.SIGNATURE: "failure",
    NoticeKind.ROLLOUT: "failure",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent.

    Attributes:
        title: one line.
        body: some lines.
        kind: what about, as `NoticeKind` has it.
        site: which site, "" for all.
        at: when, as ISO 8601 in UTC.
        type: how grave, in Apprise's words: `success`, `warning` or `failure`.
    """

    title: str
    body: str
    kind: str
    site: str
    at: str
    type: str


def message(notice: Notice) -> Message:
    """A notice without anything but text in it."""
    return Message(
        title=one_line(f"[otto] {notice.title}", _TITLE),
        body=_lines(notice.body) or "(nothing more is known)",
        kind=notice.kind.value,
        site=one_line(notice.site, _TITLE),
        at=notice.at.isoformat(timespec="seconds"),
        type=_TYPES[notice.kind],
    )


def in_chat(told: Message) -> Message:
    """The same for a chat: nobody is called by it, and nothing is drawn."""
    return replace(told, title=told.title.translate(_IN_CHATS), body=told.body.translate(_IN_CHATS))


def fenced(told: Message) -> Message:
    """The same for a chat that reads Markdown: all of it in a block of code, which is shown as it is."""
    words = in_chat(told)
    return replace(words, title="", body=f"```\n{words.title}\n\n{words.body}\n```")


def one_line(text: str, most: int) -> str:
    """A text as one line of characters that show, shortened."""
    words = " ".join("".join(map(_shown, text[: 4 * most])).split())
    return words if len(words) <= most else words[: most - 1] + "…"


def _lines(text: str) -> str:
    kept = "\n".join("".join(map(_shown, line)).rstrip() for line in text.splitlines()).strip()
    # The command that lets it go on stands at the end: what is too long is cut in the middle.
    return kept if len(kept) <= _BODY else f"{kept[: _BODY // 2]}\n…\n{kept[-_BODY // 2 :]}"


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in _MOVING else character
