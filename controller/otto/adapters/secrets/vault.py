"""Files that Ansible Vault encrypted."""

from pathlib import Path
from typing import Any

import yaml

from otto.adapters.secrets.files import content
from otto.model.errors import UsageError


def opened(what: str, path: Path, key: str, password: str) -> str:
    """What a vault holds, or one entry of it.

    Args:
        what: what needs it, for messages.
        path: where the vault is.
        key: which entry of its YAML, with dots between levels; "" for all of its text.
        password: of the vault.

    Raises:
        UsageError: it is no vault, the password is another, or there is no such entry.
    """
    text = _decrypted(what, path, password)
    return text if not key else _entry(what, f"{path}#{key}", text, key)


def _decrypted(what: str, path: Path, password: str) -> str:
    from ansible.errors import AnsibleError  # noqa: PLC0415  (imports much; vaults are rare)
    from ansible.parsing.vault import VaultLib, VaultSecret  # noqa: PLC0415

    closed = content(what, path, private=False)
    vault = VaultLib([("default", VaultSecret(password.encode()))])
    if not vault.is_encrypted(closed):
        raise UsageError(f"{what}: {path} is no vault", mend=f"ansible-vault encrypt {path}")
    try:
        plain: bytes = vault.decrypt(closed)
        return plain.decode("utf-8")
    except AnsibleError as error:
        mend = "does secrets.vaultPassword lead to the password it was encrypted with?"
        raise UsageError(f"{what}: {path} cannot be decrypted", mend=mend) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{what}: what {path} holds is not UTF-8", mend="encrypt text") from error


def _entry(what: str, where: str, text: str, key: str) -> str:
    try:
        found: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        # The error would quote what it stumbles on: the secret. Hence no chain.
        raise UsageError(f"{what}: {where}: the vault holds no YAML", mend="leave #KEY out") from None
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise UsageError(f"{what}: {where}: there is no such text", mend="see: ansible-vault view")
    return str(found)
