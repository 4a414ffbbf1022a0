"""Secrets that settings and the environment hold: what no log may show."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from otto.adapters.notify.ways import open_ways, secrets_of
from otto.adapters.secrets import Resolver, open_secrets
from otto.model.errors import UsageError
from otto.telemetry.redaction import promises_secret

if TYPE_CHECKING:
    from otto.config import Settings

# Shorter values of variables are switches more often than secrets, and blanking `false` would help nobody.
_SHORTEST = 8


def known_secrets(settings: "Settings", environ: Mapping[str, str]) -> frozenset[str]:
    """Secrets as they are now; a reference that leads nowhere has none.

    Args:
        settings: whose references and addresses are followed.
        environ: where variables named like secrets are looked for.
    """
    found = {*_token(settings.source.token, environ), *_passwords(settings), *_variables(environ)}
    found |= {*_ways(settings.notify.urls, environ), *_lines(settings, environ)}
    found |= {*_token(settings.forge.token, environ), *_ways(settings.notify.urls, environ)}
    found |= {*_referred(settings, environ)}
    return frozenset(secret for secret in found if secret)


def _token(reference: str, environ: Mapping[str, str]) -> Iterator[str]:
    kind, _, name = reference.partition(":")
    if kind == "env":
        yield environ.get(name, "").strip()
    elif kind == "file":
        try:
            yield Path(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return  # whoever needs it says so, with the mend
    else:
        yield reference  # not a reference: somebody put the token itself there


def _lines(settings: "Settings", environ: Mapping[str, str]) -> Iterator[str]:
    reference, password = settings.hooks.secret, settings.secrets.vaultPassword
    try:
        yield from (secret.decode() for secret in open_secrets("hooks.secret", reference, environ, password))
    except UsageError:
        return  # whoever needs them says so, with the mend


def _referred(settings: "Settings", environ: Mapping[str, str]) -> Iterator[str]:
    """Secrets that are nothing but what a reference leads to."""
    resolver = Resolver(environ, vault_password=settings.secrets.vaultPassword)
    for reference in (settings.secrets.vaultPassword, settings.remote.token):
        try:
            yield resolver.text("", reference) if reference else ""
        except UsageError:
            continue  # whoever needs it says so, with the mend


def _ways(reference: str, environ: Mapping[str, str]) -> Iterator[str]:
    try:
        yield from secrets_of(open_ways(reference, environ))
    except UsageError:
        return  # whoever needs them says so, with the mend


def _passwords(settings: "Settings") -> Iterator[str]:
    for url in (settings.databaseUrl, settings.source.url):
        try:
            password = urlsplit(url).password or ""
        except ValueError:
            continue
        yield from (password, unquote(password))


def _variables(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        if promises_secret(name) and len(value) >= _SHORTEST:
            yield value
