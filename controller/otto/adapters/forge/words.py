"""Texts on their way to a forge."""

from urllib.parse import urlsplit

from otto.model.text import one_line


def line(text: str, most: int) -> str:
    """One line that a forge shows as it is: it reads no Markdown in descriptions."""
    return one_line(text, most)


def web(url: str, most: int = 255) -> str:
    """An address that may become a link; "" for anything else."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    plain = url.isascii() and url.isprintable() and " " not in url
    return url if plain and parts.scheme in ("http", "https") and parts.hostname and len(url) <= most else ""
