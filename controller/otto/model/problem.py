"""A problem in something a person wrote: what, where, why, and how to mend it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem at one place.

    Attributes:
        file: path within the repository, or as given on the command line.
        line: 1-based line, 0 when the file as a whole is meant.
        column: 1-based column, 0 as for `line`.
        pointer: JSON pointer (RFC 6901) to the value inside its document; "" is the document itself.
        message: what is wrong, in one sentence.
        found: what stands there, shortened and safe to print.
        allowed: what may stand there.
        mend: how to put it right.
        site: name of the site concerned, where known.
    """

    file: str
    line: int
    column: int
    pointer: str
    message: str
    found: str = ""
    allowed: str = ""
    mend: str = ""
    site: str = ""

    @property
    def where(self) -> str:
        """`file:line:column`, or the file alone when no line is known."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.message}"]
        if self.pointer:
            parts.append(f"at {self.pointer}")
        if self.found:
            parts.append(f"found {self.found}")
        if self.allowed:
            parts.append(f"allowed: {self.allowed}")
        if self.mend:
            parts.append(self.mend)
        return "; ".join(parts)
