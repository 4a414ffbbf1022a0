"""TLS by a certificate and a key in files, taken anew when they change."""

import os
import ssl
from pathlib import Path

import structlog

from otto.model.errors import UsageError

log = structlog.get_logger("otto.api")


class Certificate:
    """A certificate with its key, in a TLS context; belongs to one thread.

    Args:
        certificate: PEM file, the chain behind the certificate itself.
        key: PEM file, not encrypted.

    Raises:
        UsageError: they cannot be read, or do not belong together.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        try:
            self._load()
        except (OSError, ValueError) as error:
            raise UsageError(
                f"TLS cannot be set up with {certificate} and {key}: {_words(error)}",
                mend="api.certificate and api.key name PEM files that belong together",
            ) from error
        self._seen = self._state()

    def renew(self) -> None:
        """Take the files anew if they changed: connections from then on get the new certificate.

        Files that make no sense, as while they are being replaced, leave the one before in force.
        """
        now = self._state()
        if now == self._seen:
            return
        self._seen = now
        try:
            # Tried apart: a failed load could leave a certificate without its key.
            Certificate(self._certificate, self._key)
            self._load()
        except (UsageError, OSError) as error:
            log.warning("tls.failed", file=str(self._certificate), error=str(error))
        else:
            log.info("tls.renewed", file=str(self._certificate))

    def _load(self) -> None:
        # Without a password of its own, an encrypted key would have OpenSSL ask at the terminal.
        self.context.load_cert_chain(self._certificate, self._key, password=lambda: b"")

    def _state(self) -> tuple[object, ...]:
        return tuple(_mark(path) for path in (self._certificate, self._key))


def _mark(path: Path) -> tuple[int, int, int]:
    try:
        found: os.stat_result = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def _words(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
