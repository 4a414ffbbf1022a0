"""Text that other people wrote: read with care, shown without harm."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

# Characters that no spec may hold as they are: bidirectional controls make a line read differently from
# what it says (CVE-2021-42574), the others steer terminals. A byte order mark was cut off before.
HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_CREDENTIALS = re.compile(r"(?<=//)\S*@")
_TOKENS = re.compile(
    r"\b(?:gh[opsur]_|github_pat_|glpat-|xox[abprs]-|AKIA|Bearer\s+|Basic\s+)[A-Za-z0-9_=+/.-]{6,}"
    r"|-----BEGIN[^-]*-----.*",
    re.DOTALL,
)
_LONGEST = 60
_LOOKED_AT = 4096


def safe(text: str, longest: int = _LONGEST) -> str:
    """Text fit for any terminal and log: secrets masked, one line, printable, shortened."""
    # A secret must be whole to be recognised, so it is masked before the text is shortened.
    masked = _TOKENS.sub("***", _CREDENTIALS.sub("***@", text[:_LOOKED_AT]))
    plain = "".join(_printable(character) for character in masked[: longest + 1])
    return plain if len(plain) <= longest else plain[: longest - 3] + "..."


def _printable(character: str) -> str:
    if character.isprintable() and not HIDDEN.match(character):
        return character
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character) or f"\\u{ord(character):04x}"


def quoted(text: str, longest: int = _LONGEST) -> str:
    """As `safe`, in quotation marks."""
    return f'"{safe(text, longest)}"'


def did_you_mean(word: str, candidates: Sequence[str]) -> str:
    """The candidate a person most likely meant, "" when none is near."""
    lowered = {candidate.lower(): candidate for candidate in candidates}
    # difflib is quadratic: a word longer than any candidate could be near is not looked at.
    if len(word) > _LONGEST:
        return ""
    near = get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return lowered[near[0]] if near else ""


def choices(values: Sequence[object]) -> str:
    """What may stand somewhere, as a list for people."""
    return ", ".join(str(value) for value in values)
