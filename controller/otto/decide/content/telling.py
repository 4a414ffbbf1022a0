"""What was found in the content of a site, for people, with files named from the top of their repository."""

from collections.abc import Iterator

from otto.model.inspection import Finding, Inspection, Validation
from otto.model.spec import Content

_MOST = 80


def line(content: Content, finding: Finding) -> str:
    """One finding: `sites/shop/index.html:12: what is wrong (what would mend it)`."""
    mend = f" ({finding.mend})" if finding.mend else ""
    return f"{place(content, finding)}: {finding.message}{mend}"


def place(content: Content, finding: Finding) -> str:
    """Where a finding is, from the top of the repository that holds the content."""
    folder = content.path.strip("/")
    if not finding.file or folder in ("", "."):
        return finding.where
    return f"{folder}/{finding.where}"


def lines(content: Content, found: Inspection) -> Iterator[str]:
    """All that is wrong, in lines for the log of a pipeline.

    Args:
        content: as the spec names it.
        found: what was found in it.
    """
    deployed = "; it is deployed all the same" if content.validate is Validation.WARN and found.errors else ""
    yield f"content: {found.summary}{deployed}"
    for finding in found.findings[:_MOST]:
        yield f"{finding.severity.value}: {line(content, finding)}"
    left = found.errors + found.warnings - min(len(found.findings), _MOST)
    if left > 0:
        yield f"{left} more, not listed"
