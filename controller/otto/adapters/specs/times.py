"""Times as specs write them: RFC 3339, with a time zone."""

from datetime import UTC, datetime


def time_of(text: str) -> datetime:
    """The moment a text names, in UTC.

    Raises:
        ValueError: there is no such time, or it has no time zone; the message says which.
    """
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise ValueError("there is no such time") from error
    if found.tzinfo is None:
        raise ValueError("this time has no time zone")
    return found.astimezone(UTC)
