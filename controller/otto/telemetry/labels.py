"""Label values that can stand in any exposition, whatever they were before."""

import hashlib

_LONGEST = 200
_KEPT = 160
_CUT = "…"


def label(text: str) -> str:
    """A text as a label value; different texts stay different.

    A text of printable characters stays as it is. Others (control and direction-changing characters, half
    surrogate pairs, which UTF-8 cannot carry) are written with escapes, and so are those that hold the marks
    of escapes and cuts, lest two become one. Very long ones are cut, with a digest of the whole.
    """
    if not text.isprintable() or "\\" in text or _CUT in text:
        text = text.encode("unicode_escape").decode("ascii")
    if len(text) > _LONGEST:
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        text = f"{text[:_KEPT]}{_CUT}{digest}"
    return text
