"""Signing what OttO commits, with an SSH key of its own."""

from dataclasses import dataclass
from pathlib import Path

from otto.adapters import program
from otto.model.errors import TerminalError
from otto.model.text import one_line

_SECONDS = 10.0
_ARMOUR = "-----BEGIN SSH SIGNATURE-----"


@dataclass(frozen=True, slots=True)
class Signing:
    """Signs with `ssh-keygen -Y sign`, as git does (gpg.format=ssh).

    Attributes:
        key: file of the private key, without a passphrase.
    """

    key: Path

    async def sign(self, content: bytes) -> str:
        """The signature over a commit, as it stands in one.

        Raises:
            TerminalError: the key cannot be read, or is none.
        """
        command = ("ssh-keygen", "-Y", "sign", "-n", "git", "-f", str(self.key))
        ended = await program.run(command, content, seconds=_SECONDS)
        text = ended.output.decode("ascii", errors="replace")
        if ended.trouble or ended.status != 0 or not text.startswith(_ARMOUR):
            why = one_line(ended.trouble or ended.last_words or "it gave no signature", 200)
            mend = "put a private key without a passphrase there, with mode 0600: source.signingKey"
            raise TerminalError(f"the commit cannot be signed with {self.key}: {why}", mend=mend)
        return text.strip()
