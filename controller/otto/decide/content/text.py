"""From the bytes of a file to its text, as browsers take it when nginx says that it is UTF-8."""

import codecs

from otto.model.inspection import Flaw, Severity

# A byte order mark goes before what the server says (Encoding Standard, "decode").
_WIDE = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_MEND = "save it as UTF-8"


def decoded(data: bytes) -> tuple[str, tuple[Flaw, ...]]:
    """The text of a file, and what is wrong with its encoding; what is no character becomes U+FFFD."""
    for mark, name in _WIDE:
        if data.startswith(mark):
            flaw = Flaw(0, 0, "text.encoding", Severity.WARNING, "this file is UTF-16, not UTF-8", _MEND)
            return data[len(mark) :].decode(name, "replace"), (flaw,)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode(), ()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        message = f"this file is not UTF-8, which it is served as: byte 0x{data[error.start]:02x}"
        return data.decode("utf-8", "replace"), (
            Flaw(line, column, "text.encoding", Severity.ERROR, message, _MEND),
        )


def line_of(text: str, place: int) -> int:
    """The 1-based line of a place in a text."""
    return text.count("\n", 0, place) + 1
