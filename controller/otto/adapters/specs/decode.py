"""From the bytes of a file to its text."""

from otto.adapters.specs.document import Flaw, Stop
from otto.adapters.specs.text import HIDDEN


def decode(data: bytes) -> str:
    """The text of a file, a leading byte order mark cut off.

    Raises:
        Stop: it is not UTF-8, or holds characters that do not show.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="replace")
        line, column = _position(before, len(before))
        found = f"byte 0x{data[error.start]:02x}"
        message = "this file is not UTF-8 text"
        raise Stop(Flaw(line, column, message, found=found, mend="save it as UTF-8")) from error
    if hidden := HIDDEN.search(text):
        line, column = _position(text, hidden.start())
        found = f"U+{ord(hidden.group()):04X}"
        message = "a character that does not show is not allowed here"
        mend = 'delete it; in a quoted text it can be written as an escape, as "\\u2066"'
        raise Stop(Flaw(line, column, message, found=found, mend=mend))
    return text


def _position(text: str, offset: int) -> tuple[int, int]:
    line = text.count("\n", 0, offset) + 1
    return line, offset - text.rfind("\n", 0, offset)
