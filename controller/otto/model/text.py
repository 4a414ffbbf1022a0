"""Text of somebody else's, made fit to be shown."""


def one_line(text: str, most: int) -> str:
    """A text as one line of characters that show, shortened to `most` of them."""
    # What is cut off in the end anyhow is not looked at, however long it is.
    words = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * most]).split())
    return words if len(words) <= most else words[: most - 1] + "…"
