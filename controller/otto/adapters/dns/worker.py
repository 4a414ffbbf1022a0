"""A worker: does what it is asked about zones, one thing after the other, in a process of its own.

octoDNS and the providers' libraries block, some without a limit of time; here they hold nobody up, and are
ended with their process. Standard input and output are the controller's; a library that prints, prints
elsewhere. Without its controller a worker ends: whatever it was at is looked at anew by the next one.
"""

import contextlib
import ctypes
import logging
import os
import resource
import signal
import sys
import warnings
from typing import BinaryIO

from otto.adapters.dns import frames
from otto.adapters.dns.task import Kind, Task
from otto.model.errors import OttoError
from otto.model.progress import Progress, Report

_DEATH_SIGNAL = 1  # prctl(2): PR_SET_PDEATHSIG
_MEMORY = 2 << 30


def main() -> None:
    """Serve until the controller goes."""
    _end_with(int(sys.argv[1]))
    requests, answers = _pipes()
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    warnings.simplefilter("ignore")  # of libraries about each other
    logging.disable(logging.CRITICAL)  # what matters comes back as an answer, without secrets
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            _serve(frames.receive(requests), answers)


def _serve(task: Task, answers: BinaryIO) -> None:
    def send(kind: str, value: object) -> None:
        answers.write(frames.packed((kind, value)))
        answers.flush()

    def report(progress: Progress) -> None:
        send("progress", progress)

    try:
        answer = _done(task, report)
    except Exception as error:  # noqa: BLE001  (of any library; each is told)
        send("error", _told(error, task))
    else:
        send("done", answer)


def _done(task: Task, report: Report) -> object:
    from otto.adapters.dns import delegation, engine  # noqa: PLC0415  (they take a while to load)

    engine.prepare()
    targets = task.targets or {}
    match task.kind:
        case Kind.SERIAL:
            return engine.serial(task.domain, task.access)
        case Kind.READ:
            return engine.read(task.domain, task.access)
        case Kind.PLAN:
            return engine.plan(task.domain, targets, task.access)
        case Kind.CHECK:
            from otto.adapters.dns import checking  # noqa: PLC0415

            return checking.check(task.domain, targets, task.access)
        case Kind.EXAMINE:
            from otto.adapters.dns import examining  # noqa: PLC0415

            return examining.examine(task.domain, targets, task.access)
        case Kind.APPLY:
            if task.plan is None:
                raise ValueError("nothing to apply")
            engine.apply(task.domain, task.plan, task.access, report)
        case Kind.DELEGATE:
            if task.plan is None:
                raise ValueError("nothing to delegate")
            delegation.change(task.domain, task.plan, task.access)
    return None


def _told(error: Exception, task: Task) -> OttoError:
    from otto.adapters.dns.faults import translated, without  # noqa: PLC0415

    return without(task.access.secrets, translated(error, task.domain.provider.value, task.domain.name))


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for us alone: what else reads finds nothing, what else prints is lost."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    return requests, answers


def _end_with(controller: int) -> None:
    """End with the process that started us, however that ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != controller:  # it was quicker
        sys.exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a person's Ctrl+C is the controller's to act on


if __name__ == "__main__":
    main()
