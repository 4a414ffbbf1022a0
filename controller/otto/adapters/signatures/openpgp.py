"""Calls of `gpgv`, and what its status lines mean (GnuPG, doc/DETAILS).

Its exit status says that a signature fits, whether or not the key has ended: only the lines tell.
"""

from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

from otto.model.errors import TerminalError
from otto.model.signature import SKEW, Scheme, Signer
from otto.model.text import one_line

_PREFIX = "[GNUPG:] "
_WEAK = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD-160"}
_ENDED = {
    "EXPKEYSIG": "its key has ended",
    "REVKEYSIG": "its key is revoked",
    "EXPSIG": "its signature has ended",
    "BADSIG": "its signature is not of what it says",
}
_BINARY = "00"
_NO_KEY = "9"


def prepare(folder: Path, signature: str, keys: bytes) -> tuple[str, ...]:
    """Write what the call reads, and say it; what was signed is its standard input."""
    (folder / "keys").write_bytes(keys)
    (folder / "signature").write_text(signature, encoding="ascii")
    weak = ("--weak-digest", "SHA1", "--weak-digest", "RIPEMD160")
    own = ("--homedir", str(folder), "--keyring", str(folder / "keys"))
    return ("gpgv", "--quiet", *own, *weak, "--status-fd", "1", str(folder / "signature"), "-")


def signer(output: str, now: datetime) -> Signer:
    """Who signed, by the status lines.

    Raises:
        TerminalError: nobody whose signature counts.
    """
    lines = [
        line.removeprefix(_PREFIX).split(" ") for line in output.splitlines() if line.startswith(_PREFIX)
    ]
    told = {line[0]: line[1:] for line in lines}
    if sum(line[0] == "NEWSIG" for line in lines) > 1:
        raise TerminalError("it has more than one signature")
    key = _key(told)
    for word, reason in _ENDED.items():
        if word in told:
            raise TerminalError(f"{reason} ({key})")
    if "ERRSIG" in told:
        raise TerminalError(_unchecked(told["ERRSIG"], key))
    if "GOODSIG" not in told or "VALIDSIG" not in told:
        raise TerminalError("its OpenPGP signature cannot be read")
    return _good(told, key, now)


def _good(told: dict[str, list[str]], key: str, now: datetime) -> Signer:
    # VALIDSIG: fingerprint, date, time, expiry, version, reserved, the key's algorithm, the digest's, class,
    # fingerprint of the primary key.
    valid = told["VALIDSIG"]
    _, _, made, expires, _, _, _, digest, kind, *_ = (*valid, *[""] * 10)
    if digest in _WEAK:
        raise TerminalError(f"its signature is over {_WEAK[digest]}, which can be forged ({key})")
    if kind != _BINARY:
        raise TerminalError(f"its signature is not of the kind that git makes ({key})")
    if expires != "0" and expires.isdecimal() and int(expires) <= now.timestamp():
        raise TerminalError(f"{_ENDED['EXPSIG']} ({key})")
    if not made.isdecimal() or int(made) > now.timestamp() + SKEW:
        raise TerminalError(f"its signature was made at no time that has come ({key})")
    return Signer(_user(told["GOODSIG"]), valid[-1], Scheme.OPENPGP)


def _unchecked(error: list[str], key: str) -> str:
    _, _, digest, _, _, code, *_ = (*error, *[""] * 6)
    if code == _NO_KEY:
        return f"it is signed with a key that the fleet's policy does not know: {key}"
    if digest in _WEAK:
        return f"its signature is over {_WEAK[digest]}, which can be forged ({key})"
    return f"its signature cannot be checked: gpgv's error {one_line(code, 20)} ({key})"


def _key(told: dict[str, list[str]]) -> str:
    """The key as far as known: fingerprint and user, or its id alone."""
    for word in ("GOODSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "BADSIG"):
        if word in told:
            fingerprint = told["VALIDSIG"][-1] if told.get("VALIDSIG") else told[word][0]
            return f"key {fingerprint} of {_user(told[word])}"
    error = told.get("ERRSIG", [])
    last = error[-1] if error else ""
    return f"key {one_line(last if len(last) > 2 else (error[0] if error else 'unknown'), 60)}"  # noqa: PLR2004


def _user(line: list[str]) -> str:
    return one_line(unquote(" ".join(line[1:])), 200)
