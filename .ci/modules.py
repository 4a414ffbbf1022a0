"""`terraform validate` of every module in infra/terraform, with the lab's provider as it is now.

Each is validated as a copy in a temporary folder, since `init` writes into the folder it works in.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from otto import resources
from otto.lab import mirror

_TIMEOUT = 120.0


def validate(module: Path, work: Path, binary: str, cli_config: Path) -> bool:
    """Whether a module is valid; Terraform says what is not."""
    copy = work / "modules" / module.name
    shutil.copytree(module, copy, ignore=shutil.ignore_patterns(".terraform*"))
    environ = {
        **os.environ,
        "TF_CLI_CONFIG_FILE": str(cli_config),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }
    print(f"{module.name}:", flush=True)
    for command in (["init", "-backend=false", "-input=false", "-no-color"], ["validate", "-no-color"]):
        if subprocess.run(
            [binary, *command], cwd=copy, env=environ, timeout=_TIMEOUT, check=False
        ).returncode:
            return False
    return True


def main() -> int:
    """Validate them all; 1 when one is not valid, or there is none."""
    binary = os.environ.get("OTTO_TERRAFORM_BINARY") or "terraform"
    modules = sorted({path.parent for path in resources.path("infra", "terraform").glob("*/*.tf")})
    with tempfile.TemporaryDirectory(prefix="otto-modules-") as name:
        work = Path(name)
        cli_config = work / "terraformrc"
        cli_config.write_text(mirror.terraformrc(mirror.ensure(work / "lab").path), encoding="utf-8")
        valid = [validate(module, work, binary, cli_config) for module in modules]
    return 0 if valid and all(valid) else 1


if __name__ == "__main__":
    sys.exit(main())
