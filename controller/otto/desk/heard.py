"""Whether a controller heard of what somebody said."""

from enum import StrEnum


class Heard(StrEnum):
    """Whether a controller heard."""

    YES = "yes"
    NOBODY = "nobody"  # none is running
    SILENT = "silent"  # one is running, and did not answer


LATER = {
    Heard.YES: "",
    Heard.NOBODY: "; no controller is running, the next one takes note",
    Heard.SILENT: "; the controller did not answer, it takes note at its next look",
}
"""What is said to whoever asked."""
