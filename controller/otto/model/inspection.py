"""What is wrong with the content of a site: findings, and what a file says of itself."""

from dataclasses import dataclass
from enum import StrEnum


class Validation(StrEnum):
    """What is made of a site's broken content, as its spec says it."""

    ERROR = "error"  # it is not deployed
    WARN = "warn"  # it is told, and deployed
    # Not `off`, which YAML takes for false.
    IGNORE = "ignore"  # it is not looked for


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # visitors miss something
    WARNING = "warning"  # browsers make up for it


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong in one file, whatever lies beside it.

    Attributes:
        line: 1-based line, 0 when the file as a whole is meant.
        column: 1-based column, 0 as for `line`.
        rule: a name for this kind of flaw, as `html.unclosed-tag`.
        severity: how bad it is.
        message: what is wrong, in one line.
        mend: how to put it right.
    """

    line: int
    column: int
    rule: str
    severity: Severity
    message: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """One reference as a file writes it: the line it stands on, what holds it (`a href`), the address."""

    line: int
    holder: str
    target: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What one file says, known from its bytes alone.

    Attributes:
        flaws: what is wrong with it by itself.
        links: what it refers to, in order.
        anchors: names that a fragment of an address can lead to; None when they are not known.
        base: the address its links are relative to, as it writes it; "" for its own.
        cut: whether it was not read to its end, so that more may be wrong.
    """

    flaws: tuple[Flaw, ...] = ()
    links: tuple[Link, ...] = ()
    anchors: frozenset[str] | None = None
    base: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, with the file it is in.

    Attributes:
        file: path within the content; "" when the content as a whole is meant.
        line: 1-based line, 0 when the file as a whole is meant.
        column: 1-based column, 0 when only the line is known.
        rule: a name for this kind of finding, as `link.missing`.
        severity: how bad it is.
        message: what is wrong, in one line.
        mend: how to put it right.
    """

    file: str
    line: int
    column: int
    rule: str
    severity: Severity
    message: str
    mend: str = ""

    @property
    def where(self) -> str:
        """`file:line`, or the file alone when no line is known."""
        return f"{self.file}:{self.line}" if self.line else self.file or "the content"

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f" ({self.mend})" if self.mend else "")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look through the content of a site found.

    Attributes:
        tree: id of the content.
        files: how many files it has.
        read: how many of them were read: pages, style sheets, feeds and the like.
        errors: how many errors there are, those not listed included.
        warnings: how many warnings there are, those not listed included.
        findings: the findings, errors first, by place; the first of them when there are very many.
    """

    tree: str
    files: int = 0
    read: int = 0
    errors: int = 0
    warnings: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def summary(self) -> str:
        """One line for people."""
        if not self.errors and not self.warnings:
            return f"{self.files} files, {self.read} of them read: nothing is wrong"
        return f"{self.files} files, {self.read} of them read: {self.errors} errors, {self.warnings} warnings"
