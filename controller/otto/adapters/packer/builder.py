"""Port `ImageBuilder` over Packer: builds images, looks into them, boots them and asks whether they work.

An image gets its name in the lab only when all of that went well; whatever is there without a name is what
a build left that was cut off, and goes when the next one begins.
"""

import asyncio
import functools
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from otto.adapters.cancellation import unbroken
from otto.adapters.packer import contents, jobs, parts, recipes, running, sbom, smoke, warden
from otto.adapters.packer.contents import Contents
from otto.adapters.packer.options import PackerOptions
from otto.adapters.packer.recipes import RECIPES, Ingredients
from otto.adapters.packer.running import Job
from otto.adapters.packer.telling import Word
from otto.adapters.packer.threads import blocking, entered
from otto.adapters.packer.workshop import Trial, Workshop
from otto.model.errors import TerminalError
from otto.model.image import Artifact, Build, Image, Smoke
from otto.model.progress import Progress, Report
from otto.model.spec import Provider
from otto.ports import Clock
from otto.telemetry.redaction import Redactor, promises_secret

_NAMED_AT_MOST = 3


class PackerBuilder:
    """Port `ImageBuilder`.

    Args:
        options: how.
        roles: digests of Ansible's roles.
        lab: where images of the lab are made and tried.
        clock: the time.
    """

    def __init__(self, options: PackerOptions, roles: Mapping[str, str], lab: Workshop, clock: Clock) -> None:
        self._options = options
        self._roles = roles
        self._lab = lab
        self._clock = clock

    def builds(self, provider: Provider, names: Sequence[str]) -> tuple[Build, ...]:
        """What building these images would take in, and those they are made of; all for no names."""
        options = self._options
        variables = recipes.set_in(options.environ, options.templates)
        controller = functools.partial(parts.digest, options)
        given = Ingredients(options.templates, self._roles, self._lab.base, variables, controller)
        return recipes.builds(recipes.chosen(names), provider, given)

    async def build(self, build: Build, report: Report) -> Image:
        """Build one image and try it; one of the lab's that is there under its name is only tried."""
        running.find(self._options.binary)
        if Provider(build.provider) is not Provider.LAB:
            await self._build_away(build, report)
        await blocking(lambda _: self._lab.ready(report))
        async with self._room(build) as folder:
            image = await self._build_here(build, folder, report)
        report(Progress("built and tried", 100, 100))
        return image

    async def exists(self, provider: Provider, artifact: str) -> bool:
        """Whether the provider still has it.

        Raises:
            TerminalError: this version cannot ask that provider.
        """
        _only_lab(provider)
        return bool(await asyncio.to_thread(self._lab.find, artifact))

    async def remove(self, provider: Provider, artifact: str) -> None:
        """Remove an artifact; gone already is fine.

        Raises:
            TransientError: a host runs on it.
            TerminalError: this version cannot ask that provider.
        """
        _only_lab(provider)
        await asyncio.to_thread(self._lab.discard, artifact)

    async def validate(self, provider: Provider, name: str) -> None:
        """Have Packer judge the template of an image for a provider; nothing is built, no provider is asked.

        Raises:
            TerminalError: it is wrong.
        """
        build = self.builds(provider, [name])[-1]
        async with jobs.folder(self._options, build) as folder:
            job = await jobs.prepare(self._options, build, folder, self._lab, judged=True)
            await running.validate(job, _redactor(job))

    async def _build_here(self, build: Build, folder: Path, report: Report) -> Image:
        artifact = ""
        if not build.anew:
            artifact = await asyncio.to_thread(self._lab.built, build.name, build.digest)
        if not artifact:
            job = await jobs.prepare(self._options, build, folder, self._lab)
            # By the name the lab itself has for it.
            artifact = await asyncio.to_thread(self._lab.find, await self._pack(job, report))
        # A new one has no name yet: should we end here, it is swept away.
        found, tested = await self._try(build.name, artifact, folder, report)
        await asyncio.to_thread(self._lab.name, artifact, build.name, build.digest)
        return self._image(build, artifact, found, tested)

    async def _build_away(self, build: Build, report: Report) -> None:
        """Build at a provider whose machines OttO cannot boot: what comes of it is nobody's yet.

        Raises:
            TerminalError: always, at the latest when it was built.
        """
        room = jobs.folder(self._options, build)
        if RECIPES[build.name].lab:
            await blocking(lambda _: self._lab.ready(report))
            room = self._room(build)
        async with room as folder:
            job = await jobs.prepare(self._options, build, folder, self._lab)
            artifact = await self._pack(job, report)
        raise TerminalError(
            f"{build.name} was built at {build.provider} as {artifact}, but this version of OttO cannot boot "
            "it there to try it: it stays out of the index",
            mend="try it by hand, or remove it at the provider",
        )

    async def _pack(self, job: Job, report: Report) -> str:
        """Have Packer build; the id of what came of it."""
        redactor = _redactor(job)
        await running.validate(job, redactor)
        story = await running.build(job, _Follower(report, redactor), redactor)
        return story.artifact

    async def _try(self, name: str, artifact: str, folder: Path, report: Report) -> tuple[Contents, Smoke]:
        """Look into an image, boot a host of it and ask that.

        Raises:
            TerminalError: something is in it that must not be, or it does not work.
        """
        recipe = RECIPES[name]
        async with entered(self._lab.trial(artifact, name, recipe.size, nested=recipe.lab)) as trial:
            report(Progress("reading what is in it", 60, 100))
            found = await blocking(lambda _: _look(trial, folder / "image.tar"))
            if found.leftovers:
                told = _some(found.leftovers)
                raise TerminalError(f"the image {name} is not clean: {told}", mend="see images/scripts/clean")
            report(Progress("booting a host of it", 80, 100))
            began = self._clock.monotonic()
            host = await blocking(trial.boot)
            report(Progress("asking it whether it works", 85, 100))
            script = await asyncio.to_thread((self._options.templates / "smoke.py").read_text, "utf-8")
            asked = await smoke.test(name, host, self._options.key, script, folder)
        tested = replace(asked, seconds=round(self._clock.monotonic() - began, 2))
        if not tested.passed:
            told = _some(smoke.failures(tested)) or "it was asked nothing"
            detail = "\n".join(tested.checks)
            raise TerminalError(f"the image {name} failed its smoke test: {told}", detail=detail)
        return found, tested

    def _image(self, build: Build, artifact: str, found: Contents, tested: Smoke) -> Image:
        now = self._clock.now()
        image = Image(
            name=build.name,
            digest=build.digest,
            parent=build.parent,
            built_at=now,
            inputs=build.inputs,
            artifacts={build.provider: Artifact(artifact, now, tested)},
            commit=self._options.commit,
            packages=found.packages,
            files=found.files,
        )
        return replace(image, sbom=sbom.document(image))

    @asynccontextmanager
    async def _room(self, build: Build) -> AsyncIterator[Path]:
        """The image to oneself, and a folder; what was left is gone before, what we leave is after."""
        command = (*self._options.tidying, build.name) if self._options.tidying else ()
        async with entered(self._lab.locked(build.name)), warden.stationed(command):
            await asyncio.to_thread(self._sweep, build.name)
            try:
                async with jobs.folder(self._options, build) as folder:
                    yield folder
            finally:
                await unbroken(asyncio.to_thread(self._sweep, build.name))

    def _sweep(self, name: str) -> None:
        _sweep(self._options.folder / name, self._lab, name)


