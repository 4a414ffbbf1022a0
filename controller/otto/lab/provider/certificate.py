"""The certificate that Terraform insists on for talking to a provider over a socket in a private folder.

It is kept for some days beside the mirror: making one means loading a library for 50 ms, and Terraform starts
three provider processes for every plan.
"""

import base64
import contextlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from otto.lab.files import write

_VALID = timedelta(days=7)
_RENEWED = timedelta(days=1)
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key and its certificate, for "localhost", which is what go-plugin expects.

    Attributes:
        key: private key, PEM.
        chain: certificate, PEM.
        until: when it ends.
    """

    key: str = field(repr=False)
    chain: str
    until: datetime

    @property
    def der(self) -> bytes:
        """The certificate alone, DER."""
        return base64.b64decode("".join(self.chain.split("-----")[2].split()))


def certificate(file: Path, now: datetime) -> Certificate:
    """The certificate kept in a file; a new one when there is none, or it soon ends.

    Args:
        file: where it is kept, for its owner alone.
        now: the time.
    """
    kept = _read(file)
    if kept and now + _RENEWED < kept.until:
        return kept
    made = make(now)
    text = json.dumps({"key": made.key, "chain": made.chain, "until": made.until.isoformat()})
    with contextlib.suppress(OSError):
        write(file, text, mode=0o600)
    return made


def make(now: datetime) -> Certificate:
    """A new self-signed certificate; its key lies on an elliptic curve, which takes 0.1 ms to make."""
    from cryptography import x509  # noqa: PLC0415  (50 ms)
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Certificate(private.decode(), signed.public_bytes(Encoding.PEM).decode(), now + _VALID)


def _read(file: Path) -> Certificate | None:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        until = datetime.fromisoformat(kept["until"]).astimezone(UTC)
        return Certificate(kept["key"], kept["chain"], until)
    except (OSError, ValueError, KeyError, TypeError):
        return None
