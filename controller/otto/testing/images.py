"""Images of hosts, by name."""

from otto.model.errors import TerminalError
from otto.model.spec import Provider
from otto.testing.failures import Failures


class MemoryImages:
    """Port `Images` over a table that a test may change. `failures` knows `resolve`.

    Attributes:
        ids: image name -> id, the same for every provider.
    """

    def __init__(self) -> None:
        self.ids: dict[str, str] = {name: f"sha256:{name}-1" for name in ("base", "nginx", "haproxy")}
        self.failures = Failures()

    async def resolve(self, provider: Provider, name: str) -> str:
        """Id of the image a name stands for."""
        await self.failures.meet("resolve")
        if name not in self.ids:
            known = ", ".join(sorted(self.ids))
            raise TerminalError(f"{provider.value} has no image {name!r}", mend=f"images: {known}")
        return self.ids[name]
