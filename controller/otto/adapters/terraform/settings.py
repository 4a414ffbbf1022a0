"""How the adapter runs Terraform: where, which binary, and every limit of time."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the adapter. Times are in seconds.

    Attributes:
        home: folder that holds one working folder per site (`OTTO_HOME/sites`).
        binary: Terraform or OpenTofu, a name on the path or a path.
        init_timeout: limit of one `init`.
        plan_timeout: limit of one `plan`.
        show_timeout: limit of one `show`.
        apply_timeout: limit of one `apply`, those that destroy included.
        grace: how long an interrupted Terraform may take to finish what it does and write its state.
        kill_grace: how long each harder signal may take after that.
        settle_limit: how long a survivor of a killed controller may go on before it is interrupted.
        lock_wait: how long to wait for another command on the same site before giving up.
        poll: pause between two looks at a running child and its output.
        keep_logs: how many logs of past commands a site keeps, at least 1.
        parallelism: how many resources Terraform works on at a time.
    """

    home: Path
    binary: str = "terraform"
    init_timeout: float = 180.0
    plan_timeout: float = 600.0
    show_timeout: float = 120.0
    apply_timeout: float = 1800.0
    grace: float = 60.0
    kill_grace: float = 5.0
    settle_limit: float = 900.0
    lock_wait: float = 2.0
    poll: float = 0.05
    keep_logs: int = 20
    parallelism: int = 10
