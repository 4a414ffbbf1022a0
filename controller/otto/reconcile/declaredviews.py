"""Declared machines, with what was observed of each last. Asks nobody; in the controller's loop."""

from collections.abc import Mapping

from otto.decide.hosts import as_host
from otto.model.host import Host
from otto.model.observed import Unseen
from otto.model.spec import Role
from otto.reconcile.controller import Controller
from otto.reconcile.hostview import HostView


async def declared_view(controller: Controller, name: str) -> HostView:
    """One declared machine, by name; of one whose declaration is not used, why."""
    fleet, now = controller.fleet, controller.kit.clock.now()
    spec = fleet.hosts_in_force().get(name)
    if spec is None:
        why = "; ".join(map(str, fleet.catalogue.host_problems.get(name, ()))) or "it is not in force yet"
        host = Host(name, Role.WEB, "", "", "", 22, "", 80, "")
        return HostView("", host, "", None, None, Unseen(f"not watched: {why}", now), declared=True)
    views = controller.watchman.views()
    if spec.site:
        status = await controller.kit.store.status(spec.site)
        views = controller.reconciler.sentinel.views(status) if status else ()
    for view in views:
        if view.host.name == name:
            return view
    unseen = Unseen("its site was not looked at yet", now)
    return HostView(spec.site, as_host(spec), "", None, None, unseen, declared=True)


async def unplaced_views(controller: Controller, labels: Mapping[str, str]) -> tuple[HostView, ...]:
    """Declared machines that serve no site and have these labels, by name."""
    known = controller.fleet.hosts_in_force()
    return tuple(
        view for view in controller.watchman.views() if labels.items() <= known[view.host.name].labels.items()
    )