def tidy(folder: Path, lab: Workshop, name: str) -> None:
    """Remove all that a build of an image left that was killed.

    Args:
        folder: OTTO_HOME/images.
        lab: where it was built.
        name: which image.

    Raises:
        TransientError: somebody builds it again, and removes it, or the lab does not answer.
    """
    running.end_strays(folder / name)
    with lab.locked(name):
        _sweep(folder / name, lab, name)
        shutil.rmtree(folder / name, ignore_errors=True)


def _sweep(folder: Path, lab: Workshop, name: str) -> None:
    # First whoever might make more of what is swept away.
    running.end_strays(folder)
    lab.sweep(name)


def _look(trial: Trial, archive: Path) -> Contents:
    trial.export(archive)
    try:
        return contents.read(archive)
    finally:
        archive.unlink()


class _Follower:
    """Reports what Packer comes to."""

    def __init__(self, report: Report, redactor: Redactor) -> None:
        self._report = report
        self._redactor = redactor
        self._share = 0

    def __call__(self, said: Word) -> None:
        message, share = said.milestone
        self._share = max(self._share, share)
        if message:
            self._report(Progress(self._redactor.scrub(message), self._share, 100))


def _redactor(job: Job) -> Redactor:
    return Redactor(value for name, value in job.environment.items() if promises_secret(name))


def _only_lab(provider: Provider) -> None:
    if provider is not Provider.LAB:
        raise TerminalError(
            f"this version of OttO cannot look after images at {provider.value}",
            mend="see and remove them there by its own tools",
        )


def _some(lines: Sequence[str]) -> str:
    """The first of several things, and how many more there are."""
    more = len(lines) - _NAMED_AT_MOST
    return "; ".join(lines[:_NAMED_AT_MOST]) + (f"; and {more} more" if more > 0 else "")
