"""From a spec to everything it resolves to."""

from otto.model.catalogue import RememberedSpec
from otto.model.desired import Desired
from otto.model.errors import TerminalError, UnresolvedError
from otto.model.inspection import Validation
from otto.model.spec import Role
from otto.reconcile.kit import Kit
from otto.reconcile.validation import validated


class Resolver:
    """Resolves images, module, roles and content of a spec."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def resolve(self, known: RememberedSpec) -> Desired:
        """What one site should be, as of the commit its spec came with.

        Raises:
            UnresolvedError: something the spec names does not exist, may not be served or be touched.
            TransientError: something it names cannot be reached now.
        """
        try:
            return await self._resolve(known)
        except TerminalError as error:
            raise UnresolvedError(error.message, mend=error.mend, detail=error.detail) from error

    async def _resolve(self, known: RememberedSpec) -> Desired:
        spec = known.spec
        if spec.provider.value not in self._kit.providers:
            allowed = ", ".join(sorted(self._kit.providers)) or "none"
            raise TerminalError(
                f"provider {spec.provider.value} may not be touched (allowed: {allowed})",
                mend="add it to CLOWD_PROVIDERS, or change spec.provider",
            )
        images = {
            role.value: await self._kit.images.resolve(spec.provider, spec.group(role).image) for role in Role
        }
        return Desired(
            spec=spec,
            commit=known.commit,
            images=images,
            module=self._kit.infrastructure.module(spec.provider),
            roles=self._kit.configuration.roles(),
            content=await self._content(known),
            declared=known.declared,
        )

    async def _content(self, known: RememberedSpec) -> str:
        """Id of the content; what may not be deployed while it is broken is looked through first."""
        spec = known.spec
        tree = await self._kit.source.content(known.commit, spec.content)
        if spec.content.validate is Validation.ERROR:
            await validated(self._kit.source, spec, tree)
        return tree
