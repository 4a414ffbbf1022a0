"""Names of hosts in paths."""

import re
from typing import Annotated

from fastapi import Path

ITEM = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
Item = Annotated[
    str,
    Path(description="Name of a host.", pattern=f"^{ITEM}$", max_length=253, examples=["hello-web-1"]),
]

MADE = re.compile(r"(?P<site>.+)-(?:web|balancer)-[0-9]+")
"""Names of hosts that OttO makes; no declared one is called so (`schemas/host.json`)."""
