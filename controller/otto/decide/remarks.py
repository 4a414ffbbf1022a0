"""From problems, findings and differences to the remarks of a CI job."""

from collections.abc import Iterable, Iterator
from itertools import islice

from otto.decide.collapse import collapsed
from otto.decide.dns.resolving import astray
from otto.decide.dns.wording import left_behind
from otto.model.catalogue import Catalogue
from otto.model.domain import DomainSpec
from otto.model.errors import OttoError
from otto.model.inspection import Finding, Inspection, Severity, Validation
from otto.model.policy import Collapse
from otto.model.problem import Problem
from otto.model.remark import Remark
from otto.model.spec import SiteSpec

_MOST_SITES = 500  # whose names are followed through zones


def ordered(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Remarks once each, errors first, by place. Two sites may share their content."""
    kept: dict[tuple[str, int, int, str, str], Remark] = {}
    for remark in remarks:
        place = (remark.file, remark.line, remark.column, remark.rule, remark.message)
        known = kept.get(place)
        if known is None or (known.severity is Severity.WARNING and remark.severity is Severity.ERROR):
            kept[place] = remark
    return tuple(sorted(kept.values(), key=_order))


def _order(remark: Remark) -> tuple[bool, str, int, int, str]:
    warning = remark.severity is Severity.WARNING
    return warning, remark.file, remark.line, remark.column, remark.message


def of_catalogue(catalogue: Catalogue) -> Iterator[Remark]:
    """What is wrong with specs."""
    yield from map(of_problem, catalogue.loose)
    told = {_place(problem) for problem in catalogue.loose}
    for problems in catalogue.problems.values():
        # A file's own problem also holds back the sites that were in it; it is told once.
        yield from (of_problem(problem) for problem in problems if _place(problem) not in told)


def of_names(catalogue: Catalogue) -> Iterator[Remark]:
    """Names of sites that lie in a zone of the repository, and that no record leads to."""
    mend = "it may come with another commit; until then the site is not Ready"
    for spec in islice(catalogue.sites.values(), _MOST_SITES):
        for message in astray(spec, catalogue.domains):
            yield Remark(spec.file, spec.line, 0, Severity.WARNING, "spec.name", message, mend, spec.name)


def _place(problem: Problem) -> tuple[str, int, int, str]:
    return (problem.file, problem.line, problem.column, problem.message)


def of_problem(problem: Problem) -> Remark:
    """One problem as a remark."""
    more = [problem.message]
    more += [f"at {problem.pointer}"] if problem.pointer else []
    more += [f"found {problem.found}"] if problem.found else []
    more += [f"allowed: {problem.allowed}"] if problem.allowed else []
    return Remark(
        problem.file,
        problem.line,
        problem.column,
        Severity.ERROR,
        "spec.invalid",
        "; ".join(more),
        problem.mend,
        problem.site,
    )


def of_refused(spec: SiteSpec, error: OttoError) -> Remark:
    """Content that cannot be had, or may not be served."""
    return Remark(
        spec.file, spec.line, 0, Severity.ERROR, "content.refused", error.message, error.mend, spec.name
    )


def of_inspection(spec: SiteSpec, found: Inspection, *, strict: bool) -> Iterator[Remark]:
    """What is wrong with the content of a site.

    Args:
        spec: the site's; its `content.validate` says whether errors count as such.
        found: what a look through it came to.
        strict: whether errors count as such whatever the spec says.
    """
    firm = strict or spec.content.validate is Validation.ERROR
    for finding in found.findings:
        severity = finding.severity if firm else Severity.WARNING
        yield _of_finding(spec, finding, severity)
    left = found.errors + found.warnings - len(found.findings)
    if left > 0:
        severity = Severity.ERROR if firm and found.errors > len(found.findings) else Severity.WARNING
        message = f"the content has {left} more findings, not listed"
        yield Remark(spec.file, spec.line, 0, severity, "content.more", message, site=spec.name)


def _of_finding(spec: SiteSpec, finding: Finding, severity: Severity) -> Remark:
    content = spec.content
    if content.git or not finding.file:
        # The file is not one of this repository: it is told of where the spec names it.
        message = f"{finding.where}: {finding.message}"
        return Remark(spec.file, spec.line, 0, severity, finding.rule, message, finding.mend, spec.name)
    path = f"{content.path}/{finding.file}"
    return Remark(
        path, finding.line, finding.column, severity, finding.rule, finding.message, finding.mend, spec.name
    )


def of_change(before: Catalogue, after: Catalogue, limits: Collapse) -> Iterator[Remark]:
    """What a person should know before a change is merged.

    Args:
        before: the specs in force.
        after: the specs as they would be, last good ones of bad sites included.
        limits: how much may go at once.
    """
    kept = {**after.sites, **{name: before.sites[name] for name in after.problems if name in before.sites}}
    fallen = collapsed(before.sites, kept, frozenset(after.tombstones), limits)
    if fallen is not None:
        mend = "nothing is taken away before somebody confirms it; a site that is to go gets a tombstone"
        yield Remark("", 0, 0, Severity.WARNING, "change.collapse", fallen.reason, mend)
    for name, spec in before.sites.items():
        if spec.policy.protect:
            yield from _protected(name, spec, after)
    for name, zone in before.domains.items():
        if name not in after.domains and name not in after.problems:
            yield _vanished(zone)


def _vanished(zone: DomainSpec) -> Remark:
    """A zone that no spec would want any more: nothing is removed, and nothing is followed."""
    message = f"{zone.name} would be Orphaned: {left_behind(zone)}"
    mend = f"to have OttO's records removed: otto destroy {zone.name}, before or after"
    return Remark(zone.file, 0, 0, Severity.WARNING, "change.zone", message, mend, zone.name)


def _protected(name: str, spec: SiteSpec, after: Catalogue) -> Iterator[Remark]:
    mend = "take policy.protect away in a commit of its own first"
    if name in after.tombstones:
        stone = after.tombstones[name]
        message = f"{name} is protected: it will not be taken down"
        yield Remark(stone.file, stone.line, 0, Severity.WARNING, "change.protected", message, mend, name)
    elif name in after.sites and _hardware(spec) != _hardware(after.sites[name]):
        new = after.sites[name]
        message = f"{name} is protected: its hosts will not be replaced"
        yield Remark(new.file, new.line, 0, Severity.WARNING, "change.protected", message, mend, name)


def _hardware(spec: SiteSpec) -> tuple[str, ...]:
    return (spec.provider, spec.web.size, spec.web.image, spec.balancer.size, spec.balancer.image)
