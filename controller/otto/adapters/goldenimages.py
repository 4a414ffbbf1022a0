"""Port `Images` over the index of golden images, and over what the providers still have."""

from otto.decide import imaging
from otto.model.errors import TerminalError
from otto.model.image import BASE, ImageName, short_id
from otto.model.spec import Provider
from otto.ports import ImageIndex, Images


class GoldenImages:
    """Images of hosts: `base` is the provider's, all others come from the index.

    Sites ask at every look, so what a name stands for is remembered for as long as the index does not change.

    Args:
        index: which images there are.
        providers: resolves `base`, and ids of artifacts, to what the providers have.
    """

    def __init__(self, index: ImageIndex, providers: Images) -> None:
        self._index = index
        self._providers = providers
        self._version = ""
        self._known: dict[tuple[Provider, str], str] = {}

    async def resolve(self, provider: Provider, name: str) -> str:
        """Id of the image a name stands for.

        Raises:
            TerminalError: there is none, it must not be used, or the provider has it no more.
        """
        wanted = imaging.parse(name)
        if wanted.name == BASE:
            return await self._providers.resolve(provider, BASE)
        artifact = await self._artifact(provider, wanted)
        try:
            return await self._providers.resolve(provider, artifact)
        except TerminalError as error:
            message = f"image {wanted} ({short_id(artifact)}) is gone from {provider.value}: {error.message}"
            raise TerminalError(message, mend=f"otto images build {wanted.name}") from error

    async def _artifact(self, provider: Provider, wanted: ImageName) -> str:
        version = await self._index.version()
        if version != self._version:
            self._version, self._known = version, {}
        known = self._known.get((provider, str(wanted)))
        if known is None:
            known = await self._look_up(provider, wanted)
            if version == self._version:
                self._known[provider, str(wanted)] = known
        return known

    async def _look_up(self, provider: Provider, wanted: ImageName) -> str:
        image = await self._index.find(wanted)
        if image is None:
            raise imaging.missing(wanted, await self._index.images(), await self._index.channels())
        return imaging.artifact(wanted, image, provider.value)
