"""`otto doctor`: everything this machine needs, what was found, and the mend for each that fails."""

from otto.cli.doctor.check import Check, State
from otto.cli.doctor.command import run_checks, table
from otto.cli.doctor.machine import Machine, Outside

__all__ = ["Check", "Machine", "Outside", "State", "run_checks", "table"]
