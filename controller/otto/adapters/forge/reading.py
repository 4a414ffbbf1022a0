"""What is taken out of a forge's answers; what is not of its kind is an error, never a crash."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from otto.adapters.forge.answer import Reply
from otto.model.errors import TransientError

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NEXT = re.compile(r'<[^>]*>\s*;[^,]*\brel="?next"?')


def item(data: object) -> Mapping[str, Any]:
    """An object.

    Raises:
        TransientError: it is none.
    """
    if not isinstance(data, Mapping):
        raise TransientError("the forge answered with something else than an object")
    return data


def items(data: object) -> Sequence[Mapping[str, Any]]:
    """A list of objects.

    Raises:
        TransientError: it is none.
    """
    if not isinstance(data, list):
        raise TransientError("the forge answered with something else than a list")
    return [item(entry) for entry in data]


def name(data: Mapping[str, Any], key: str = "id") -> str:
    """An id: a whole number, as text.

    Raises:
        TransientError: there is none.
    """
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TransientError(f"the forge answered without a number as {key}")
    return str(value)


def commit(value: object) -> str:
    """A commit id, "" when it is none."""
    return value if isinstance(value, str) and _COMMIT.fullmatch(value) else ""


def text(value: object) -> str:
    """A text, "" when it is none."""
    return value if isinstance(value, str) else ""


def has_more(reply: Reply) -> bool:
    """Whether another page follows: `Link` (RFC 8288), or GitLab's `X-Next-Page`."""
    return bool(reply.headers.get("x-next-page")) or bool(_NEXT.search(reply.headers.get("link", "")))
