"""Who vouches for commits and tags, asked once for each of them and for each policy."""

from collections import OrderedDict

from otto.decide.admission import early, refusal
from otto.decide.gitobject import read
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.signature import GitObject, Refusal, Signatures, Signed, Signer
from otto.ports import Clock, Policies, Vouching

_REMEMBERED = 1024
# A key that counts only from some day on does so without the policy's changing.
_REFUSED_FOR = 600.0


class Vouched:
    """Remembers what was answered.

    Args:
        vouching: says whether a signature is good.
        clock: the time.
    """

    def __init__(self, vouching: Vouching, clock: Clock) -> None:
        self._vouching = vouching
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[float, Signer | Refusal]] = OrderedDict()

    async def ask(self, signed: Signed, demanded: Signatures, policy: str) -> Signer | Refusal:
        """Who signed it, or why it does not count.

        Args:
            signed: the commit or tag.
            demanded: the policy.
            policy: the policy's digest, its keys as their files hold them now.
        """
        name = (signed.id, policy)
        at, known = self._known.get(name, (0.0, None))
        if known is not None and (isinstance(known, Signer) or self._clock.monotonic() - at < _REFUSED_FOR):
            return known
        if early(signed, self._clock.now()):
            return refusal(
                signed, TerminalError(f"it is of {signed.at:%Y-%m-%d %H:%M} UTC, which has not come")
            )
        answer: Signer | Refusal
        try:
            answer = await self._vouching.check(signed, demanded, self._clock.now())
        except TransientError as error:
            return refusal(signed, error)
        except OttoError as error:
            answer = refusal(signed, error)
        self._known[name] = (self._clock.monotonic(), answer)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return answer


class ContentDoor:
    """Lets content of other repositories in, where the policy wants it signed too.

    Args:
        policies: the operator's policy.
        vouching: says whether a signature is good.
        clock: the time.
    """

    def __init__(self, policies: Policies, vouching: Vouching, clock: Clock) -> None:
        self._policies = policies
        self._vouching = vouching
        self._clock = clock
        self._vouched = Vouched(vouching, clock)

    async def __call__(self, where: str, found: GitObject) -> None:
        """See to it that content may be deployed.

        Args:
            where: the repository and ref, as its spec names them.
            found: the tag that the ref names, or else the commit.

        Raises:
            TerminalError: nobody known has signed it.
        """
        demanded = self._policies.fleet().signatures
        if demanded is None or not demanded.content:
            return
        signed = read(found)
        answer = await self._vouched.ask(signed, demanded, self._vouching.digest(demanded))
        if isinstance(answer, Refusal):
            raise TerminalError(f"the content {where}: {answer.reason}", mend=answer.mend)
