"""Where hosts may be made, and as whom."""

from collections.abc import Iterable, Iterator

from otto.decide.guard.rule import Case, Check, Rule
from otto.model.plan import ActionKind
from otto.model.policy import Place
from otto.model.verdict import Effect, Reason

_MAKING = frozenset({*ActionKind} - {ActionKind.SCALE_IN, ActionKind.DESTROY})


def _provider(case: Case) -> Iterator[Reason]:
    provider = case.plan.about.provider
    if provider and provider not in case.history.providers:
        allowed = ", ".join(sorted(case.history.providers)) or "none"
        message = f"provider {provider} may not be touched (allowed: {allowed})"
        yield _refuse("guard.place.provider", message, "add it to CLOWD_PROVIDERS, or change spec.provider")


def _moved(case: Case) -> Iterator[Reason]:
    before, after = case.history.provider, case.plan.about.provider
    if before and after and before != after:
        message = f"the site lives at {before}, and its spec now says {after}: every host would be replaced"
        mend = "give the new site another name; take this one down with a tombstone when that one is Ready"
        yield _refuse("guard.place.moved", message, mend)


def _account(case: Case) -> Iterator[Reason]:
    provider, account, place = case.plan.about.provider, case.history.account, _place(case)
    if place.accounts and (account is None or account.id not in place.accounts):
        whose = f"account {account.id}" if account else "an account that is not known"
        message = f"the credentials for {provider} belong to {whose}, which the fleet policy does not allow"
        yield _refuse("guard.place.account", message, _mend(provider, "accounts", "use other credentials"))


def _region(case: Case) -> Iterator[Reason]:
    provider, account, place = case.plan.about.provider, case.history.account, _place(case)
    if place.regions and (account is None or account.region not in place.regions):
        region = account.region if account else "unknown"
        message = f"{provider} would act in region {region}, which the fleet policy does not allow"
        yield _refuse("guard.place.region", message, _mend(provider, "regions", "choose another"))


def _sizes(case: Case) -> Iterator[Reason]:
    provider, allowed = case.plan.about.provider, _place(case).sizes
    if allowed and (strange := _strange(case.plan.about.sizes, allowed)):
        message = f"the fleet policy does not allow hosts of size {strange} at {provider}"
        yield _refuse("guard.place.size", message, _mend(provider, "sizes", "choose another"))


def _types(case: Case) -> Iterator[Reason]:
    provider, allowed = case.plan.about.provider, _place(case).resources
    types = {action.type for action in case.plan.actions if action.type and action.kind in _MAKING}
    if allowed and (strange := _strange(types, allowed)):
        message = f"the fleet policy does not allow resources of type {strange} at {provider}"
        yield _refuse("guard.place.resource", message, _mend(provider, "resources", "do without"))


def _place(case: Case) -> Place:
    return case.policy.fleet.places.get(case.plan.about.provider, Place())


def _strange(found: Iterable[str], allowed: Iterable[str]) -> str:
    return ", ".join(sorted(set(found) - set(allowed)))


def _mend(provider: str, what: str, otherwise: str) -> str:
    return f"{otherwise}, or add it to places.{provider}.{what} of the fleet policy"


def _refuse(rule: str, message: str, mend: str) -> Reason:
    return Reason(rule, message, mend, Effect.REFUSE)


def _rule(name: str, about: str, default: str, mend: str, check: Check) -> Rule:
    return Rule(name, Effect.REFUSE, about, default, mend, check)


RULES = (
    _rule(
        "guard.place.provider",
        "The provider is none of those that `CLOWD_PROVIDERS` names and this version drives.",
        "all that this version drives",
        "Add it there, or change `spec.provider`.",
        _provider,
    ),
    _rule(
        "guard.place.moved",
        "The spec names another provider than the one where the site's hosts live.",
        "refuses",
        "Make a site of another name there; then take this one down.",
        _moved,
    ),
    _rule(
        "guard.place.account",
        "The provider's credentials belong to an account that `places` in the fleet's policy does not list.",
        "every account",
        "Use other credentials, or list the account.",
        _account,
    ),
    _rule(
        "guard.place.region",
        "The provider would act in a region that `places` does not list.",
        "every region",
        "List the region, or choose another.",
        _region,
    ),
    _rule(
        "guard.place.size",
        "The spec asks for a size that `places` does not list.",
        "every size",
        "List the size, or choose another.",
        _sizes,
    ),
    _rule(
        "guard.place.resource",
        "The plan makes or changes a resource of a type that `places` does not list.",
        "every type",
        "List the type.",
        _types,
    ),
)
