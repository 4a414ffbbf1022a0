"""Where the package's own data lies: in the wheel, or in the checkout it is run from."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def root() -> Path:
    """The folder that holds `schemas`, `infra`, `specs` and `sites`."""
    packed = _PACKAGE / "_data"
    return packed if packed.is_dir() else _PACKAGE.parent.parent


def path(*parts: str) -> Path:
    """A file or folder of the package's data, as `path("infra", "ansible")`."""
    return root().joinpath(*parts)
