"""Calls of `ssh-keygen -Y`, and what its answers mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from otto.adapters.program import Ended
from otto.adapters.signatures.ring import Ring
from otto.decide.keys import AllowedSigner, SshSignature, ssh_signature
from otto.model.errors import TerminalError, UsageError
from otto.model.signature import Scheme
from otto.model.text import one_line

SCHEME = Scheme.SSH
NAMESPACE = "git"
# Signatures over SHA-1 (PROTOCOL.sshsig allows none of them).
_WEAK = frozenset({"ssh-rsa", "ssh-dss"})
_MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class Call:
    """Calls over files in one folder."""

    folder: Path

    def prepare(self, signature: str, ring: Ring) -> None:
        """Write what the calls read."""
        (self.folder / "signature").write_text(signature, encoding="ascii")
        (self.folder / "signers").write_text("\n".join((*ring.lines, "")), encoding="utf-8")
        (self.folder / "revoked").write_text("\n".join((*ring.revoked, "")), encoding="utf-8")

    def principals(self, at: datetime) -> tuple[str, ...]:
        """Whose key it is."""
        return ("ssh-keygen", "-Y", "find-principals", *self._files(at))

    def verify(self, who: str, at: datetime, *, whatever_is_revoked: bool = False) -> tuple[str, ...]:
        """Whether it is a signature of theirs over what is given."""
        revoked = () if whatever_is_revoked else ("-r", str(self.folder / "revoked"))
        return ("ssh-keygen", "-Y", "verify", "-n", NAMESPACE, "-I", who, *revoked, *self._files(at))

    def _files(self, at: datetime) -> tuple[str, ...]:
        time = f"-Overify-time={at.astimezone(UTC):%Y%m%d%H%M%S}Z"
        return (time, "-f", str(self.folder / "signers"), "-s", str(self.folder / "signature"))


def examine(signature: str, ring: Ring) -> SshSignature:
    """What a signature says of itself, before a tool is asked.

    Raises:
        TerminalError: it cannot count whatever the tool would say.
    """
    try:
        told = ssh_signature(signature)
    except UsageError as error:
        raise TerminalError(error.message) from error
    if not ring.lines:
        raise TerminalError(
            f"it is signed with the SSH key {told.key}, and the fleet's policy knows no SSH key"
        )
    if told.namespace != NAMESPACE:
        what = one_line(told.namespace, 40)
        raise TerminalError(f"its signature was made for {what!r}, not for {NAMESPACE} (key {told.key})")
    if told.algorithm in _WEAK:
        raise TerminalError(f"its signature is over SHA-1, which can be forged (key {told.key})")
    return told


def names(found: Ended) -> tuple[str, ...]:
    """The principals that `find-principals` tells."""
    lines = found.output.decode(errors="replace").splitlines() if found.status == 0 else []
    return tuple(dict.fromkeys(line for line in lines if line))[:_MOST_NAMES]


def refused(
    told: SshSignature, ring: Ring, at: datetime, now: datetime, answers: Sequence[Ended]
) -> TerminalError:
    """Why no principal's signature is good."""
    known = [signer for signer in ring.signers if signer.key == told.key]
    said = one_line("; ".join(answer.last_words for answer in answers), 200)
    if answers and "incorrect signature" in said:
        return TerminalError(f"its signature is not of what it says (key {told.key})")
    if "-cert-" in told.kind:
        return TerminalError(
            f"no authority of the fleet's policy vouches for its certificate {told.key}{_when(at, now)}"
        )
    if not known:
        return TerminalError(f"it is signed with a key that the fleet's policy does not know: {told.key}")
    whose = one_line(f"{known[0].principals}: {_options(known[0])}", 200)
    return TerminalError(f"its key {told.key} does not count{_when(at, now)}; the policy says of {whose}")


def _when(at: datetime, now: datetime) -> str:
    return " now" if at == now else f" at {at:%Y-%m-%d %H:%M} UTC, when it says it was made"


def _options(signer: AllowedSigner) -> str:
    shown = (f'{name}="{value}"' if value else name for name, value in signer.options.items())
    return ",".join(shown) or "nothing more"
