"""What can be done about a difference: by which tool, which roles; and what is only to be waited for."""

from collections.abc import Iterable

from otto.model.difference import Cause, Difference, Layer

# A managed file belongs to the role whose service's name is in its path; all others are the base's.
_SERVICES = ("nginx", "haproxy")
_NOT_TERRAFORMS = frozenset({"inventory", "state"})
UNMADE = "declared"
"""Ends the path of what differs of a machine that OttO did not make: a person has to mend it."""


def for_infrastructure(difference: Difference) -> bool:
    """Whether Terraform can do something about it."""
    if difference.layer is not Layer.INFRASTRUCTURE or difference.path in _NOT_TERRAFORMS:
        return False
    if difference.path.endswith(f"/{UNMADE}"):
        return False
    return not _awaits_confirmation(difference)


def for_content(difference: Difference) -> bool:
    """Whether content has to be laid: it differs, or what the host should be like is not on record."""
    return difference.layer is Layer.CONTENT or difference.path.endswith("/expected")


def roles_needed(differences: Iterable[Difference], own: frozenset[str]) -> frozenset[str]:
    """The roles that mend what differs on one host.

    Args:
        differences: those of this host.
        own: all roles a host of its kind has.
    """
    of_host = tuple(differences)
    known = [item for item in of_host if item.layer is not Layer.SERVING]
    if not known and any(_answers_wrongly(item) for item in of_host):
        return own
    return own & frozenset(role for item in known for role in _roles(item, own))


def actionable(differences: Iterable[Difference]) -> bool:
    """Whether anything is to be done now.

    Not so while all there is to see may be nothing yet: a layer that could not be looked at, or a host
    that did not answer in fewer looks in a row than count as proof, with the failing checks it explains.
    """
    found = tuple(differences)
    if any(_awaits_confirmation(item) for item in found):
        found = tuple(item for item in found if item.layer is not Layer.SERVING)
    return any(_can_be_mended(item) for item in found)


def _can_be_mended(difference: Difference) -> bool:
    if difference.layer is Layer.INFRASTRUCTURE:
        return for_infrastructure(difference)
    if difference.layer is Layer.CONFIGURATION:
        return not _is_unseen(difference)
    return difference.layer is not Layer.SERVING or difference.path != "checks"


def _answers_wrongly(difference: Difference) -> bool:
    """With nothing else known to differ, all that can be tried is to configure the host anew."""
    return "/checks/" in difference.path and difference.cause is Cause.FAILURE


def _roles(difference: Difference, own: frozenset[str]) -> frozenset[str]:
    if difference.layer is not Layer.CONFIGURATION or _is_unseen(difference):
        return frozenset()
    aspect = difference.path.removeprefix(f"hosts/{difference.host}/")
    match aspect.partition("/")[0]:
        case "services" | "files":
            return _owners(aspect)
        case "fact":
            return frozenset({"base"})
        case "backends":
            return frozenset({"haproxy"})
    return own


def _owners(aspect: str) -> frozenset[str]:
    named = frozenset(service for service in _SERVICES if service in aspect)
    return named or frozenset({"base"})


def _is_unseen(difference: Difference) -> bool:
    return difference.path.endswith("/facts")


def _awaits_confirmation(difference: Difference) -> bool:
    return difference.path.endswith("/reachable") and difference.cause is Cause.UNKNOWN
