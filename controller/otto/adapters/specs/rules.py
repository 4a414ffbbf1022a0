"""What a schema cannot say of policies: expressions, time zones, times, fields that exclude each other."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from otto.adapters.specs.document import Flaw, Place, find
from otto.adapters.specs.text import did_you_mean, quoted
from otto.adapters.specs.times import time_of
from otto.decide import cron
from otto.decide.keys import allowed_signer, fingerprint, public_keys
from otto.model.duration import in_words, seconds_of
from otto.model.errors import UsageError

_Path = tuple[str | int, ...]
_Fields = Mapping[str, Any]
_LONGEST_WINDOW = 31 * 86_400.0
_LONGEST_HOOK = 300.0
# Times are reckoned with: a hundred years are enough for anybody, and no date runs over.
_LONGEST = 100 * 366 * 86_400.0
_DURATIONS = ("ttl", "approvalExpiry")
# A run waits as long for each batch: a site that soaks for a day would heal nothing meanwhile.
_ROLLOUT = {"soak": 3600.0, "drainTimeout": 600.0}
_CHANGED = frozenset({"window", "count", "share", "changing", "repairCount", "windowCount"})


def flaw(place: Place, path: _Path, message: str, **more: str) -> Flaw:
    """A flaw at the place of a value."""
    at = find(place, path)
    return Flaw(at.line, at.column, message, path=path, **more)


def site_policy(policy: _Fields, place: Place, base: _Path) -> Iterator[Flaw]:
    """What is wrong with `spec.policy`."""
    if "ttl" in policy and "until" in policy:
        message, mend = "a site ends by its ttl or at a time, not both", 'keep "ttl" or "until"'
        yield flaw(place, (*base, "until"), message, mend=mend)
    for name in _DURATIONS:
        if name in policy:
            yield from _length(policy[name], place, (*base, name), _LONGEST)
    if "until" in policy:
        yield from time(policy["until"], place, (*base, "until"))
    if "limits" in policy:
        yield from _limits(policy["limits"], place, (*base, "limits"))
    yield from _shared(policy, place, base)
    for number, item in enumerate(policy.get("drift", {}).get("ignore", ())):
        yield from time(item["until"], place, (*base, "drift", "ignore", number, "until"))


def site_rollout(rollout: _Fields, place: Place, base: _Path) -> Iterator[Flaw]:
    """What is wrong with `spec.rollout`."""
    for name, most in _ROLLOUT.items():
        if name in rollout:
            yield from _at_most(rollout[name], place, (*base, name), most)


def domain_policy(policy: _Fields, place: Place, base: _Path) -> Iterator[Flaw]:
    """What is wrong with `spec.policy` of a Domain, whose `ttl` is a number of seconds of records."""
    if "approvalExpiry" in policy:
        yield from _length(policy["approvalExpiry"], place, (*base, "approvalExpiry"), _LONGEST)
    if "limits" in policy:
        yield from _limits(policy["limits"], place, (*base, "limits"))
    yield from _shared(policy, place, base)


def fleet_policy(spec: _Fields, place: Place) -> Iterator[Flaw]:
    """What is wrong with the `spec` of a fleet's policy."""
    base: _Path = ("spec",)
    for name in ("limits", "siteLimits"):
        if name in spec:
            yield from _limits(spec[name], place, (*base, name))
    yield from _shared(spec, place, base)
    for number, item in enumerate(spec.get("labels", ())):
        yield from _length(item["ttl"], place, (*base, "labels", number, "ttl"), _LONGEST)
    for number, text in enumerate(spec.get("ttlWarnings", ())):
        yield from _length(text, place, (*base, "ttlWarnings", number), _LONGEST)
    if "hook" in spec:
        yield from _hook(spec["hook"], place, (*base, "hook"))
    if "signatures" in spec:
        yield from _signatures(spec["signatures"], place, (*base, "signatures"))


def time(text: str, place: Place, path: _Path) -> Iterator[Flaw]:
    """What is wrong with a time."""
    try:
        time_of(text)
    except ValueError as error:
        zone = "zone" in str(error)
        mend = f"write it as {text}Z for UTC, or with an offset as +01:00" if zone else ""
        yield flaw(place, path, str(error), found=quoted(text), mend=mend)


