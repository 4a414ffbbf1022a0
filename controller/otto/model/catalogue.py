"""The specs of one commit: what each file says, and what that makes of each site."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from otto.model.declared import DeclaredHost
from otto.model.domain import DomainSpec
from otto.model.problem import Problem
from otto.model.spec import SiteSpec, Tombstone


@dataclass(frozen=True, slots=True)
class SpecFile:
    """One parsed file: the sites and zones it holds that are valid by themselves, and its problems.

    `names` lists every name of a site or zone that the file mentions, those of bad documents included;
    `tombstones` are the sites that it wants taken down.
    """

    path: str
    sites: tuple[SiteSpec, ...] = ()
    problems: tuple[Problem, ...] = ()
    names: tuple[str, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    domains: tuple[DomainSpec, ...] = ()
    hosts: tuple[DeclaredHost, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a commit: its blob id, size in bytes, and whether it is a symbolic link."""

    path: str
    blob: str
    size: int
    symlink: bool = False


@dataclass(frozen=True, slots=True)
class RememberedSpec:
    """The last good spec of a site and the commit it came with; and the machines that are declared for it."""

    spec: SiteSpec
    commit: str
    declared: tuple[DeclaredHost, ...] = ()


@dataclass(frozen=True, slots=True)
class RememberedDomain:
    """The last good spec of a zone and the commit it came with."""

    spec: DomainSpec
    commit: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every site and zone of one commit, judged together.

    Attributes:
        commit: the commit; "" before the first.
        sites: good specs by name.
        problems: problems by name of a site or zone; one in here and not in `sites` or `domains` keeps its
            last good spec.
        loose: problems that belong to no known site or zone, by file.
        tombstones: sites that are to be taken down, by name; such a site is in none of the others.
        domains: good specs of zones by name.
        hosts: machines that people declare, by name.
        host_problems: why a declaration is not used, by name; the last good one stays in force.
    """

    commit: str = ""
    sites: Mapping[str, SiteSpec] = field(default_factory=dict)
    problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    loose: tuple[Problem, ...] = ()
    tombstones: Mapping[str, Tombstone] = field(default_factory=dict)
    domains: Mapping[str, DomainSpec] = field(default_factory=dict)
    hosts: Mapping[str, DeclaredHost] = field(default_factory=dict)
    host_problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
