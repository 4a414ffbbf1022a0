"""What errors of Terraform call for."""

import pytest

from otto.adapters.terraform.diagnosis import Sort, failure, sort
from otto.adapters.terraform.messages import Diagnostic
from otto.model.errors import TerminalError, TransientError, WaitingError

HOST = 'module.site.lab_host.web["blog-web-1"]'
NO_PROVIDER = "Failed to query available provider packages"
NO_LOGIN = "No valid credential sources found"
LOCK = """Error message: resource temporarily unavailable
Lock Info:
  ID:        0a1b
  Path:      terraform.tfstate
  Operation: OperationTypeApply
  Who:       somebody@desk
  Version:   1.11.4
  Created:   2026-01-01 00:00:00 +0000 UTC
"""


def error(summary: str, detail: str = "", address: str = "", place: str = "") -> Diagnostic:
    located, attribute = bool(place), place == "attribute"
    return Diagnostic("error", summary, detail, address, located=located, attribute=attribute)


CASES = [
    ("apply", error("Saved plan is stale", "The given plan file can no longer be applied"), Sort.STALE),
    ("plan", error("Error acquiring the state lock", LOCK), Sort.LOCKED),
    ("plan", error("Error acquiring the state lock", "no space left on device"), Sort.TRANSIENT),
    ("plan", error("Invalid value for variable", "Sizes are …", "", "attribute"), Sort.TERMINAL),
    ("plan", error("No value for required variable", place="attribute"), Sort.TERMINAL),
    ("plan", error("Invalid value", "size has to be …", HOST, "attribute"), Sort.TERMINAL),
    ("plan", error("Reading the host failed", "engine said 500", HOST, "head"), Sort.TRANSIENT),
    ("apply", error("Creating the host failed", "engine said 500", HOST, "head"), Sort.TRANSIENT),
    ("apply", error("Invalid value", "known only now", HOST, "attribute"), Sort.TRANSIENT),
    ("apply", error("Plugin did not respond"), Sort.TRANSIENT),
    (
        "init",
        error(NO_PROVIDER, "no such file or directory"),
        Sort.TERMINAL,
    ),
    ("init", error(NO_PROVIDER, "dial tcp: i/o timeout"), Sort.TRANSIENT),
    ("plan", error("error", "read unix: connection refused", HOST, "attribute"), Sort.TRANSIENT),
    ("apply", error("creating instance", "operation error EC2: Throttling: Rate exceeded"), Sort.THROTTLED),
    ("apply", error("creating droplet", "429 Too Many Requests", HOST), Sort.THROTTLED),
    (
        "apply",
        error("creating instance", "api error UnauthorizedOperation", HOST),
        Sort.TERMINAL,
    ),
    ("plan", error(NO_LOGIN, "…", 'provider["x/aws"]', "head"), Sort.TERMINAL),
    (
        "plan",
        error(NO_LOGIN, "IMDS: i/o timeout", 'provider["x/aws"]'),
        Sort.TRANSIENT,
    ),
    ("plan", error("Configuration for import target does not exist"), Sort.TRANSIENT),
]


@pytest.mark.parametrize(("command", "diagnostic", "expected"), CASES)
def test_sorting(command: str, diagnostic: Diagnostic, expected: Sort) -> None:
    assert sort(command, diagnostic) is expected


def test_a_terminal_error_says_what_where_and_how_to_mend() -> None:
    refused = failure("plan", "blog", [error("Invalid value", "size: vast", HOST, "attribute")], "", ())
    assert isinstance(refused, TerminalError)
    assert refused.message == f"terraform plan of site blog failed: Invalid value ({HOST}): size: vast"
    assert refused.mend


def test_warnings_are_no_reason() -> None:
    warning = Diagnostic("warning", "Deprecated")
    failed = failure("apply", "blog", [warning, error("Boom", address=HOST)], "", ())
    assert isinstance(failed, TransientError)
    assert "Boom" in failed.message
    assert "Deprecated" not in failed.detail


def test_while_anything_may_still_work_trying_again_makes_sense() -> None:
    mixed = [error("denied", "AccessDenied", HOST), error("engine", "500", HOST)]
    failed = failure("apply", "blog", mixed, "", ())
    assert isinstance(failed, TransientError)
    assert "(and 1 more)" in failed.message
    assert "engine" in failed.detail


def test_a_throttled_command_is_asked_to_pause() -> None:
    failed = failure("apply", "blog", [error("x", "SlowDown", HOST)], "", ())
    assert isinstance(failed, TransientError)
    assert failed.retry_after == 30.0


def test_a_lock_names_its_holder() -> None:
    waiting = failure("plan", "blog", [error("Error acquiring the state lock", LOCK)], "", ())
    assert isinstance(waiting, WaitingError)
    assert "who: somebody@desk" in waiting.mend
    assert "operation: OperationTypeApply" in waiting.mend


def test_without_diagnostics_the_last_words_count() -> None:
    failed = failure("apply", "blog", [], "goroutine 1\npanic: oh\n", ())
    assert isinstance(failed, TransientError)
    assert failed.message.endswith("panic: oh")
    assert "goroutine" in failed.detail
    assert failure("apply", "blog", [], "", ()).message.endswith("it said nothing")


def test_secrets_and_length() -> None:
    long = error("bad " + "x" * 5000, "the value hunter22 is wrong", HOST)
    failed = failure("apply", "blog", [long], "", {"hunter22"})
    assert "hunter22" not in failed.message + failed.detail
    assert len(failed.message) < 500
    assert "\n" not in failed.message
