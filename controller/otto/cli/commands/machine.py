"""`otto doctor`: whether this machine has all that OttO needs."""

import json as json_module

import typer

from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.options import Json


def doctor(context: typer.Context, json: Json = False) -> None:
    """Check this machine for all that OttO needs.

    Tools, versions, permissions, ports, disk and kernel features, with the mend for each that fails.
    Exit status 0 when nothing fails (warnings do not), 1 when something does.
    """
    from otto.cli.doctor.check import State  # noqa: PLC0415  (with the checks)
    from otto.cli.doctor.command import run_checks, table  # noqa: PLC0415
    from otto.cli.doctor.machine import Machine  # noqa: PLC0415

    invocation = Invocation.of(context)
    checks = run_checks(Machine(), invocation.settings)
    failed = sum(check.state is State.FAIL for check in checks)
    warned = sum(check.state is State.WARN for check in checks)
    if json:
        found = {"ok": not failed, "checks": [check.to_dict() for check in checks]}
        invocation.out.print(json_module.dumps(found, indent=2), soft_wrap=True)
    else:
        invocation.out.print(table(checks))
        invocation.out.print(f"\n{len(checks)} checks, {failed} failed, {warned} with a warning")
    if failed:
        raise typer.Exit(Exit.FAILED)
