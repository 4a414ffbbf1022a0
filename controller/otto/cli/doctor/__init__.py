"""`otto doctor`: everything this machine needs, what was found, and the mend for each that fails."""

from otto.cli.doctor.check import Check, State
from otto.cli.doctor.command import doctor, run_checks
from otto.cli.doctor.machine import Machine, Outside

__all__ = ["Check", "Machine", "Outside", "State", "doctor", "run_checks"]
