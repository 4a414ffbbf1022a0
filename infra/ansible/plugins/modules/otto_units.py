"""Brings several systemd units to run, enabled, on their newest configuration, in one go."""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: otto_units
short_description: Enable, start, reload or restart several units at once
description:
  - One connection and at most one reload of systemd itself, which costs a small host a second each time.
  - A unit that systemd skips because the host lacks what it needs (a clock to set, in a container) is
    left alone, and is no change.
  - A unit that had to be started is not reloaded on top of that.
options:
  units:
    description: What has to be enabled and running.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {description: The unit., type: str, required: true}
      reload: {description: Have it read its configuration again., type: bool, default: false}
      restart: {description: Stop it and start it again., type: bool, default: false}
  daemon_reload: {description: Have systemd read unit files again., type: bool, default: false}
author: [OttO]
"""

RETURN = r"""
enabled: {description: Units that were not enabled., type: list, elements: str, returned: always}
started: {description: Units that did not run., type: list, elements: str, returned: always}
reloaded: {description: Units that were reloaded., type: list, elements: str, returned: always}
restarted: {description: Units that were restarted., type: list, elements: str, returned: always}
"""

SECONDS = 60
SHOWN = "Id,LoadState,ActiveState,UnitFileState,ConditionResult,ConditionTimestampMonotonic"
ENABLED = {"enabled", "enabled-runtime", "static", "alias", "indirect", "generated"}
SUFFIXES = (".service", ".timer", ".socket")


class RefusedError(Exception):
    """systemd would not do it; the message is for people."""


def full(name: str) -> str:
    """A unit's full name: a bare one means a service."""
    return name if name.endswith(SUFFIXES) else f"{name}.service"


class Systemd:
    """systemctl, with its failures told."""

    def __init__(self, module: AnsibleModule) -> None:
        self._run = module.run_command

    def call(self, verb: str, names: list[str]) -> None:
        """Do something with units, if there are any."""
        if names or verb == "daemon-reload":
            status, out, error = self._run(["timeout", str(SECONDS), "systemctl", verb, *names])
            if status:
                said = (error or out).strip() or f"exit status {status}"
                raise RefusedError(f"systemctl {verb} {' '.join(names)}: {said[:2000]}{self._journal(names)}")

    def show(self, names: list[str]) -> dict[str, dict[str, str]]:
        """Properties of units, by full name."""
        status, out, error = self._run(["timeout", str(SECONDS), "systemctl", "show", "-p", SHOWN, *names])
        if status:
            raise RefusedError(f"systemctl show: {error.strip()[:2000]}")
        blocks = out.split("\n\n")
        found = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
        return dict(zip(names, found, strict=True))

    def _journal(self, names: list[str]) -> str:
        """What the units said last."""
        units = [f"--unit={name}" for name in names]
        _, out, _ = self._run(["timeout", "5", "journalctl", "--no-pager", "-o", "cat", "-n", "8", *units])
        return f"; journal: {out.strip()[:1500]}" if units and out.strip() else ""


def skipped(properties: dict[str, str]) -> bool:
    """Whether systemd looked at the unit and found that this host cannot have it."""
    tried = properties.get("ConditionTimestampMonotonic", "0") != "0"
    return tried and properties.get("ConditionResult") == "no"


def bring(
    systemd: Systemd, wanted: list[dict[str, Any]], *, daemon_reload: bool, dry: bool
) -> dict[str, Any]:
    """Bring units to where they should be; what was done."""
    units = {full(unit["name"]): unit for unit in wanted}
    before = systemd.show(list(units))
    missing = [name for name, properties in before.items() if properties.get("LoadState") == "not-found"]
    if missing and not dry:
        raise RefusedError(f"there is no unit {', '.join(missing)}")
    enabled = [name for name, properties in before.items() if properties.get("UnitFileState") not in ENABLED]
    started = [
        name
        for name, properties in before.items()
        if properties.get("ActiveState") not in ("active", "reloading") and not skipped(properties)
    ]
    running = [name for name in units if name not in started and not skipped(before[name])]
    restarted = [name for name in running if units[name]["restart"]]
    reloaded = [name for name in running if units[name]["reload"] and name not in restarted]
    if not dry:
        systemd.call("enable", enabled)  # makes systemd read unit files again by itself
        if daemon_reload and not enabled:
            systemd.call("daemon-reload", [])
        for verb, names in (("start", started), ("restart", restarted), ("reload", reloaded)):
            systemd.call(verb, names)
        started = [name for name in started if not _in_vain(systemd, name)]
    return {"enabled": enabled, "started": started, "reloaded": reloaded, "restarted": restarted}


def _in_vain(systemd: Systemd, name: str) -> bool:
    """Whether a start came to nothing because of what the host lacks.

    Raises:
        RefusedError: it came to nothing for another reason.
    """
    properties = systemd.show([name])[name]
    if skipped(properties):
        return True
    if properties.get("ActiveState") not in ("active", "reloading", "activating"):
        raise RefusedError(f"{name} was started and is {properties.get('ActiveState')}")
    return False


UNIT = {
    "name": {"type": "str", "required": True},
    "reload": {"type": "bool", "default": False},
    "restart": {"type": "bool", "default": False},
}


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "list", "elements": "dict", "required": True, "options": UNIT},
            "daemon_reload": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    wanted, again = module.params["units"], module.params["daemon_reload"]
    try:
        done = bring(Systemd(module), wanted, daemon_reload=again, dry=module.check_mode)
    except RefusedError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=any(done.values()), **done)


if __name__ == "__main__":
    main()
