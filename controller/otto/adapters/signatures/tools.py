"""The port `Signatures`: the real tools say whether a signature is good.

Both run in a folder of their own that ends with them, with an empty home: they see no key but the policy's,
ask no network and leave no agent. `gpgv`, unlike `gpg`, has none of these to begin with.
"""

import hashlib
import tempfile
from datetime import datetime
from pathlib import Path

from otto.adapters import program
from otto.adapters.signatures import openpgp, ssh
from otto.adapters.signatures.ring import Ring, read_ring
from otto.decide.keys import PGP_SIGNATURE, SSH_SIGNATURE
from otto.model.errors import TerminalError, TransientError
from otto.model.signature import Signatures, Signed, Signer

_SECONDS = 10.0
_INSTALL = {"ssh-keygen": "openssh-client", "gpgv": "gpgv"}


class SignatureTools:
    """Checks signatures with `ssh-keygen -Y verify` and `gpgv`.

    Args:
        folder: where relative paths of the policy's key files begin.
        seconds: how long one of the tools may take.
    """

    def __init__(self, folder: Path, seconds: float = _SECONDS) -> None:
        self._folder = folder
        self._seconds = seconds

    def digest(self, policy: Signatures) -> str:
        """Names what is demanded, and the keys as their files hold them now.

        Raises:
            TerminalError: a key or its file cannot be read.
        """
        ring = read_ring(policy, self._folder)
        demanded = f"{policy.require} {policy.tags} {policy.content} {ring.digest}"
        return hashlib.sha256(demanded.encode()).hexdigest()

    async def check(self, signed: Signed, policy: Signatures, now: datetime) -> Signer:
        """Who signed it.

        An SSH key has to be valid now and at the time the object says it was made at: whoever holds a key
        that has ended could say any time.

        Raises:
            TerminalError: it is not signed, or not by a key that counts; says why.
            TransientError: it cannot be told now: a tool is missing, or did not end in time.
        """
        ring = read_ring(policy, self._folder)
        if not signed.signature:
            raise TerminalError("it is not signed")
        if signed.signature.startswith(SSH_SIGNATURE):
            return await self._ssh(signed, ring, now)
        if signed.signature.startswith(PGP_SIGNATURE):
            return await self._openpgp(signed, ring, now)
        raise TerminalError("it is signed in a way that is neither SSH's nor OpenPGP's")

    async def _ssh(self, signed: Signed, ring: Ring, now: datetime) -> Signer:
        told = ssh.examine(signed.signature, ring)
        with tempfile.TemporaryDirectory(prefix="otto-signature-") as name:
            call = ssh.Call(Path(name))
            call.prepare(signed.signature, ring)
            who = ""
            for at in (now, signed.at):
                names = ssh.names(await self._run(call.principals(at), b""))
                answers = [await self._run(call.verify(who, at), signed.payload) for who in names]
                good = [who for who, ended in zip(names, answers, strict=True) if ended.status == 0]
                if not good:
                    again = [call.verify(who, at, whatever_is_revoked=True) for who in names if ring.revoked]
                    if any([(await self._run(one, signed.payload)).status == 0 for one in again]):
                        raise TerminalError(f"its key {told.key} is revoked")
                    raise ssh.refused(told, ring, at, now, answers)
                who = good[0]
        return Signer(who, told.key, ssh.SCHEME)

    async def _openpgp(self, signed: Signed, ring: Ring, now: datetime) -> Signer:
        if not ring.openpgp:
            raise TerminalError("it is signed with OpenPGP, and the fleet's policy knows no such key")
        with tempfile.TemporaryDirectory(prefix="otto-signature-") as name:
            command = openpgp.prepare(Path(name), signed.signature, ring.openpgp)
            ended = await self._run(command, signed.payload)
        return openpgp.signer(ended.output.decode(errors="replace"), now)

    async def _run(self, command: tuple[str, ...], given: bytes) -> program.Ended:
        ended = await program.run(command, given, seconds=self._seconds, environ={"TZ": "UTC"})
        if ended.trouble:
            mend = f"apt-get install {_INSTALL[command[0]]}" if "cannot be run" in ended.trouble else ""
            raise TransientError(f"{command[0]} could not be asked: {ended.trouble}", mend=mend)
        return ended
