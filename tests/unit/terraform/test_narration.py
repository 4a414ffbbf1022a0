"""Progress that people can read."""

from otto.adapters.terraform.messages import Diagnostic, Event, Message, Text
from otto.adapters.terraform.narration import Narrator
from otto.model.infrastructure import ResourceChange
from otto.model.progress import Progress

WEB = 'module.site.lab_host.web["blog-web-1"]'
CHANGES = [
    ResourceChange(WEB, "lab_host", ("delete", "create"), host="blog-web-1"),
    ResourceChange("module.site.lab_network.site", "lab_network", ("create",)),
    ResourceChange("output.hosts", "output", ("no-op",)),
]


def told(*messages: Message, changes: list[ResourceChange] = CHANGES) -> list[Progress]:
    heard: list[Progress] = []
    narrator = Narrator(heard.append, changes)
    for message in messages:
        narrator(message)
    return heard


def test_operations_are_counted_and_hosts_named() -> None:
    assert told(
        Event("apply_start", WEB, "lab_host", "delete"),
        Event("apply_complete", WEB, "lab_host", "delete", 1),
        Event("apply_start", WEB, "lab_host", "create"),
        Event("apply_progress", WEB, "lab_host", "create", 10),
        Event("apply_errored", WEB, "lab_host", "create"),
        Event("apply_complete", "module.site.lab_network.site", "lab_network", "create", 2),
    ) == [
        Progress("removing blog-web-1", 0, 3, "blog-web-1"),
        Progress("blog-web-1 removed in 1 s", 1, 3, "blog-web-1"),
        Progress("creating blog-web-1", 1, 3, "blog-web-1"),
        Progress("still creating blog-web-1 after 10 s", 1, 3, "blog-web-1"),
        Progress("creating blog-web-1 failed", 1, 3, "blog-web-1"),
        Progress("lab_network.site created in 2 s", 2, 3),
    ]


def test_looks_are_told_without_a_count() -> None:
    assert told(Event("refresh_complete", WEB), changes=[]) == [
        Progress('looked at lab_host.web["blog-web-1"]')
    ]


def test_what_tells_people_nothing_is_not_told() -> None:
    assert not told(
        Text("goroutine 1"),
        Diagnostic("error", "Boom"),
        Event("planned_change", WEB, "lab_host", "create"),
        Event("apply_start", WEB, "lab_host", "read"),
        Event("provision_progress", WEB),
    )
