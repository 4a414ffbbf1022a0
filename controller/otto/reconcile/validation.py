"""A look through a site's content before anything is made of it."""

from otto.decide.content.telling import line, place
from otto.model.errors import TerminalError
from otto.model.inspection import Inspection, Severity, Validation
from otto.model.spec import SiteSpec
from otto.ports import Source

_TOLD = 20


async def validated(source: Source, spec: SiteSpec, tree: str) -> Inspection:
    """What is wrong with a site's content; nothing is looked for where its spec says `validate: ignore`.

    Args:
        source: gave the tree out.
        spec: the site's.
        tree: id of its content.

    Raises:
        TerminalError: there are errors, and the spec says `validate: error`.
    """
    if spec.content.validate is Validation.IGNORE:
        return Inspection(tree)
    found = await source.inspect(tree, spec.domains)
    if spec.content.validate is Validation.ERROR and found.errors:
        raise _refusal(spec, found)
    return found


def _refusal(spec: SiteSpec, found: Inspection) -> TerminalError:
    errors = [finding for finding in found.findings if finding.severity is Severity.ERROR]
    others = f" (and {found.errors - 1} more)" if found.errors > 1 else ""
    message = f"the content is broken: {place(spec.content, errors[0])}: {errors[0].message}{others}"
    detail = "\n".join(line(spec.content, finding) for finding in errors[:_TOLD])
    mend = "mend it, or set spec.content.validate to warn"
    return TerminalError(message, mend=mend, detail=detail)