def _shared(fields: _Fields, place: Place, base: _Path) -> Iterator[Flaw]:
    for kind in ("allow", "deny"):
        for number, window in enumerate(fields.get("windows", {}).get(kind, ())):
            yield from _window(window, place, (*base, "windows", kind, number))
    if fields.get("budget", {}).get("warn", 1) == 0:
        message, allowed = (
            "a budget is told of before it is used up, not from the start",
            "above 0, at most 1",
        )
        yield flaw(place, (*base, "budget", "warn"), message, found="the number 0", allowed=allowed)


def _window(window: _Fields, place: Place, base: _Path) -> Iterator[Flaw]:
    try:
        cron.read(window["cron"])
    except UsageError as error:
        found = quoted(window["cron"])
        yield flaw(place, (*base, "cron"), error.message, found=found, mend=error.mend)
    zone = window.get("timezone", "UTC")
    if zone not in _zones():
        meant = did_you_mean(zone, _candidates(zone))
        mend = f'did you mean "{meant}"?' if meant else "write an IANA name, as Europe/Berlin or UTC"
        yield flaw(place, (*base, "timezone"), "there is no such time zone", found=quoted(zone), mend=mend)
    yield from _length(window["lasts"], place, (*base, "lasts"), _LONGEST_WINDOW)


def _length(text: str, place: Place, path: _Path, most: float) -> Iterator[Flaw]:
    if seconds_of(text) == 0:
        yield flaw(
            place, path, "this is no time at all", found=quoted(text), mend="write it like 30m, 8h or 2d"
        )
    else:
        yield from _at_most(text, place, path, most)


def _at_most(text: str, place: Place, path: _Path, most: float) -> Iterator[Flaw]:
    if seconds_of(text) > most:
        yield flaw(place, path, "this is too long", found=quoted(text), allowed=f"at most {in_words(most)}")


def _limits(limits: _Fields, place: Place, base: _Path) -> Iterator[Flaw]:
    if "window" in limits:
        yield from _length(limits["window"], place, (*base, "window"), _LONGEST_WINDOW)
    if _CHANGED & limits.keys() and "reason" not in limits:
        at = find(place, base)
        line, column = at.key or (at.line, at.column)
        message, mend = 'missing field "reason"', "say why these limits are not the default ones"
        yield Flaw(line, column, message, mend=mend, path=(*base, "reason"))


def _hook(hook: _Fields, place: Place, base: _Path) -> Iterator[Flaw]:
    if not hook["command"]:
        yield flaw(place, (*base, "command"), "this may not be empty", mend="name an executable")
    elif not hook["command"][0].startswith("/"):
        message, mend = "the executable is named by its absolute path", "begin it with /"
        yield flaw(place, (*base, "command", 0), message, found=quoted(hook["command"][0]), mend=mend)
    if "timeout" in hook:
        yield from _length(hook["timeout"], place, (*base, "timeout"), _LONGEST_HOOK)


def _signatures(signatures: _Fields, place: Place, base: _Path) -> Iterator[Flaw]:
    if not signatures["keys"]:
        message, mend = "this may not be empty", "name at least one key: nothing else could be deployed"
        yield flaw(place, (*base, "keys"), message, mend=mend)
    if "tags" in signatures and signatures["require"] != "tags":
        yield flaw(place, (*base, "tags"), "this goes with require: tags", mend="remove it")
    for number, key in enumerate(signatures["keys"]):
        yield from _key(key, place, (*base, "keys", number))
    for number, text in enumerate(signatures.get("revoked", ())):
        try:
            fingerprint(text)
        except UsageError as error:
            yield flaw(place, (*base, "revoked", number), error.message, mend=error.mend)


def _key(key: _Fields, place: Place, path: _Path) -> Iterator[Flaw]:
    if len(key) != 1:
        message, allowed = "a key is said in one way", '"ssh", "openpgp" or "file"'
        yield flaw(place, path, message, allowed=allowed)
    for name, read in (("ssh", allowed_signer), ("openpgp", public_keys)):
        if name in key:
            try:
                read(key[name])
            except UsageError as error:
                yield flaw(place, (*path, name), error.message, mend=error.mend)


@cache
def _zones() -> frozenset[str]:
    """Names of the IANA time zones: those of the package tzdata, the same on every machine."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def _candidates(zone: str) -> list[str]:
    """Names near enough to be looked at closely: nearly 600 of them take a while."""
    start = zone[:1].upper()
    return sorted(name for name in _zones() if name[0] == start or name.rpartition("/")[2][0] == start)
