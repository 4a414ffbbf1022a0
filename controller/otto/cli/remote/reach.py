"""Which commands work over a controller elsewhere, and what is said of the others."""

from otto.model.errors import UsageError

FAR = frozenset(
    {
        *("status", "why", "plan", "diff", "history", "audit", "logs", "inventory", "orphans", "grants"),
        *("reconcile", "provision", "configure", "verify", "suspend", "resume", "destroy", "adopt", "reap"),
        *("approve", "reject", "freeze", "thaw", "extend", "override", "notify", "version"),
        *("rollout status", "rollout pause", "rollout resume", "rollout abort", "rollout undo"),
        *("pipelines list", "pipelines show", "pipelines run"),
        *("images list", "images show", "images diff", "images promote", "images revoke"),
        *("images build", "images prune"),
        *("token create", "token list", "token revoke"),
        *("dns diff", "dns apply", "dns check", "dns import"),
    }
)
"""Commands that ask whichever controller is meant."""

FILES = frozenset({"validate", "init", "doctor", "config", "ci", "policy"})
"""Commands, and groups of them, that ask no controller at all: a server in the settings is not theirs."""


def of_files(words: tuple[str, ...]) -> bool:
    """Whether a command asks no controller at all."""
    return bool(words) and words[0] in FILES


def require(words: tuple[str, ...], server: str, *, named: bool) -> None:
    """Insist that a command can do what it is told to.

    Args:
        words: the command, as it is typed.
        server: the controller elsewhere that settings or flags name.
        named: whether the command line itself names it.

    Raises:
        UsageError: it works on a machine of its own.
    """
    command = " ".join(words)
    if command in FAR:
        return
    mend = "leave --server out" if named else "unset OTTO_SERVER and remote.server"
    raise UsageError(
        f"otto {command} works on the machine it is called on, and not over {server}",
        mend=f"call it there, or {mend}",
    )
