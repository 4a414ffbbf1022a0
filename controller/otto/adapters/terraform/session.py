"""A site's folder while its lock is held: everything one command needs, ready to run."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from otto.adapters.terraform import environment, lock, rootmodule
from otto.adapters.terraform import state as states
from otto.adapters.terraform.backend import Module
from otto.adapters.terraform.diagnosis import failure
from otto.adapters.terraform.folder import Folder, write
from otto.adapters.terraform.settings import Settings
from otto.adapters.terraform.state import State
from otto.adapters.terraform.terraform import FLAG, NO_OPTIONS, Options, Outcome, Terraform, Watch
from otto.model.canonical import Data, digest
from otto.model.errors import TerminalError, TransientError
from otto.ports import Clock


@dataclass(frozen=True, slots=True)
class Session:
    """One command on one site.

    Attributes:
        folder: its working folder, locked.
        module: the provider's module.
        terraform: runs Terraform there.
        settings: limits.
    """

    folder: Folder
    module: Module
    terraform: Terraform
    settings: Settings

    async def run(
        self,
        command: str,
        *arguments: str,
        limit: float,
        good: tuple[int, ...] = (0,),
        watch: Watch | None = None,
        into: Path | None = None,
        options: Options = NO_OPTIONS,
    ) -> Outcome:
        """Run a command that has to end with one of the good exit statuses.

        Raises:
            OttoError: it did not; sorted by its diagnostics.
        """
        outcome = await self.terraform.run(
            command, *arguments, limit=limit, watch=watch, into=into, options=options
        )
        if outcome.status in good:
            return outcome
        raise failure(command, self.folder.site, outcome.diagnostics, outcome.output, self.module.secrets)

    async def prepare(self, variables: Mapping[str, Data], module_digest: str) -> None:
        """Write the root module and the variables, and `init` if anything that it settles has changed."""
        write(self.folder.main, rootmodule.render(self.module, self._source(), variables))
        write(self.folder.cli_config, self.module.cli_config + "\ndisable_checkpoint = true\n")
        wanted = digest([module_digest, self.module.cli_config, self.folder.main.read_text(encoding="utf-8")])
        if not self.folder.initialised.exists() or self.folder.initialised.read_text() != wanted:
            await self._initialise()
            write(self.folder.initialised, wanted)

    async def recover(self) -> None:
        """Take in a state that an earlier Terraform could not write to its place.

        Raises:
            TerminalError: it belongs to another history than the state in place.
        """
        unsaved = self.folder.unsaved
        if not unsaved.exists():
            return
        left, current = _read(unsaved), load(self.folder)
        if left is not None and (current is None or left.serial > current.serial):
            await self._push(unsaved)
        unsaved.unlink()

    async def _push(self, unsaved: Path) -> None:
        try:
            await self.run("state push", str(unsaved), limit=self.settings.show_timeout)
        except (TerminalError, TransientError) as error:
            raise TerminalError(
                f"a state of site {self.folder.site} could not be saved and cannot be taken in: {error}",
                mend=f"compare {unsaved} with {self.folder.state.name} and remove the one that is wrong",
                detail=error.detail,
            ) from error

    def _source(self) -> str:
        source = os.path.relpath(self.module.path.resolve(), self.folder.path)
        return source if source.startswith("..") else f"./{source}"

    def distrust(self) -> None:
        """Have the next command `init` again: this one failed, and that may be why."""
        self.folder.initialised.unlink(missing_ok=True)

    async def _initialise(self) -> None:
        # What an earlier init chose is void: a provider built anew has another checksum.
        self.folder.dependency_lock.unlink(missing_ok=True)
        options: dict[str, object] = {"json": FLAG, "input": False, "reconfigure": FLAG}
        if self.module.lock_file is not None:
            write(self.folder.dependency_lock, self.module.lock_file.read_text(encoding="utf-8"))
            options["lockfile"] = "readonly"
        await self.run("init", limit=self.settings.init_timeout, options=options)


@asynccontextmanager
async def session(
    folder: Folder,
    module: Module,
    command: str,
    *,
    settings: Settings,
    clock: Clock,
    outside: Mapping[str, str],
) -> AsyncIterator[Session]:
    """Lock a site for one command.

    Raises:
        WaitingError: somebody else is at it.
    """
    async with lock.held(folder, command, clock, settings.lock_wait) as descriptor:
        child = environment.build(module, folder, outside)
        terraform = Terraform(
            folder, child, settings=settings, clock=clock, lock=descriptor, secrets=module.secrets
        )
        yield Session(folder, module, terraform, settings)


def load(folder: Folder) -> State | None:
    """The site's state; None when there is none.

    Raises:
        TerminalError: it cannot be read; says how to mend it.
    """
    try:
        return states.read(folder.state.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise unreadable(folder, error) from error


def _read(path: Path) -> State | None:
    """A state that may have been cut off, and is then worth nothing."""
    try:
        return states.read(path.read_text(encoding="utf-8"))
    except ValueError:
        return None


def unreadable(folder: Folder, error: Exception) -> TerminalError:
    """The error for a damaged state."""
    return TerminalError(
        f"the Terraform state of site {folder.site} cannot be read: {error}",
        mend=f"put {folder.state.name}.backup in its place, or move {folder.state} away: "
        "what is alive under the site's labels is then imported anew",
    )
