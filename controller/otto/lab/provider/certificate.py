"""The certificate of one provider process, made at its start and gone with it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_VALID = timedelta(days=1)
_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key and its certificate."""

    key: bytes = field(repr=False)
    chain: bytes
    der: bytes


def self_signed() -> Certificate:
    """A certificate for "localhost", which is what go-plugin expects.

    Its key lies on an elliptic curve, which takes 0.1 ms to make.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
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
    return Certificate(
        private, certificate.public_bytes(Encoding.PEM), certificate.public_bytes(Encoding.DER)
    )
