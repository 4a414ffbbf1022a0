"""Planning: take in what is ours, plan to a file, read it back as canonical changes."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from otto.adapters.terraform import changes, rootmodule, scrubbing
from otto.adapters.terraform import state as states
from otto.adapters.terraform.backend import Backend, LiveResource
from otto.adapters.terraform.folder import Folder, new_token, write
from otto.adapters.terraform.messages import Event, Message
from otto.adapters.terraform.narration import Narrator
from otto.adapters.terraform.rootmodule import PREFIX
from otto.adapters.terraform.session import Session, load
from otto.adapters.terraform.state import State
from otto.adapters.terraform.terraform import FLAG, Watch
from otto.model.canonical import Data
from otto.model.errors import TerminalError, TransientError
from otto.model.infrastructure import InfrastructureInputs, InfrastructurePlan, ResourceChange
from otto.model.progress import Report
from otto.model.spec import Provider, Role

Variables = Mapping[str, Data]

_CHANGED = 2  # exit status of `plan -detailed-exitcode` for a plan that is not empty


@dataclass(frozen=True, slots=True)
class Strays:
    """What is alive under a site's labels and missing from its state.

    Attributes:
        wanted: what the spec asks for; it is imported.
        superseded: addresses of `wanted` under which the state holds something that is gone.
        foreign: things of somebody else's that have a name the site needs.
    """

    wanted: tuple[LiveResource, ...] = ()
    superseded: tuple[str, ...] = ()
    foreign: tuple[LiveResource, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """What the adapter remembers of a plan, beside the plan file.

    Attributes:
        provider: whose module it is for.
        empty: whether Terraform has nothing to do.
        shown: the plan, scrubbed; None when it had to be read for nothing yet.
    """

    provider: Provider
    empty: bool = False
    shown: Mapping[str, Data] | None = None


def host_names(inputs: InfrastructureInputs) -> frozenset[str]:
    """Names of the hosts that the inputs ask for."""
    groups = {Role.WEB: inputs.web, Role.BALANCER: inputs.balancer}
    return frozenset(
        f"{inputs.site}-{role.value}-{number}"
        for role, group in groups.items()
        for number in range(1, group.count + 1)
    )


def strays(live: Iterable[LiveResource], state: State | None, names: frozenset[str]) -> Strays:
    """Sort what is alive by what has to be done with it.

    Hosts of ours that the spec does not ask for are left alone: nobody asked for their removal either.

    Args:
        live: everything alive, foreign things included.
        state: the site's state.
        names: hosts that are wanted.
    """
    known = state.resources if state else {}
    found = sorted(live, key=lambda item: (item.address, item.id))
    ours = [item for item in found if item.ours]
    alive = {item.address for item in ours if _is_known(item, known)}
    chosen: dict[str, LiveResource] = {}
    for item in ours:
        if item.address not in alive and (not item.host or item.host in names):
            chosen.setdefault(item.address, item)
    return Strays(
        wanted=tuple(chosen.values()),
        superseded=tuple(PREFIX + address for address in chosen if PREFIX + address in known),
        foreign=tuple(item for item in found if not item.ours),
    )


def replaced(state: State | None, host_types: Mapping[str, str], names: Collection[str]) -> list[str]:
    """Addresses of the hosts to be made anew, of those that the state holds."""
    hosts = states.host_names(state, host_types) if state else {}
    return sorted(address for address, name in hosts.items() if name in names)


def _is_known(item: LiveResource, known: Mapping[str, Mapping[str, Any]]) -> bool:
    attributes = known.get(PREFIX + item.address)
    if attributes is None:
        return False
    return not item.identity or attributes.get("id") == item.identity


async def plan(
    session: Session, backend: Backend, inputs: InfrastructureInputs, report: Report
) -> InfrastructurePlan:
    """Plan to a file, imports included. The session is prepared already.

    Raises:
        TerminalError: something foreign has a name the site needs, or the state cannot be read.
        OttoError: as Terraform's diagnostics say.
    """
    known = load(session.folder)
    found = strays(await backend.resources(inputs.site), known, host_names(inputs))
    session.folder.drop_plans()
    anew = replaced(known, session.module.host_types, host_names(inputs).intersection(inputs.replace))
    if found.superseded:
        options = {"backup": str(session.folder.superseded)}
        limit = session.settings.show_timeout
        await session.run("state rm", *found.superseded, limit=limit, options=options)
        anew = [address for address in anew if address not in found.superseded]
    if found.wanted:
        write(session.folder.imports, rootmodule.imports(found.wanted))
    token, told = new_token(), _Told(Narrator(report))
    changed = await _run(session, token, told, backend.variables(inputs), replace=anew)
    # Into an empty state, with nothing to be taken in, only creations can be planned.
    bare = not (known and known.resources) and not found.wanted
    planned = changes.creations(told.events, session.module.host_types) if changed and bare else ()
    shown = await _show(session, token) if changed and not planned else None
    planned = planned or (_changes(session, shown) if shown else ())
    refuse_foreign(planned, found.foreign)
    note = Note(inputs.provider, not changed, _scrubbed(session, shown))
    write(session.folder.note(token), json.dumps(asdict(note)))
    return InfrastructurePlan(inputs.site, planned, token)


async def show(session: Session, token: str) -> Mapping[str, Data]:
    """A plan in Terraform's terms, scrubbed."""
    return _scrubbed(session, await _show(session, token)) or {}


