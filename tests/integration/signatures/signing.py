"""Real keys and real signatures, in folders of their own."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from otto.model.signature import Demand, GitObject, KnownKey, Signatures

_INSTALL = {"gpg": "gpg", "gpgconf": "gpgconf", "ssh-keygen": "openssh-client", "git": "git"}


def run(
    *command: str, given: bytes = b"", where: Path | None = None, environment: Mapping[str, str] | None = None
) -> bytes:
    """Run a tool to its end; what it wrote to standard output."""
    env = {"PATH": os.environ["PATH"], "TZ": "UTC", "LANG": "C.UTF-8", **(environment or {})}
    try:
        done = subprocess.run(
            command, input=given, cwd=where, env=env, capture_output=True, timeout=60, check=False
        )
    except FileNotFoundError:
        raise AssertionError(f"{command[0]} is missing: apt-get install {_INSTALL[command[0]]}") from None
    assert done.returncode == 0, (command, done.stderr.decode(errors="replace"))
    return done.stdout


@dataclass(frozen=True)
class SshKey:
    """A key of SSH's, in files."""

    path: Path

    @classmethod
    def made(cls, path: Path, kind: str = "ed25519") -> "SshKey":
        """A new one."""
        run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", str(path))
        return cls(path)

    @property
    def public(self) -> str:
        """Type and key."""
        return self.path.with_name(f"{self.path.name}.pub").read_text().strip()

    @property
    def fingerprint(self) -> str:
        """As ssh-keygen shows it."""
        return run("ssh-keygen", "-l", "-f", str(self.path)).decode().split()[1]

    def line(self, who: str = "ada@example.org", options: str = "") -> str:
        """The key as a line of allowed signers."""
        return " ".join(filter(None, (who, options, self.public)))

    def sign(self, payload: bytes, namespace: str = "git") -> str:
        """A signature over some bytes."""
        target = self.path.with_name("payload")
        target.write_bytes(payload)
        run("ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(self.path), str(target))
        signature = target.with_name("payload.sig")
        text = signature.read_text()
        signature.unlink()
        return text


@dataclass(frozen=True)
class PgpKeys:
    """A GnuPG home of its own."""

    home: Path

    @classmethod
    def made(cls, home: Path) -> "PgpKeys":
        """A new one."""
        home.mkdir(mode=0o700)
        return cls(home)

    def gpg(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run gpg over these keys."""
        quiet = ("--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "")
        return run("gpg", "--homedir", str(self.home), *quiet, *arguments, given=given)

    def make(self, who: str, expires: str = "never", *, at: str = "") -> None:
        """Make a key."""
        clock = ("--faked-system-time", at) if at else ()
        self.gpg(*clock, "--quick-gen-key", f"{who} <{who}@example.org>", "ed25519", "sign", expires)

    def export(self, *who: str) -> str:
        """Public keys in armour."""
        return self.gpg("--armor", "--export", *who).decode()

    def sign(self, payload: bytes, *who: str, arguments: Sequence[str] = ()) -> str:
        """A signature over some bytes, of each of them."""
        users = [word for name in who for word in ("-u", name)]
        return self.gpg(*users, *arguments, "--armor", "--detach-sign", given=payload).decode()

    def revoke(self, who: str) -> None:
        """Revoke a key by the certificate that was made with it."""
        listed = self.gpg("--with-colons", "--list-keys", who).decode().splitlines()
        name = next(line.split(":")[9] for line in listed if line.startswith("fpr"))
        text = (self.home / "openpgp-revocs.d" / f"{name}.rev").read_text().replace(":-----", "-----")
        self.gpg("--import", given=text.encode())

    def close(self) -> None:
        """End the agent that gpg started."""
        run("gpgconf", "--homedir", str(self.home), "--kill", "all")


WHEN = 1_592_233_600
"""When commits and tags of these tests were made: 2020-06-15 15:06:40 UTC."""


def commit(signature: str = "", *, at: int = WHEN, message: str = "change", extra: str = "") -> bytes:
    """A commit as git stores it."""
    who = f"A Person <person@example.org> {at} +0000"
    block = "gpgsig " + signature.rstrip("\n").replace("\n", "\n ") + "\n" if signature else ""
    return f"tree {'a' * 40}\nauthor {who}\ncommitter {who}\n{extra}{block}\n{message}\n".encode()


def tag(name: str = "v1", *, at: int = WHEN, message: str = "release") -> bytes:
    """A tag as git stores it."""
    who = f"A Person <person@example.org> {at} +0000"
    return f"object {'b' * 40}\ntype commit\ntag {name}\ntagger {who}\n\n{message}\n".encode()


def stored(data: bytes, kind: str = "commit") -> GitObject:
    """An object."""
    return GitObject("c" * 40, kind, data)


def policy(*keys: str, require: Demand = Demand.COMMITS, revoked: Sequence[str] = ()) -> Signatures:
    """A policy over keys as text."""
    known = (KnownKey(openpgp=key) if "PGP" in key else KnownKey(ssh=key) for key in keys)
    return Signatures(require, tuple(known), tuple(revoked))
