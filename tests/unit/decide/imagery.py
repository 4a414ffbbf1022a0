"""Images and channels as tests of decisions need them."""

from datetime import timedelta
from typing import Any

from otto.model.image import Artifact, Channel, Image, Package, Smoke
from otto.testing import START


def digest(number: int) -> str:
    return f"sha256:{number:02x}" + f"{number:02x}" * 31


def built(provider: str = "lab", number: int = 1, *, passed: bool = True) -> dict[str, Artifact]:
    return {provider: Artifact(f"{provider}-{number}", START, Smoke(passed, ("GET / -> 200",), 1.5))}


def image(number: int = 1, name: str = "nginx", **changes: Any) -> Image:
    fields: dict[str, Any] = {
        "name": name,
        "digest": digest(number),
        "parent": "base",
        "built_at": START + timedelta(hours=number),
        "artifacts": built(number=number),
        "packages": (Package("nginx", "1.22", "amd64"), Package("zlib1g", "1.2", "amd64")),
        "files": {"/etc/nginx/nginx.conf": "f1"},
        "inputs": {"template": "t1", "roles": "r1"},
    }
    return Image(**fields | changes)


def channel(number: int = 1, name: str = "stable", of: str = "nginx") -> Channel:
    return Channel(of, name, digest(number), START, "ada", "it was fine")
