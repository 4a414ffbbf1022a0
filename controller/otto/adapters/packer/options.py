"""How images are built."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PackerOptions:
    """How images are built.

    Attributes:
        folder: OTTO_HOME/images: folders of builds lie here, private.
        templates: the folder `images`.
        ansible: the folder `infra/ansible`.
        key: private SSH key that hosts let in.
        binary: Packer, by name or path.
        timeout: seconds one build may take.
        terraform: Terraform or OpenTofu, by name or path, for images with the controller in them.
        checkout: OttO's own checkout, None outside of one.
        commit: the commit it stands at, "" outside of one.
        tidying: a command that calls `tidy` for the image whose name is added to it, for when we are killed.
        environ: of this process.
    """

    folder: Path
    templates: Path
    ansible: Path
    key: Path
    binary: str = "packer"
    timeout: float = 1800.0
    terraform: str = "terraform"
    checkout: Path | None = None
    commit: str = ""
    tidying: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
