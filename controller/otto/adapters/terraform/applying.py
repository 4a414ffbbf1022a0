"""Applying a plan, that very one, and taking a site down."""

from otto.adapters.terraform import planning
from otto.adapters.terraform.backend import Backend
from otto.adapters.terraform.narration import Narrator
from otto.adapters.terraform.planning import Note
from otto.adapters.terraform.session import Session
from otto.adapters.terraform.terraform import FLAG
from otto.model.errors import TransientError
from otto.model.infrastructure import InfrastructurePlan
from otto.model.progress import Report


async def apply(session: Session, plan: InfrastructurePlan, note: Note, report: Report) -> None:
    """Apply the plan file.

    Raises:
        TransientError: the plan went stale or a resource failed; what was made is in the state.
        OttoError: as Terraform's diagnostics say.
    """
    try:
        if not note.empty:
            await run(session, plan.handle, Narrator(report, plan.changes))
    finally:
        session.folder.drop_plans()


async def run(session: Session, token: str, narrator: Narrator) -> None:
    """Have Terraform apply a plan file."""
    file = session.folder.plan(token)
    if not file.exists():
        raise TransientError(f"the plan for site {session.folder.site} is stale: its file is gone")
    await session.run(
        "apply",
        str(file),
        limit=session.settings.apply_timeout,
        watch=narrator,
        options={"json": FLAG, "input": False, "parallelism": session.settings.parallelism},
    )


async def destroy_state(session: Session, variables: planning.Variables, report: Report) -> None:
    """Destroy everything that the state holds."""
    token, changes = await planning.plan_destruction(session, variables, report)
    try:
        if changes:
            await run(session, token, Narrator(report, changes))
    finally:
        session.folder.drop_plans()


async def remove_leftovers(backend: Backend, site: str, report: Report) -> None:
    """Remove everything that still carries the site's labels: hosts first, then what they hang on.

    Raises:
        TransientError: some of it is still there afterwards.
    """
    ours = [item for item in await backend.resources(site) if item.ours]
    narrator = Narrator(report)
    for item in sorted(ours, key=lambda item: (not item.host, item.address, item.id)):
        narrator.say(f"removing leftover {item.name}", item.host)
        await backend.remove(site, item)
    if ours and (left := [item.name for item in await backend.resources(site) if item.ours]):
        raise TransientError(f"leftovers of site {site} would not go: {', '.join(left)}")
