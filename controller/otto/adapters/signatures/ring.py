"""The keys that a policy names, its files read."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from otto.decide.keys import AllowedSigner, allowed_signer, public_keys
from otto.model.errors import TerminalError, UsageError
from otto.model.signature import KnownKey, Signatures

_MOST_BYTES = 1024 * 1024
_ARMOUR = "-----BEGIN "


@dataclass(frozen=True, slots=True)
class Ring:
    """Keys whose signatures count.

    Attributes:
        lines: of allowed signers.
        signers: the same, read.
        openpgp: public keys, as gpgv takes them.
        revoked: SSH public keys that count no more, one a line.
    """

    lines: tuple[str, ...] = ()
    signers: tuple[AllowedSigner, ...] = ()
    openpgp: bytes = field(default=b"", repr=False)
    revoked: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Names these keys."""
        parts = (*self.lines, "", *self.revoked, "", hashlib.sha256(self.openpgp).hexdigest())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read_ring(policy: Signatures, folder: Path) -> Ring:
    """The keys of a policy.

    Args:
        policy: names them.
        folder: where relative paths begin.

    Raises:
        TerminalError: one of them is no key, or its file cannot be read: then none counts.
    """
    lines: list[str] = []
    blocks: list[bytes] = []
    for where, text in _texts(policy.keys, folder):
        try:
            if _ARMOUR in text:
                blocks.append(public_keys(text))
            else:
                lines.extend(_lines(text))
            signers = tuple(map(allowed_signer, lines))
        except UsageError as error:
            raise TerminalError(f"{where}: {error.message}", mend=error.mend) from error
    return Ring(tuple(lines), signers, b"".join(blocks), policy.revoked) if policy.keys else Ring()


def _texts(keys: Sequence[KnownKey], folder: Path) -> Iterator[tuple[str, str]]:
    for number, key in enumerate(keys, 1):
        if key.file:
            path = folder / key.file
            yield f"the key file {path}", _text(path)
        else:
            yield f"key {number} of the fleet's policy", key.ssh or key.openpgp


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        mend = "put it there, or take it out of the policy"
        raise TerminalError(f"the key file {path} cannot be read: {error.strerror}", mend=mend) from error
    if len(data) > _MOST_BYTES:
        raise TerminalError(f"the key file {path} is bigger than {_MOST_BYTES} bytes", mend="split it")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        mend = "export it in ASCII armour: gpg --armor --export ID"
        raise TerminalError(f"the key file {path} is no text", mend=mend) from error
