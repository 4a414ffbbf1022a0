"""A site's working folder: what lies where, private to its owner, every write whole or not at all.

OTTO_HOME/sites/NAME/       0700
    main.tf.json            generated root module
    imports.tf.json         generated import blocks, while a plan needs them
    terraform.tfvars.json   the module's variables
    terraform.rc            Terraform's CLI configuration
    terraform.tfstate       local state (Terraform's)
    plan-TOKEN.tfplan       the last plan, and plan-TOKEN.json beside it
    lock                    who works on the site
    children.json           child processes, while there are any
    logs/                   output of past commands
    .terraform/             Terraform's data folder
"""

import os
import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from otto.model.errors import TerminalError

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TOKEN = re.compile(r"[0-9a-f]{16}")
_REMOVED = ".removed-"
_SPARE = ".spare"
MODE = 0o600
FOLDER_MODE = 0o700


def write(path: Path, content: str) -> None:
    """Write a private file so that readers see the old content or the new, never a part."""
    spare = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_SPARE}")
    try:
        descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        spare.replace(path)
    except BaseException:
        spare.unlink(missing_ok=True)
        raise


def new_token() -> str:
    """A name for a plan or log that none had before."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Folder:
    """The working folder of one site."""

    path: Path

    @classmethod
    def of(cls, home: Path, site: str) -> "Folder":
        """The folder of a site below the folder of all sites.

        Raises:
            TerminalError: the name would lead elsewhere.
        """
        if not _NAME.fullmatch(site):
            raise TerminalError(f"{site!r} is no name of a site", mend="use a-z, 0-9 and inner hyphens")
        return cls(home.resolve() / site)

    @property
    def site(self) -> str:
        """The site's name."""
        return self.path.name

    @property
    def state(self) -> Path:
        """Terraform's local state."""
        return self.path / "terraform.tfstate"

    @property
    def state_lock(self) -> Path:
        """What Terraform notes about whoever locked the state."""
        return self.path / ".terraform.tfstate.lock.info"

    @property
    def superseded(self) -> Path:
        """The state before something in it was given up for what took its place."""
        return self.path / "terraform.tfstate.superseded"

    @property
    def unsaved(self) -> Path:
        """Where Terraform puts a state that it could not write to its place (a full disk)."""
        return self.path / "errored.tfstate"

    @property
    def data(self) -> Path:
        """Terraform's data folder."""
        return self.path / ".terraform"

    @property
    def initialised(self) -> Path:
        """Names what the data folder was initialised for; goes when that folder goes."""
        return self.data / "otto.digest"

    @property
    def dependency_lock(self) -> Path:
        """Terraform's choice of providers."""
        return self.path / ".terraform.lock.hcl"

    @property
    def main(self) -> Path:
        """The generated root module."""
        return self.path / "main.tf.json"

    @property
    def imports(self) -> Path:
        """The generated import blocks."""
        return self.path / "imports.tf.json"

    @property
    def variables(self) -> Path:
        """Values of the variables, under the name that Terraform reads by itself."""
        return self.path / "terraform.tfvars.json"

    @property
    def cli_config(self) -> Path:
        """Terraform's CLI configuration file."""
        return self.path / "terraform.rc"

    @property
    def lock(self) -> Path:
        """The file whose lock says that somebody works on the site."""
        return self.path / "lock"

    @property
    def children(self) -> Path:
        """The record of child processes."""
        return self.path / "children.json"

    @property
    def logs(self) -> Path:
        """Output of past commands."""
        return self.path / "logs"

    def plan(self, token: str) -> Path:
        """A plan file.

        Raises:
            TerminalError: the token is none of ours.
        """
        if not _TOKEN.fullmatch(token):
            raise TerminalError(f"{token!r} names no plan of site {self.site}")
        return self.path / f"plan-{token}.tfplan"

    def note(self, token: str) -> Path:
        """What the adapter remembers of a plan."""
        return self.plan(token).with_suffix(".json")

    def shown(self, token: str) -> Path:
        """Where the plan is written out as JSON, for a moment: it holds secrets."""
        return self.plan(token).with_suffix(".shown")

    def create(self) -> None:
        """Make the folder and keep it private."""
        for path in (self.path.parent, self.path, self.logs):
            path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        self.path.chmod(FOLDER_MODE)

    def exists(self) -> bool:
        """Whether the site has a folder."""
        return self.path.is_dir()

    def log(self, at: datetime, command: str, token: str) -> Path:
        """Make an empty log for a command that begins."""
        path = self.logs / f"{at:%Y%m%dT%H%M%S.%f}-{command.replace(' ', '-')}-{token[:6]}.jsonl"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))
        return path

    def keep_logs(self, count: int) -> None:
        """Drop all but the newest logs."""
        for path in sorted(self.logs.iterdir())[:-count]:
            path.unlink(missing_ok=True)

    def drop_plans(self) -> None:
        """Forget plans: only the newest of a site can be applied."""
        for path in self.path.glob("plan-*"):
            path.unlink(missing_ok=True)
        self.imports.unlink(missing_ok=True)

    def drop_spares(self) -> None:
        """Forget files that were being written when their writer was killed."""
        for path in self.path.glob(f".*{_SPARE}"):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder: first out of the way in one step, then piece by piece."""
        grave = self.path.with_name(f"{_REMOVED}{self.site}-{new_token()}")
        self.path.rename(grave)
        self.sweep()

    def sweep(self) -> None:
        """Finish removals of this site that were cut short."""
        for grave in self.path.parent.glob(f"{_REMOVED}{self.site}-{'[0-9a-f]' * 16}"):
            shutil.rmtree(grave, ignore_errors=True)
