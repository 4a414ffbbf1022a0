"""Whether signatures are good, by `ssh-keygen` and `gpgv` over keys of the policy's alone."""

from otto.adapters.signatures.tools import SignatureTools

__all__ = ["SignatureTools"]
