"""From a reference to the secret."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from otto.adapters.secrets.files import content
from otto.decide import references
from otto.model.errors import UsageError
from otto.model.secret import SecretPlace, SecretReference

Register = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What references of specs may lead to: whoever may write specs may not read every secret of ours.

    Attributes:
        folders: files have to be in one of them, whatever links lead there; the first is where a relative
            path begins.
        variables: names of variables, with `*` for anything.
    """

    folders: tuple[Path, ...]
    variables: tuple[str, ...]


class Resolver:
    """Finds secrets.

    Args:
        environ: where variables are looked up.
        register: told of every secret found, so that no log ever shows it.
        vault_password: reference to the password of vaults, `env:…` or `file:…`; "" for none.
        bounds: what references may lead to; None for whatever the operator names.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        register: Register = lambda _: None,
        vault_password: str = "",
        bounds: Bounds | None = None,
    ) -> None:
        self._environ = environ
        self._register = register
        self._vault_password = vault_password
        self._bounds = bounds

    def text(self, what: str, reference: str) -> str:
        """The secret that a reference leads to, without the line end that closes a file.

        Args:
            what: what the reference is the value of, for messages.
            reference: the reference.

        Raises:
            UsageError: it is none, leads nowhere, to what may not be named here, to a file that others may
                read, or to nothing.
        """
        found = references.parse(reference, what)
        secret = self._read(what, found).rstrip("\r\n")
        if not secret:
            raise UsageError(f"{what}: {found} is empty", mend="put the secret there")
        self._register(secret)
        for line in secret.splitlines():
            self._register(line.strip())
        return secret

    def _read(self, what: str, reference: SecretReference) -> str:
        if reference.place is SecretPlace.ENV:
            return self._variable(what, reference.name)
        path = self._path(what, reference.name)
        if reference.place is SecretPlace.FILE:
            return content(what, path)
        from otto.adapters.secrets.vault import opened  # noqa: PLC0415  (imports Ansible)

        return opened(what, path, reference.key, self._password(what))

    def _variable(self, what: str, name: str) -> str:
        bounds = self._bounds
        if bounds is not None and not references.may_be_named(name, bounds.variables):
            mend = "name one that secrets.variables allows, or have the operator add it there"
            raise UsageError(f"{what}: the variable {name} may not be used by specs", mend=mend)
        if name not in self._environ:
            mend = "set it in the environment of the controller"
            raise UsageError(f"{what}: there is no variable {name}", mend=mend)
        return self._environ[name]

    def _path(self, what: str, name: str) -> Path:
        path = Path(name)
        if self._bounds is None:
            return path.expanduser()
        folders = self._bounds.folders
        if not path.is_absolute():
            path = folders[0] / path
        real = path.resolve()
        if any(real.is_relative_to(folder.resolve()) for folder in folders):
            return real
        places = " or ".join(str(folder) for folder in folders)
        raise UsageError(f"{what}: {name} may not be used by specs", mend=f"put the file into {places}")

    def _password(self, what: str) -> str:
        if not self._vault_password:
            mend = "set secrets.vaultPassword to file:PATH or env:NAME"
            raise UsageError(f"{what}: the password of vaults is not known", mend=mend)
        if self._vault_password.startswith("vault:"):
            raise UsageError(
                "secrets.vaultPassword cannot be in a vault itself", mend="set it to file:PATH or env:NAME"
            )
        return Resolver(self._environ, self._register).text("secrets.vaultPassword", self._vault_password)
