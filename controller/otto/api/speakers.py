"""Who speaks through the API: whoever a token was made for."""

from datetime import datetime

from otto.model.caller import Caller
from otto.model.errors import ForbiddenError
from otto.model.saying import Speaker, name_of


def speaker_of(caller: Caller, by: str | None, now: datetime) -> Speaker:
    """Who speaks now. Without a token, on this machine itself, people may give any name, as on the console.

    Args:
        caller: who asks.
        by: the name they give, None for their own.
        now: the time of day, in UTC.

    Raises:
        ForbiddenError: somebody with a token speaks for somebody else.
        UsageError: the name will not do.
    """
    if by is not None and caller.token and by != caller.name:
        mend = "give no other name (--by): the token's stands"
        raise ForbiddenError(f"the token is {caller.name}'s, and speaks for nobody else", mend=mend)
    account = f"token {caller.token}" if caller.token else f"{caller.name} at {caller.address}"
    return Speaker(name_of(caller.name if by is None else by), now, account)
