"""The price of knowing that nothing differs: ten sites of three hosts, looked at once.

It is what the whole machine spends, hosts included, less what it spends anyway.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tests.bench import plain, turns
from tests.bench.accounts import Accounts, accounts
from tests.bench.figure import Figure
from tests.bench.files import PAGE
from tests.bench.machine import Spent, metered
from tests.bench.progress import say
from tests.bench.stage import Stage, stage

from otto import config
from otto.adapters.clock import SystemClock
from otto.adapters.store import open_store
from otto.config import Settings

SITES = 10
ROUNDS = 5
ONE_BY_ONE, AT_ONCE = 25.0, 10.0
_IDLE = 20.0


def measure() -> list[Figure]:
    """Have OttO build the sites, stop it, and look at them: by its own parts, and by the script."""
    sites = int(os.environ.get("OTTO_BENCH_SITES", SITES))
    with accounts() as counted, stage() as at:
        names = _build(at, sites)
        counted.follow(_first_processes(at.home.owner))
        return _figures(at, names, counted)


def _build(at: Stage, sites: int) -> list[str]:
    names = [f"steady-{number}" for number in range(1, sites + 1)]
    say(f"steady: having otto build {sites} sites")
    at.home.start()
    took = at.push_until_ready(names, at.commit(names, "sites are wanted"))
    at.home.stop()
    say(f"steady: all Ready after {took:.0f} s")
    return names


def _first_processes(owner: str) -> list[int]:
    """Process ids of what runs the hosts."""
    line = ["podman", "ps", "--filter", f"label=otto.owner={owner}", "--format", "{{.Pid}}"]
    told = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60).stdout
    return [int(pid) for pid in told.split()]


def _figures(at: Stage, names: list[str], counted: Accounts) -> list[Figure]:
    settings = config.load(at.home.environment())
    script, sites = _script(at, settings, names)
    idle = _metered("the machine by itself", counted, partial(time.sleep, _IDLE))
    looks = turns.measure(settings, names, counted, ROUNDS)
    say(f"steady: otto, a turn: {looks.turn}")
    say(f"steady: otto, a full look: {looks.full}")
    one_by_one = _metered("script, site by site", counted, partial(_one_by_one, script, sites))
    at_once = _metered("script, plays at once", counted, partial(_at_once, script, sites))
    script.close()
    return [
        *_compared(
            len(names), looks.turn.without(idle), "site by site", one_by_one.without(idle), ONE_BY_ONE
        ),
        *_compared(len(names), looks.turn.without(idle), "plays at once", at_once.without(idle), AT_ONCE),
        Figure("the same with every check of the specs, CPU", looks.full.without(idle).cpu, "s"),
        Figure("the same with every check of the specs, wall", looks.full.wall, "s"),
        Figure("tier 0 alone, CPU", looks.glance.without(idle).cpu, "s"),
        Figure("tier 0 alone, wall", looks.glance.wall, "s"),
        Figure("what the machine spends anyway (taken off), CPU a second", idle.cpu / idle.wall, "s"),
    ]


def _compared(sites: int, otto: Spent, baseline: str, script: Spent, goal: float) -> list[Figure]:
    what = f"re-check of {sites} sites"
    found = [
        Figure(f"{what}, CPU", otto.cpu, "s", baseline=baseline, base=script.cpu, times_goal=goal),
        Figure(f"{what}, wall", otto.wall, "s", baseline=baseline, base=script.wall, times_goal=goal),
    ]
    if script.ours:
        ours = Figure(f"{what}, CPU by cgroups", otto.ours, "s", baseline=baseline, base=script.ours)
        found.insert(1, ours)
    return found


def _metered(what: str, counted: Accounts, work: Callable[[], object]) -> Spent:
    spent = metered(counted, work)
    say(f"steady: {what}: {spent}")
    return spent


def _one_by_one(script: plain.Script, sites: list[plain.Site]) -> None:
    for site in sites:
        script.terraform(site.folder, "plan", "-detailed-exitcode")
        script.play(site, check=True)


def _at_once(script: plain.Script, sites: list[plain.Site]) -> None:
    for site in sites:
        script.terraform(site.folder, "plan", "-detailed-exitcode")
    script.play(*sites, check=True)


def _script(at: Stage, settings: Settings, names: list[str]) -> tuple[plain.Script, list[plain.Site]]:
    """The script over the sites that OttO built: same folders, states, key and variables."""
    scratch = at.base / "steady"
    scratch.mkdir()
    key = settings.home / "keys" / "id_ed25519"
    script = plain.Script(replace(at.script.tools, scratch=scratch, key=key))
    digests = asyncio.run(_digests(settings, names))
    sites = []
    for name in names:
        archive = scratch / f"{name}.tar"
        folder = settings.home / "sites" / name
        site = plain.Site(name, folder, f"{name}.test", PAGE, archive, digests=digests)
        script.outputs(folder)
        sites.append(script.package(site, settings.home / "specs.git", "sites/page"))
    return script, sites


async def _digests(settings: Settings, names: list[str]) -> dict[str, str]:
    """What OttO's plays left on the hosts, so that the script's find nothing to change."""
    async with open_store(settings.home / "otto.db", SystemClock()) as store:
        applied = [await store.applied(name) for name in names]
    return {name: facts.configuration or "" for site in applied for name, facts in site.hosts.items()}
