"""References to secrets: what specs and settings hold in place of them."""

from dataclasses import dataclass
from enum import StrEnum


class SecretPlace(StrEnum):
    """Where a secret is."""

    ENV = "env"  # a variable of the controller's environment
    FILE = "file"  # a file of the controller's machine
    VAULT = "vault"  # a file of that machine, encrypted by Ansible Vault


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is to be found; nothing of the secret.

    Attributes:
        place: what kind of place.
        name: of the variable, or the file's path.
        key: of a vault that holds YAML: which of its entries, with dots between levels; "" for all of it.
    """

    place: SecretPlace
    name: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.place.value}:{self.name}" + (f"#{self.key}" if self.key else "")
