"""Which site waits for which, and in what order they come."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter

from otto.model.spec import SiteSpec

_CIRCLES = 20


def blocked_by(spec: SiteSpec, ready: frozenset[str], known: Mapping[str, SiteSpec]) -> tuple[str, ...]:
    """Sites this one has to wait for, in the order of its spec; empty when it may go on.

    A dependency that is not `known` any more is told by the site's problems and not waited for. Nor is
    one that waits for this site in turn: new specs are free of cycles, but a last good spec beside a new
    one may close one, and then neither would ever come.

    Args:
        spec: the site that wants to be worked on.
        ready: names of sites that are Ready.
        known: the spec in force of every site, last good ones included.
    """
    waiting = [name for name in spec.depends_on if name not in ready and name in known]
    return tuple(name for name in waiting if not _leads_to(name, spec.name, known))


def _leads_to(start: str, goal: str, known: Mapping[str, SiteSpec]) -> bool:
    seen, stack = {start}, [start]
    while stack:
        name = stack.pop()
        if name == goal:
            return True
        new = [other for other in (known[name].depends_on if name in known else ()) if other not in seen]
        seen.update(new)
        stack.extend(new)
    return False


def in_order(sites: Mapping[str, SiteSpec]) -> tuple[str, ...]:
    """All names, each after those it depends on, otherwise by name; members of circles come last."""
    sorter = TopologicalSorter(
        {name: [other for other in spec.depends_on if other in sites] for name, spec in sites.items()}
    )
    with suppress(CycleError):  # what lies before the circles can still be had
        sorter.prepare()
    ordered: dict[str, None] = {}
    while ready := sorted(sorter.get_ready()):
        ordered |= dict.fromkeys(ready)
        sorter.done(*ready)
    return (*ordered, *sorted(name for name in sites if name not in ordered))


def cycles(sites: Mapping[str, SiteSpec]) -> Mapping[str, tuple[str, ...]]:
    """For every site that depends on itself over whatever detour, a circle it lies on.

    A circle begins with its first name in the alphabet and does not repeat it at the end. In a large
    tangle, sites beyond the first circles are given the tangle's first one.
    """
    found: dict[str, tuple[str, ...]] = {}
    for tangle in _tangles(sites):
        circles = 0
        for name in sorted(tangle):
            if name not in found and circles < _CIRCLES:
                circle, circles = _circle(name, tangle, sites), circles + 1
                found |= {member: circle for member in circle if member not in found}
        first = found[min(tangle)]
        found |= {name: first for name in tangle if name not in found}
    return found


def _circle(start: str, tangle: frozenset[str], sites: Mapping[str, SiteSpec]) -> tuple[str, ...]:
    """The shortest way from a site back to itself."""
    came_from: dict[str, str] = {}
    queue = deque([start])
    while start not in came_from:
        name = queue.popleft()
        for other in sites[name].depends_on:
            if other in tangle and other not in came_from:
                came_from[other] = name
                queue.append(other)
    way = [start]
    while (name := came_from[way[-1]]) != start:
        way.append(name)
    way.reverse()
    first = way.index(min(way))
    return (*way[first:], *way[:first])


def _tangles(sites: Mapping[str, SiteSpec]) -> list[frozenset[str]]:
    """Sets of sites that all depend on each other (strongly connected components, by Tarjan)."""
    finder = _Tarjan(sites)
    for name in sorted(name for name, spec in sites.items() if spec.depends_on):
        if name not in finder.index:
            finder.visit(name)
    return [
        tangle for tangle in finder.found if len(tangle) > 1 or min(tangle) in sites[min(tangle)].depends_on
    ]


class _Tarjan:
    """R. Tarjan, Depth-first search and linear graph algorithms (1972), without recursion."""

    def __init__(self, sites: Mapping[str, SiteSpec]) -> None:
        self._sites = sites
        self.index: dict[str, int] = {}
        self._low: dict[str, int] = {}
        self._stack: dict[str, None] = {}
        self.found: list[frozenset[str]] = []

    def visit(self, start: str) -> None:
        """Look at everything that can be reached from a site."""
        work = [(start, self._enter(start))]
        while work:
            name, rest = work[-1]
            other = next(rest, None)
            if other is None:
                work.pop()
                self._leave(name, work[-1][0] if work else None)
            elif other not in self.index:
                work.append((other, self._enter(other)))
            elif other in self._stack:
                self._low[name] = min(self._low[name], self.index[other])

    def _enter(self, name: str) -> Iterator[str]:
        self.index[name] = self._low[name] = len(self.index)
        self._stack[name] = None
        return iter([other for other in self._sites[name].depends_on if other in self._sites])

    def _leave(self, name: str, parent: str | None) -> None:
        if parent is not None:
            self._low[parent] = min(self._low[parent], self._low[name])
        if self._low[name] == self.index[name]:
            members: list[str] = []
            while not members or members[-1] != name:
                members.append(self._stack.popitem()[0])
            self.found.append(frozenset(members))
