"""Deliveries to webhooks: whether their sender knows the secret, and what they say.

Everything in a request comes from outside. Who signed is settled before anything of a body is read.

Sources: GitHub, "Validating webhook deliveries" and "Webhook events and payloads"; GitLab, "Webhooks" and
"Webhook events"; Gitea, "Webhooks"; Forgejo, "Webhooks".
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from otto.decide.addresses import normalised
from otto.decide.pipelines import short
from otto.model.delivery import Delivery, DeliveryKind, Sender
from otto.model.errors import UsageError

DEEPEST = 32
"""Objects and lists inside each other that a delivery may hold; forges use less than ten."""

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_WORDS, _REF = 100, 255
_PUSHES = frozenset({"push", "Push Hook", "Tag Push Hook"})
_PULLS = frozenset({"pull_request", "Merge Request Hook"})
_EVENTS = {
    Sender.GITHUB: ("x-github-event",),
    Sender.GITLAB: ("x-gitlab-event",),
    Sender.GITEA: ("x-forgejo-event", "x-gitea-event"),
}
_IDENTITIES = {
    Sender.GITHUB: ("x-github-delivery",),
    Sender.GITLAB: ("x-gitlab-event-uuid", "idempotency-key"),
    Sender.GITEA: ("x-forgejo-delivery", "x-gitea-delivery"),
    Sender.GENERIC: ("x-otto-delivery",),
}
_SIGNATURES = {
    Sender.GITHUB: ("x-hub-signature-256",),
    Sender.GITEA: ("x-forgejo-signature", "x-gitea-signature"),
    Sender.GENERIC: ("x-otto-signature",),
}
_TIMESTAMP = "x-otto-timestamp"
_ADDRESSES = ("clone_url", "ssh_url", "html_url", "git_http_url", "git_ssh_url", "web_url")

Headers = Mapping[str, str]
"""Names in small letters -> values."""


def is_signed(
    sender: Sender, headers: Headers, body: bytes, secrets: Sequence[bytes], *, now: datetime, window: float
) -> bool:
    """Whether a delivery comes from somebody who knows one of the secrets; compared in constant time.

    Args:
        sender: whose form it has.
        headers: of the request.
        body: its bytes, as they came.
        secrets: those that are valid.
        now: the time.
        window: seconds by which the time in a generic delivery may be off.
    """
    if sender is Sender.GITLAB:
        token = headers.get("x-gitlab-token", "").encode("latin-1")
        return True in [hmac.compare_digest(token, secret) for secret in secrets]
    if sender is Sender.GENERIC and not _timely(headers, now, window):
        return False
    signed = headers.get(_TIMESTAMP, "").encode("latin-1") + b"." + body if sender is Sender.GENERIC else body
    given = _first(headers, _SIGNATURES[sender]).removeprefix("sha256=").lower()
    # All secrets are tried, whichever fits: how long it takes tells nothing.
    return True in [hmac.compare_digest(given.encode("latin-1"), _hmac(secret, signed)) for secret in secrets]


def signature(secret: bytes, body: bytes, timestamp: str = "") -> str:
    """What a sender writes: of a body, or of a body at a time, as the generic form has it."""
    signed = timestamp.encode() + b"." + body if timestamp else body
    return f"sha256={_hmac(secret, signed).decode()}"


def identities(sender: Sender, headers: Headers, body: bytes) -> tuple[str, ...]:
    """By what a delivery is known again: its content, and what its sender calls it.

    No forge signs the id it gives a delivery, so that the content alone would have to do: one that was
    overheard could be sent again under another id.
    """
    content = hashlib.sha256(headers.get(_TIMESTAMP, "").encode("latin-1") + b"." + body).hexdigest()
    given = _first(headers, _IDENTITIES[sender])[:_REF]
    own = (f"{sender.value}/{given}",) if given else ()
    return (f"{sender.value}={content}", *own)


def read(sender: Sender, headers: Headers, body: bytes) -> Delivery:
    """What a delivery says.

    Raises:
        UsageError: it is not JSON, is too deep, or holds something else than its sender would send.
    """
    kind = _kind(sender, headers)
    if kind is DeliveryKind.PING:
        return Delivery(sender, kind)
    data = _parsed(body)
    if kind is DeliveryKind.OTHER:
        return Delivery(sender, kind, _repositories(data))
    if sender is Sender.GENERIC:
        return _generic(data)
    repositories = _repositories(data)
    if not repositories:
        raise UsageError("the delivery names no repository")
    if kind is DeliveryKind.PULL:
        return Delivery(sender, kind, repositories, by=_by(data), pull=_pull(data))
    after = _text(data.get("after"), _REF)
    return Delivery(sender, kind, repositories, _ref(data), _commit(after), _by(data))


def deepest(body: bytes, limit: int = DEEPEST) -> int:
    """How many objects and lists of a JSON text stand inside each other; counting ends beyond `limit`."""
    depth = most = 0
    for character in re.sub(rb"[^\[\]{}]+", b"", _STRINGS.sub(b"", body)):
        depth += 1 if character in b"[{" else -1
        most = max(most, depth)
        if most > limit:
            break
    return most


def _hmac(secret: bytes, signed: bytes) -> bytes:
    return hmac.new(secret, signed, hashlib.sha256).hexdigest().encode()


def _timely(headers: Headers, now: datetime, window: float) -> bool:
    text = headers.get(_TIMESTAMP, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):  # noqa: PLR2004  (the year 33658)
        return False
    return abs(now.timestamp() - int(text)) <= window


def _first(headers: Headers, names: Iterable[str]) -> str:
    return next((headers[name] for name in names if headers.get(name)), "")


def _kind(sender: Sender, headers: Headers) -> DeliveryKind:
    if sender is Sender.GENERIC:
        return DeliveryKind.PUSH
    event = _first(headers, _EVENTS[sender])
    if event == "ping":
        return DeliveryKind.PING
    if event in _PUSHES:
        return DeliveryKind.PUSH
    return DeliveryKind.PULL if event in _PULLS else DeliveryKind.OTHER


def _parsed(body: bytes) -> Mapping[str, Any]:
    if deepest(body) > DEEPEST:
        raise UsageError(f"the delivery is more than {DEEPEST} levels deep")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        mend = "have the forge send application/json"
        raise UsageError("the delivery is no JSON", mend=mend) from error
    if not isinstance(data, dict):
        raise UsageError("the delivery is no JSON object")
    return data


def _generic(data: Mapping[str, Any]) -> Delivery:
    address = normalised(_text(data.get("repository"), 1000))
    ref = _ref(data)
    if not address or not ref:
        raise UsageError("the delivery has to name a repository and a ref")
    commit = _commit(_text(data.get("commit"), _REF))
    by = _text(data.get("by"), _WORDS)
    return Delivery(Sender.GENERIC, DeliveryKind.PUSH, (address,), ref, commit, by)


def _repositories(data: Mapping[str, Any]) -> tuple[str, ...]:
    told = (data.get("repository"), data.get("project"))
    addresses = (
        normalised(_text(item.get(name), 1000))
        for item in told
        if isinstance(item, dict)
        for name in _ADDRESSES
    )
    return tuple(sorted({address for address in addresses if address}))


def _ref(data: Mapping[str, Any]) -> str:
    ref = short(_text(data.get("ref"), _REF))
    if not ref:
        raise UsageError("the delivery names no branch or tag")
    return ref


def _commit(text: str) -> str:
    """A commit id; "" for what is none, and for the zeros that stand for a branch that is gone."""
    return text if _COMMIT.fullmatch(text) and set(text) != {"0"} else ""


def _by(data: Mapping[str, Any]) -> str:
    pusher = data.get("pusher")
    told: list[object] = [data.get("user_username"), data.get("user_name")]
    for item in (pusher, data.get("sender"), data.get("user")):
        if isinstance(item, dict):
            told += [item.get("login"), item.get("username"), item.get("name")]
    return next((words for words in (_text(item, _WORDS) for item in told) if words), "")


def _pull(data: Mapping[str, Any]) -> int:
    attributes = data.get("object_attributes")
    number = attributes.get("iid") if isinstance(attributes, dict) else data.get("number")
    return number if isinstance(number, int) and 0 < number < 1 << 31 else 0


def _text(value: object, longest: int) -> str:
    """A text from outside: printable and short, or nothing."""
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        return ""
    return value
