"""One difference between what is desired and what is observed."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Layer(StrEnum):
    """Where a difference lies, in the order in which layers build on each other."""

    INFRASTRUCTURE = "infrastructure"
    CONFIGURATION = "configuration"
    CONTENT = "content"
    DNS = "dns"
    SERVING = "serving"


class Cause(StrEnum):
    """Why the two differ."""

    SPEC = "spec"  # the wish changed
    DRIFT = "drift"  # the world was changed by somebody else
    FAILURE = "failure"  # something broke
    UNKNOWN = "unknown"  # it could not be seen
    FOLLOW = "follow"  # a site that a record follows has other addresses


# Of what nobody wished: drift, and what broke.
UNWISHED = frozenset({Cause.DRIFT, Cause.FAILURE})


class Severity(IntEnum):
    """How much it matters to visitors."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as desired.

    Attributes:
        layer: where.
        path: what, as `hosts/NAME/aspect` or `records/NAME/TYPE`; stable, so that two rounds can be compared.
        want: what is desired, in words or as a digest.
        have: what was seen.
        cause: spec, drift, failure or unknown.
        severity: how much it matters to visitors.
        weight: share of the site concerned, 0 to 1.
    """

    layer: Layer
    path: str
    want: str
    have: str
    cause: Cause
    severity: Severity = Severity.WARNING
    weight: float = 1.0

    @property
    def host(self) -> str:
        """Name of the host concerned, "" when it is the site as a whole."""
        parts = self.path.split("/")
        return parts[1] if parts[0] == "hosts" and len(parts) > 1 else ""

    @property
    def sort_key(self) -> tuple[int, str, str, str]:
        """Order for people and digests: by layer, then path."""
        return (list(Layer).index(self.layer), self.path, self.want, self.have)
