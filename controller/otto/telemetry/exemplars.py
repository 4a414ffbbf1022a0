"""Exemplars: the run behind a number, beside a sample."""

_NAME = "run_id"
# OpenMetrics 1.0, "Exemplars": names and values together 128 characters at most.
_LONGEST = 128


def exemplar(run: str) -> dict[str, str] | None:
    """Labels that name a run; None for no run, and for an id that may not stand there."""
    if not run or not run.isprintable() or len(_NAME) + len(run) > _LONGEST:
        return None
    return {_NAME: run}
