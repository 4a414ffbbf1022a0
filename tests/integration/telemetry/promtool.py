"""Prometheus' own judge of expositions and rules."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def promtool(*words: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run it; a missing one fails, with how to get it."""
    beside = Path(sys.executable).parent
    found = shutil.which("promtool", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    assert found, "promtool is missing; infra/setup/unpack puts it into .venv/bin"
    return subprocess.run([found, *words], input=given, capture_output=True, timeout=60, check=False)
