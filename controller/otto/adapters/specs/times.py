"""Times as specs write them: RFC 3339, with a time zone."""

from datetime import UTC, datetime


def time_of(text: str) -> datetime:
    """The moment a text names, in UTC.

    Raises:
        ValueError: there is no such time, or it has no time zone; the message says which.
    """
    try:
        found = datetime.fromisoformat(text.upper())
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("there is no such time") from error
    raise ValueError("this time has no time zone")
