"""Which controller is meant, and what is shown to it."""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from otto.model.errors import UsageError

if TYPE_CHECKING:
    from otto.config import Settings

_LONGEST_TOKEN = 200


@dataclass(frozen=True, slots=True)
class Server:
    """A controller elsewhere.

    Attributes:
        url: of its API, without a slash at the end.
        token: shown to it, "" for none.
        authority: file of the certificate authorities to trust, None for the system's.
        timeout: seconds an answer may take, unless the question is known to take longer.
    """

    url: str
    token: str = field(repr=False)
    authority: Path | None
    timeout: float

    def tls(self) -> ssl.SSLContext | bool:
        """How its certificate is checked; it always is.

        Raises:
            UsageError: the file of authorities cannot be read.
        """
        if not self.url.startswith("https:"):
            return True
        try:
            return ssl.create_default_context(cafile=str(self.authority) if self.authority else None)
        except OSError as error:  # of which ssl.SSLError is one
            words = error.strerror or "it holds no certificate"
            mend = "name a file of certificates in PEM: --ca FILE"
            raise UsageError(f"{self.authority} cannot be used: {words}", mend=mend) from error


def server_of(settings: "Settings", given: str | None, environ: Mapping[str, str]) -> Server:
    """The controller that settings and flags name.

    Args:
        settings: the settings.
        given: the token as the command line has it, None without.
        environ: where a reference to a variable is looked up.

    Raises:
        UsageError: the address or the token will not do.
    """
    remote = settings.remote
    url = _address(remote.server, plain=remote.plain)
    token = _token(given, settings, environ)
    authority = Path(remote.ca).expanduser() if remote.ca else None
    return Server(url, token, authority, max(1.0, remote.timeout))


def _address(text: str, *, plain: bool) -> str:
    where = text.strip().rstrip("/")
    try:
        parts = urlsplit(where)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise _no_address(text) from error
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise _no_address(text)
    if parts.username is not None or parts.password is not None:
        mend = "leave it out, and give a token: --token-file FILE"
        raise UsageError("the address of the server holds a name or password", mend=mend)
    if parts.scheme == "http" and not plain and not _is_here(host):
        mend = "use https://; where the network itself is safe, set remote.plain (OTTO_REMOTE_PLAIN=1)"
        raise UsageError(f"{where} is not encrypted: the token would be for everybody to read", mend=mend)
    return where


def _no_address(text: str) -> UsageError:
    return UsageError(
        f"{text[:80]!r} is no address of a server", mend="write it as https://otto.example.org:7070"
    )


def _is_here(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _token(given: str | None, settings: "Settings", environ: Mapping[str, str]) -> str:
    from otto.adapters.secrets import Resolver  # noqa: PLC0415  (only where there is a server)

    if given is not None:
        token = given.strip()
    elif settings.remote.token == _USUAL and not environ.get("OTTO_TOKEN"):
        token = ""  # nobody gave one: a controller on loopback may want none
    else:
        resolver = Resolver(environ, vault_password=settings.secrets.vaultPassword)
        token = resolver.text("remote.token", settings.remote.token).strip()
    if len(token) > _LONGEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("the token is none", mend="take it as otto token create printed it")
    return token


_USUAL = "env:OTTO_TOKEN"