async def refresh(session: Session, variables: Variables, report: Report) -> tuple[ResourceChange, ...]:
    """What changed outside Terraform; neither state nor provider is changed."""
    load(session.folder)
    session.folder.drop_plans()
    token = new_token()
    try:
        shown = await _terraform(session, token, Narrator(report), variables, refresh_only=FLAG)
        return _translated(shown, lambda of: changes.drift(of, session.module.host_types)) if shown else ()
    finally:
        session.folder.drop_plans()


async def plan_destruction(
    session: Session, variables: Variables, report: Report
) -> tuple[str, tuple[ResourceChange, ...]]:
    """Plan to destroy everything in the state; the plan's token, and its changes."""
    session.folder.drop_plans()
    token = new_token()
    shown = await _terraform(session, token, Narrator(report), variables, destroy=FLAG)
    return token, _changes(session, shown) if shown else ()


def read_note(folder: Folder, token: str) -> Note:
    """What was remembered of a plan.

    Raises:
        TransientError: a newer plan took its place.
    """
    try:
        content = json.loads(folder.note(token).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TransientError(
            f"the plan for site {folder.site} is stale: a newer command took its place"
        ) from error
    return Note(Provider(content["provider"]), content["empty"], content["shown"])


def refuse_foreign(planned: Iterable[ResourceChange], foreign: Iterable[LiveResource]) -> None:
    """Stop before a name that somebody else has is used.

    Raises:
        TerminalError: names what is in the way.
    """
    created = {change.address for change in planned if "create" in change.verbs}
    in_the_way = [item for item in foreign if PREFIX + item.address in created]
    if in_the_way:
        names = ", ".join(f"{item.name} ({item.id})" for item in in_the_way)
        raise TerminalError(
            f"something that is not OttO's has a name this site needs: {names}",
            mend="remove or rename it, or rename the site",
        )


class _Told:
    """Passes messages on, and keeps those of resources."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self.events: list[Event] = []

    def __call__(self, message: Message) -> None:
        if isinstance(message, Event):
            self.events.append(message)
        self._narrator(message)


async def _terraform(
    session: Session, token: str, narrator: Narrator, variables: Variables, **mode: object
) -> Mapping[str, Any] | None:
    """Plan to the token's file; the plan as JSON, None when there is nothing to do."""
    changed = await _run(session, token, narrator, variables, **mode)
    return await _show(session, token) if changed else None


async def _run(session: Session, token: str, watch: Watch, variables: Variables, **mode: object) -> bool:
    """Plan to the token's file; whether there is something to do."""
    file = str(session.folder.plan(token))
    settings = session.settings
    options: dict[str, object] = {
        "json": FLAG,
        "input": False,
        "out": file,
        "detailed_exitcode": FLAG,
        "parallelism": settings.parallelism,
        "var": dict(variables),
    } | mode
    try:
        outcome = await session.run(
            "plan",
            limit=settings.plan_timeout,
            good=(0, _CHANGED),
            watch=watch,
            options=options,
        )
    except (TerminalError, TransientError):
        session.distrust()
        raise
    return outcome.status == _CHANGED


async def _show(session: Session, token: str) -> Mapping[str, Any]:
    shown = session.folder.shown(token)
    try:
        file = str(session.folder.plan(token))
        await session.run(
            "show", file, limit=session.settings.show_timeout, into=shown, options={"json": FLAG}
        )
        content = json.loads(shown.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TransientError(f"terraform show of site {session.folder.site} gave no JSON: {error}") from error
    finally:
        shown.unlink(missing_ok=True)
    return content if isinstance(content, dict) else {}


def _changes(session: Session, shown: Mapping[str, Any]) -> tuple[ResourceChange, ...]:
    return _translated(shown, lambda of: changes.changes(of, session.module.host_types))


def _translated(
    shown: Mapping[str, Any], read: Callable[[Mapping[str, Any]], tuple[ResourceChange, ...]]
) -> tuple[ResourceChange, ...]:
    try:
        return read(shown)
    except ValueError as error:
        raise TerminalError(str(error), mend="use a version of Terraform that OttO knows") from error


def _scrubbed(session: Session, shown: Mapping[str, Any] | None) -> dict[str, Data] | None:
    return scrubbing.scrubbed(shown, session.module.secrets) if shown else None
