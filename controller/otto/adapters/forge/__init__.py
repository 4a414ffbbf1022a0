"""The port `Forge`: GitHub, GitLab, Gitea and Forgejo, over their HTTP APIs."""

from otto.adapters.forge.address import Address, address
from otto.adapters.forge.client import Options
from otto.adapters.forge.opening import OpenForge, open_forge
from otto.adapters.forge.token import Token

__all__ = ["Address", "OpenForge", "Options", "Token", "address", "open_forge"]
