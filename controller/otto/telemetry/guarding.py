"""Metrics of the guard."""

from prometheus_client import CollectorRegistry, Counter, Gauge

VERDICTS = ("Allowed", "NeedsApproval", "Waiting", "Refused")


class GuardMetrics:
    """Families about what the guard says, and what is frozen."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._frozen = Gauge(
            "otto_frozen",
            "1 while all deletions are frozen, by a person or since the repository lost much at once.",
            registry=registry,
        )
        self._policy_bad = Gauge(
            "otto_fleet_policy_bad",
            "1 while the file of the fleet's policy is bad, and the last good one is in force.",
            registry=registry,
        )
        self._verdicts = Counter(
            "otto_guard_verdicts",
            "Verdicts of the guard on plans, a verdict that stays the same once.",
            ("verdict",),
            registry=registry,
        )
        self._rules = Counter(
            "otto_guard_holds", "Plans that a rule of the guard held.", ("rule",), registry=registry
        )
        self._removals = Counter(
            "otto_guarded_removals",
            "Hosts that plans took away or made anew, by what was done.",
            ("action",),
            registry=registry,
        )
        for verdict in VERDICTS:
            self._verdicts.labels(verdict)
        for action in ("destroy", "replace", "scale-in", "repair"):
            self._removals.labels(action)

    def expect_rules(self, names: tuple[str, ...]) -> None:
        """Have every rule's series from the start."""
        for name in names:
            self._rules.labels(name)

    def frozen(self, *, on: bool) -> None:
        """Show whether all deletions are frozen."""
        self._frozen.set(on)

    def policy_bad(self, *, bad: bool) -> None:
        """Show whether the newest fleet policy is bad."""
        self._policy_bad.set(bad)

    def judged(self, verdict: str, rules: tuple[str, ...]) -> None:
        """Count a verdict, and the rules that hold its plan."""
        self._verdicts.labels(verdict).inc()
        for name in rules:
            self._rules.labels(name).inc()

    def removed(self, action: str) -> None:
        """Count a host that is taken away or made anew."""
        self._removals.labels(action).inc()
