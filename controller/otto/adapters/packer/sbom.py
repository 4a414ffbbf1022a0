"""A bill of materials in CycloneDX 1.6 (ECMA-424), out of an image's own package database."""

import json
import re
import uuid
from datetime import UTC
from urllib.parse import quote

from otto import __version__
from otto.adapters.packer import pythons
from otto.model.image import Image, Package

_DISTRIBUTION = "debian-12"


def document(image: Image) -> str:
    """The document of an image, as JSON; the same for the same image."""
    named = f"otto-{image.name}"
    found = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'otto:{image.digest}')}",
        "version": 1,
        "metadata": {
            "timestamp": image.built_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "otto", "version": __version__}]},
            "component": {
                "type": "container",
                "bom-ref": named,
                "name": named,
                "version": image.digest,
                "properties": [
                    {"name": "otto:parent", "value": image.parent},
                    {"name": "otto:commit", "value": image.commit},
                ],
            },
        },
        "components": [_component(package) for package in image.packages],
        "dependencies": [{"ref": named, "dependsOn": [purl(package) for package in image.packages]}],
    }
    return json.dumps(found, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def purl(package: Package) -> str:
    """The package URL (purl-spec, types `deb` and `pypi`)."""
    if package.source == pythons.SOURCE:
        return f"pkg:pypi/{_normal(package.name)}@{quote(package.version, safe='')}"
    name, version = quote(package.name.lower(), safe=""), quote(package.version, safe=":~")
    qualifiers = {"arch": package.architecture, "distro": _DISTRIBUTION, "upstream": _upstream(package)}
    told = "&".join(f"{key}={quote(value, safe=':')}" for key, value in sorted(qualifiers.items()) if value)
    return f"pkg:deb/debian/{name}@{version}?{told}"


def _normal(name: str) -> str:
    """A name as the index has it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _upstream(package: Package) -> str:
    return package.source if package.source != package.name else ""


def _component(package: Package) -> dict[str, str]:
    return {
        "type": "library",
        "bom-ref": purl(package),
        "name": package.name,
        "version": package.version,
        "purl": purl(package),
    }
