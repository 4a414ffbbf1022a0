"""Makes what a tool said fit to be shown and stored: no secrets, no escapes, not endless."""

import re

MASK = "•••"
_LONGEST = 2000
_ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-9;?]*[A-Za-z]")
_KEPT = "\n\t"
_SECRETS = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        MASK,
    ),
    (re.compile(r"(://[^\s/:@]*:)[^\s/@]+@"), rf"\1{MASK}@"),
    (
        re.compile(
            r"(?i)\b((?:\w*(?:password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key))"
            r"[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|\S+)"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)\b(authorization:\s*\w+\s+)\S+"), rf"\1{MASK}"),
)


def scrub(text: str, longest: int = _LONGEST) -> str:
    """The text without secrets and control characters, shortened in the middle when it is too long."""
    text = _printable(_ESCAPES.sub("", text))
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    text = text.strip()
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} … {text[-half:]}"


def _printable(text: str) -> str:
    """Without what steers terminals or makes a line read differently from what it says (CVE-2021-42574)."""
    if text.isprintable():
        return text
    return "".join(letter for letter in text if letter.isprintable() or letter in _KEPT)


def one_line(text: str, longest: int = _LONGEST) -> str:
    """The same on one line."""
    return scrub(" ".join(text.split()), longest)
