"""Public keys and signatures as text: lines of allowed signers, SSH signatures, OpenPGP's armour.

Only what has to be known before a tool is asked: whether text is a key at all, whose, and which. Whether a
signature is good is for `ssh-keygen` and `gpgv` to say.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from otto.model.errors import UsageError

_OPTION = re.compile(r'[a-z-]+(?:="[^"]*")?', re.IGNORECASE)
_OPTIONS = frozenset({"cert-authority", "namespaces", "valid-after", "valid-before"})
_TIME = re.compile(r"\d{8}(?:\d{4}(?:\d{2})?)?Z?")
_ARMOUR = re.compile(
    r"-----BEGIN PGP ([A-Z ]+)-----[ \t]*\n((?:[^\n]+\n)*)[ \t]*\n(.*?)^-----END PGP \1-----[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_MAGIC = b"SSHSIG\0\0\0\1"
_LENGTH = 4
_PUBLIC_KEY, _LEGACY_SHIFT = 6, 2
SSH_SIGNATURE = "-----BEGIN SSH SIGNATURE-----"
PGP_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"


@dataclass(frozen=True, slots=True)
class AllowedSigner:
    """A line of allowed signers.

    Attributes:
        principals: whom it is of.
        key: the key's fingerprint, as `ssh-keygen -l` shows it.
        authority: whether it vouches for other keys.
        options: its options by name, in lower case; the value "" for one without.
    """

    principals: str
    key: str
    authority: bool
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class SshSignature:
    """What a signature of SSH's says of itself (OpenSSH, PROTOCOL.sshsig).

    Attributes:
        key: the key's fingerprint.
        kind: the key's type.
        namespace: what it was made for; git's is `git`.
        algorithm: how the key signed.
    """

    key: str
    kind: str
    namespace: str
    algorithm: str


def allowed_signer(line: str) -> AllowedSigner:
    """Read a line of allowed signers.

    Raises:
        UsageError: it is none; says what is wrong with it.
    """
    fields = _fields(line)
    if len(fields) < 3:  # noqa: PLR2004  (principals, type, key)
        mend = 'write it as: ada@example.org namespaces="git" ssh-ed25519 AAAA…'
        raise UsageError(
            "this is no line of allowed signers: principals, key type and key belong there", mend=mend
        )
    principals, *rest = fields
    options = {} if _is_type(rest[0]) else _options(rest.pop(0))
    if len(rest) < 2:  # noqa: PLR2004  (type, key)
        raise UsageError("the key itself is missing", mend="append the content of the .pub file")
    return AllowedSigner(
        principals, fingerprint(f"{rest[0]} {rest[1]}"), "cert-authority" in options, options
    )


def fingerprint(key: str) -> str:
    """The fingerprint of an SSH public key: `TYPE BASE64 …`, as `ssh-keygen -l` shows it.

    Raises:
        UsageError: it is none.
    """
    kind, _, rest = key.strip().partition(" ")
    try:
        blob = base64.b64decode(rest.split()[0] if rest.split() else "", validate=True)
        inner, left = _string(blob)
        while left:
            _, left = _string(left)
    except (binascii.Error, ValueError):
        raise UsageError(
            "this is no SSH public key", mend="copy it from the .pub file, in one line"
        ) from None
    if inner.decode(errors="replace") != kind:
        raise UsageError(f"the key is not of the type {kind[:40]}", mend="copy it from the .pub file anew")
    return _fingerprint(blob)


def _fields(line: str) -> list[str]:
    """Fields between spaces; quotation marks hold a field together."""
    return re.findall(r'(?:[^\s"]|"[^"]*")+', line)


def _is_type(field: str) -> bool:
    return re.fullmatch(r"(ssh|ecdsa|sk-ssh|sk-ecdsa|rsa)-?[a-z0-9@.-]+", field) is not None


def _options(field: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for option in re.findall(r'(?:[^,"]|"[^"]*")+', field):
        name, _, value = option.partition("=")
        name, value = name.lower(), value.strip('"')
        if not _OPTION.fullmatch(option) or name not in _OPTIONS:
            allowed = ", ".join(sorted(_OPTIONS))
            raise UsageError(f"the option {option[:40]} is not known", mend=f"options are {allowed}")
        if name.startswith("valid-") and not _TIME.fullmatch(value):
            mend = "write it as YYYYMMDD or YYYYMMDDHHMMSS, with a Z for UTC"
            raise UsageError(f"{name} is no time", mend=mend)
        found[name] = value
    return found


def ssh_signature(text: str) -> SshSignature:
    """Read what a signature says of itself.

    Raises:
        UsageError: it cannot be read.
    """
    body = "".join(line for line in text.split("\n") if not line.startswith("-----"))
    try:
        key, namespace, _, _, signature = _strings(base64.b64decode(body, validate=True))
        kind, algorithm = _string(key)[0], _string(signature)[0]
    except (binascii.Error, ValueError):
        raise UsageError("the SSH signature cannot be read") from None
    words = (part.decode(errors="replace") for part in (kind, namespace, algorithm))
    return SshSignature(_fingerprint(key), *words)


def _strings(blob: bytes) -> list[bytes]:
    """The fields of a signature: key, namespace, something reserved, digest's name, signature."""
    if not blob.startswith(_MAGIC):
        raise ValueError("not a signature of version 1")
    rest, found = blob[len(_MAGIC) :], []
    for _ in range(5):
        part, rest = _string(rest)
        found.append(part)
    if rest:
        raise ValueError("more than a signature")
    return found


def _string(blob: bytes) -> tuple[bytes, bytes]:
    """A string of SSH's (RFC 4251, section 5), and what comes behind it."""
    length = int.from_bytes(blob[:_LENGTH])
    if len(blob) < _LENGTH + length:
        raise ValueError("cut off")
    return blob[_LENGTH : _LENGTH + length], blob[_LENGTH + length :]


def _fingerprint(blob: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def public_keys(text: str) -> bytes:
    """OpenPGP public keys out of their armour, all blocks of the text one behind the other.

    Raises:
        UsageError: there is none, or something else is among them; a private key is told and never shown.
    """
    blocks = list(_ARMOUR.finditer(text.replace("\r\n", "\n").strip() + "\n"))
    if "PRIVATE KEY" in text:
        raise UsageError(
            "this is a private key, and does not belong here",
            mend="take it out, count it as leaked, and put the public key here: gpg --armor --export ID",
        )
    if not blocks or len(blocks) != text.count("-----BEGIN "):
        mend = "put the output of gpg --armor --export ID here"
        raise UsageError("this is no OpenPGP public key in ASCII armour", mend=mend)
    return b"".join(_public_key(match.group(1), match.group(3)) for match in blocks)


def _public_key(kind: str, body: str) -> bytes:
    lines = [line.strip() for line in body.split("\n") if line.strip() and not line.startswith("=")]
    try:
        data = base64.b64decode("".join(lines), validate=True)
    except binascii.Error:
        data = b""
    if kind != "PUBLIC KEY BLOCK" or _packet(data) != _PUBLIC_KEY:
        mend = "put the output of gpg --armor --export ID here"
        raise UsageError("this is armour of OpenPGP's, but no public key", mend=mend)
    return data


def _packet(data: bytes) -> int:
    """Which kind of packet OpenPGP data begins with (RFC 9580, section 4.2), 0 for none."""
    first = data[0] if data else 0
    if not first & 0x80:
        return 0
    return first & 0x3F if first & 0x40 else (first & 0x3F) >> _LEGACY_SHIFT
