"""Secrets of which several are valid, one a line, while one takes another's place."""

from collections.abc import Mapping

from otto.adapters.secrets.resolver import Resolver
from otto.decide import references
from otto.model.errors import UsageError

SHORTEST = 16
"""Characters of a secret at least: shorter ones are guessed."""

_MOST = 10


def open_secrets(
    setting: str, reference: str, environ: Mapping[str, str], vault_password: str = ""
) -> tuple[bytes, ...]:
    """The secrets a reference leads to; none when it is empty.

    Args:
        setting: what the reference is the value of, for messages.
        reference: `env:NAME`, `file:PATH` or `vault:PATH#KEY`.
        environ: where a variable is looked up.
        vault_password: reference to the password of vaults, "" for none.

    Raises:
        UsageError: it is no reference, leads nowhere or to a file that others may read, or a secret is short.
    """
    if not reference:
        return ()
    where = references.parse(reference, setting)
    text = Resolver(environ, vault_password=vault_password).text(setting, reference)
    found = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not 0 < len(found) <= _MOST:
        raise UsageError(f"{setting}: there are {len(found)} secrets at {where}", mend="put one there")
    if min(map(len, found)) < SHORTEST:
        mend = "make one: openssl rand -hex 32"
        raise UsageError(f"{setting}: a secret has less than {SHORTEST} characters", mend=mend)
    return tuple(secret.encode() for secret in found)
