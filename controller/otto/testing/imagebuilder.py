"""A builder of images that builds nothing."""

from collections.abc import Sequence

from otto.model.errors import TransientError, UsageError
from otto.model.image import Artifact, Build, Image, Package, Smoke
from otto.model.progress import Progress, Report
from otto.model.spec import Provider
from otto.ports import Clock
from otto.testing.failures import Failures

_BASE = "localhost/base:1"


class MemoryImageBuilder:
    """Port `ImageBuilder` without Packer. `failures` makes any of its methods raise.

    Attributes:
        parents: image -> the one it is made of, "" for the provider's plain system.
        inputs: image -> what its digest is made from; a test changes it to have another digest.
        artifacts: what providers have.
        used: artifacts that hosts run on.
        broken: images whose build fails, with the error it raises.
        built: names, in the order their builds began.
    """

    def __init__(self, clock: Clock) -> None:
        self.parents = {"nginx": "", "haproxy": "", "otto": "", "clowd": "otto"}
        self.inputs = dict.fromkeys(self.parents, "1")
        self.artifacts: set[tuple[str, str]] = set()
        self.used: set[str] = set()
        self.broken: dict[str, Exception] = {}
        self.built: list[str] = []
        self.failures = Failures()
        self._clock = clock

    def builds(self, provider: Provider, names: Sequence[str]) -> tuple[Build, ...]:
        """What building these images would take in, parents first."""
        self.failures.strike("builds")
        if unknown := [name for name in names if name not in self.parents]:
            raise UsageError(f"there is no image {unknown[0]!r}", mend=f"one of: {', '.join(self.parents)}")
        wanted = list(names or self.parents)
        ordered = dict.fromkeys(each for name in wanted for each in (self.parents[name], name) if each)
        return tuple(self._build(provider, name) for name in ordered)

    async def build(self, build: Build, report: Report) -> Image:
        """Say that it was built."""
        await self.failures.meet("build")
        self.built.append(build.name)
        report(Progress("building", 50, 100))
        if build.name in self.broken:
            raise self.broken[build.name]
        artifact = f"sha256:{build.provider}-{build.digest}-{len(self.built)}"
        self.artifacts.add((build.provider, artifact))
        now = self._clock.now()
        return Image(
            name=build.name,
            digest=build.digest,
            parent=build.parent,
            built_at=now,
            inputs=build.inputs,
            artifacts={
                build.provider: Artifact(artifact, now, Smoke(passed=True, checks=("it works: yes",)))
            },
            packages=(Package("dpkg", "1.21.22", "amd64", "dpkg"),),
            sbom='{"bomFormat":"CycloneDX"}',
        )

    async def exists(self, provider: Provider, artifact: str) -> bool:
        """Whether it was built and not removed."""
        await self.failures.meet("exists")
        return (provider.value, artifact) in self.artifacts

    async def remove(self, provider: Provider, artifact: str) -> None:
        """Forget an artifact."""
        await self.failures.meet("remove")
        if artifact in self.used:
            raise TransientError(f"a host runs on {artifact}")
        self.artifacts.discard((provider.value, artifact))

    def _build(self, provider: Provider, name: str) -> Build:
        parent = self.parents[name]
        base = self._build(provider, parent).digest if parent else _BASE
        inputs = {"template": self.inputs[name], "base": base}
        return Build(name, provider.value, f"sha256:{name}-{self.inputs[name]}-{base[-8:]}", inputs, base)
