"""Secrets by reference, `env:NAME`, `file:PATH` or `vault:PATH#KEY`: read at use, kept nowhere."""

from otto.adapters.secrets.lines import SHORTEST, open_secrets
from otto.adapters.secrets.resolver import Bounds, Resolver

__all__ = ["SHORTEST", "Bounds", "Resolver", "open_secrets"]
