# ruff: noqa: INP001  (a script)
"""Make the generated pages of the reference anew, or check that they are up to date.

python docs/generate.py           write them
python docs/generate.py --check   change nothing; exit status 1 and the names of stale pages
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from generator import PAGES
from generator.page import Page

_DOCS = Path(__file__).resolve().parent


def main(arguments: Sequence[str]) -> int:
    """Do it; the exit status."""
    parser = argparse.ArgumentParser(description="Make the generated pages of docs/reference.")
    parser.add_argument("--check", action="store_true", help="only say which pages are stale")
    check = parser.parse_args(arguments).check
    stale = [page for page in PAGES if not _fresh(page)]
    for page in stale:
        if not check:
            (_DOCS / page.path).write_text(page.text(), encoding="utf-8")
        sys.stdout.write(f"{'stale' if check else 'written'}: docs/{page.path}\n")
    if check and stale:
        sys.stdout.write("run: .venv/bin/python docs/generate.py\n")
    return 1 if check and stale else 0


def _fresh(page: Page) -> bool:
    path = _DOCS / page.path
    return path.exists() and path.read_text(encoding="utf-8") == page.text()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
