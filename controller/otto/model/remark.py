"""What is said of a spec repository in a CI job: remarks, each at a place of a file."""

from dataclasses import dataclass

from otto.model.inspection import Severity


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to say.

    Attributes:
        file: path within the repository.
        line: 1-based line, 0 when the file as a whole is meant.
        column: 1-based column, 0 when only the line is known.
        severity: an error fails the job.
        rule: a name for this kind of remark, as `spec.invalid` or `link.missing`.
        message: what is wrong, in one line.
        mend: how to put it right.
        site: name of the site concerned, "" when it is not one.
    """

    file: str
    line: int
    column: int
    severity: Severity
    rule: str
    message: str
    mend: str = ""
    site: str = ""

    @property
    def where(self) -> str:
        """`file:line:column`, as far as they are known."""
        places = [str(place) for place in (self.line, self.column) if place]
        return ":".join([self.file or ".", *places])

    def __str__(self) -> str:
        mend = f" ({self.mend})" if self.mend else ""
        return f"{self.where}: {self.severity}: {self.message}{mend}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a look at a commit came to.

    Attributes:
        commit: the commit.
        base: the commit it was compared with, "" for none.
        files: spec files that were read.
        sites: names of the sites that are good.
        remarks: by severity and place.
        changes: what it would change, line by line, printable ASCII; nothing without a base.
        notes: what was not looked at, and why.
    """

    commit: str
    base: str = ""
    files: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        """How many errors there are."""
        return sum(remark.severity is Severity.ERROR for remark in self.remarks)

    @property
    def warnings(self) -> int:
        """How many warnings there are."""
        return len(self.remarks) - self.errors
