"""What one file says, by its kind."""

from collections.abc import Mapping

from otto.model.inspection import Facts, Flaw, Severity

# By the end of the name, as nginx's mime.types knows them; text is looked at for its encoding alone.
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("html", "htm", "shtml"), "html"),
    **dict.fromkeys(("xml", "svg", "rss", "atom", "xhtml", "xsl"), "xml"),
    "css": "css",
    **dict.fromkeys(("js", "mjs", "json", "webmanifest", "txt"), "text"),
}
LONGEST = 4 * 1024**2


def kind(path: str) -> str:
    """The kind of a file, by its name: `html`, `xml`, `css` or `text`; "" is not read."""
    name, dot, suffix = path.rpartition("/")[2].rpartition(".")
    return _KINDS.get(suffix.lower(), "") if dot and name else ""


def facts(of: str, data: bytes) -> Facts:
    """What a file says, found from its bytes alone.

    Args:
        of: its kind.
        data: its bytes, at most `LONGEST` of them: longer files are `unread`.

    Raises:
        Exception: a parser made a mistake, over something that nobody would write on purpose.
    """
    # What parses is imported by whoever parses: a controller asks for the answers alone.
    from otto.decide.content import page, stylesheet, xmlfile  # noqa: PLC0415
    from otto.decide.content.text import decoded  # noqa: PLC0415

    text, flaws = decoded(data)
    if of == "html":
        found = page.facts(text)
    elif of == "xml":
        found = xmlfile.facts(text)
    else:
        found = Facts(links=tuple(stylesheet.links(text)) if of == "css" else ())
    return Facts((*flaws, *found.flaws), found.links, found.anchors, found.base, found.cut)


def unread(why: str) -> Facts:
    """What is known of a file that could not be read to its end."""
    message = f"this file was not looked through: {why}"
    return Facts((Flaw(0, 0, "file.unread", Severity.WARNING, message, "split it"),), cut=True)


def too_long(size: int) -> Facts:
    """What is known of a file that is longer than files are read."""
    return unread(f"it has {size} bytes, and files are read up to {LONGEST}")
