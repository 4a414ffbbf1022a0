"""A fresh site until it is Ready: from `git push` on, beside the plain script from its first command on."""

from tests.bench import plain
from tests.bench.figure import Figure, median
from tests.bench.progress import say
from tests.bench.stage import Stage, parts, stage, steps

ROUNDS = 5
GOAL = 1.10


def measure() -> list[Figure]:
    """Bring up sites of two web servers and a balancer, in turn by OttO and by the script."""
    otto: list[float] = []
    script: list[float] = []
    with stage() as at:
        for number in range(1, ROUNDS + 1):
            otto.append(_by_otto(at, f"fresh-{number}"))
            script.append(_by_script(at, at.plain_site(f"plain-{number}")))
    return [
        Figure(
            "a fresh site to Ready",
            median(otto),
            "s",
            baseline="plain script",
            base=median(script),
            ratio_goal=GOAL,
        ),
        Figure("the same, best", min(otto), "s", baseline="plain script, best", base=min(script)),
    ]


def _by_otto(at: Stage, name: str) -> float:
    at.home.start()
    took = at.push_until_ready([name], at.commit([name], f"{name} is wanted"))
    say(f"fresh: otto {took:.2f} s ({steps(at.last_run(name))})")
    at.home.stop()
    at.home.otto("destroy", name, "--yes")
    return took


def _by_script(at: Stage, site: plain.Site) -> float:
    took = at.script.up(site, at.content, "page")
    total = sum(took.values())
    say(f"fresh: script {total:.2f} s ({parts(took)})")
    at.script.destroy(site.folder)
    return total
