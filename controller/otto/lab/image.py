"""The lab's base image: Debian with systemd, sshd and all that OttO's roles need.

`infra/lab/build-base` makes it, and can do so alone; here it is built for whichever engine the lab uses.
"""

import contextlib
import functools
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from otto import resources
from otto.lab.api import Api
from otto.lab.files import locked
from otto.model.errors import TerminalError, TransientError
from otto.model.image import BASE
from otto.model.progress import Progress, Report, silent

BUILD = 900.0
_ASK = 30.0
_SAID = 30
# What mmdebstrap says when it comes to each part of its work, and the part's share of the time in percent.
_MILESTONES = (
    ("running apt-get update", 3, "reading package lists"),
    ("downloading packages", 9, "downloading packages"),
    ("extracting archives", 12, "unpacking the essential packages"),
    ("installing essential packages", 20, "installing the essential packages"),
    ("installing remaining packages", 35, "installing systemd, sshd, nginx, haproxy"),
    ("running --customize-hook", 78, "making it a lab host"),
    ("creating tarball", 82, "packing"),
)


def script() -> Path:
    """The build script."""
    return resources.path("infra", "lab", "build-base")


@functools.cache
def reference() -> str:
    """Full reference of the base image: its tag is a digest of everything that goes into it."""
    return _ask("--tag")


def resolve(api: Api, name: str) -> str:
    """Id of the image a name stands for.

    Args:
        api: the engine's.
        name: `base`, or a reference or id the engine knows.

    Raises:
        TerminalError: there is no such image.
    """
    wanted = reference() if name == BASE else name
    found = api.image(wanted)
    if found is None:
        builder = "otto lab up" if name == BASE else "otto images build"
        raise TerminalError(f"the lab has no image {wanted}", mend=f"{builder} builds it")
    return found.id


def archive_name() -> str:
    """What an archive of the base image is called: that of another version is not taken for it."""
    return f"{reference().rpartition('/')[2].replace(':', '-')}.tar.gz"


def brought_along(archives: str) -> Path | None:
    """The archive of the base image in a folder, if there is one; "" is no folder."""
    archive = Path(archives) / archive_name()
    return archive if archives and archive.is_file() else None


def ensure(api: Api, report: Report = silent, archives: str = "") -> str:
    """Have the base image, building it when it is not there; its id.

    Args:
        api: the engine's.
        report: told how far that is.
        archives: folder where an archive of it may lie that somebody brought along; "" for none.

    Raises:
        TerminalError: it cannot be built here.
        TransientError: the build failed or took too long, or another build did.
    """
    found = api.image(reference())
    if found:
        return found.id
    report(Progress("building the lab's base image", 0, 100))
    with locked(Path(_ask("--lock-path")), BUILD, "building the lab's base image") as lock:
        if api.image(reference()) is None:
            brought = brought_along(archives)
            if brought is None:
                _build(api, report, lock)
            else:
                _take(api, report, brought)
    return resolve(api, BASE)


def _take(api: Api, report: Report, archive: Path) -> None:
    """Import what came along."""
    report(Progress("importing the image that came along", 50, 100))
    api.import_image(archive, reference(), _ask("--changes").splitlines())
    report(Progress("base image ready", 100, 100))


def _build(api: Api, report: Report, lock: int) -> None:
    try:
        archive = _run(report, lock)
        report(Progress("importing the image", 86, 100))
        api.import_image(archive, reference(), _ask("--changes").splitlines())
    finally:
        _ask("--clean")
    report(Progress("base image ready", 100, 100))


def _run(report: Report, lock: int) -> Path:
    """Run the script; the archive it made.

    The script inherits the lock: should we be killed, nobody else builds in the same place until it ends.
    """
    with subprocess.Popen(
        ["bash", str(script()), "--tar"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        pass_fds=[lock],
    ) as build:
        with _ending(build):
            said = _follow(build, report)
            status = build.wait()
        printed = build.stdout.read() if build.stdout else ""
    if status == 0:
        return Path(printed.strip())
    reason = f": {said[-1]}" if said else ""
    raise TransientError(
        f"could not build the lab's base image{reason}",
        mend=f"run {script()} to see all it says",
        detail="\n".join(said),
    )


@contextlib.contextmanager
def _ending(build: "subprocess.Popen[str]") -> Iterator[None]:
    """End the build when its time is up, or when we are interrupted."""
    timer = threading.Timer(BUILD, _end, (build,))
    timer.daemon = True
    timer.start()
    try:
        yield
    except BaseException:
        _end(build)
        raise
    finally:
        timer.cancel()


def _end(build: "subprocess.Popen[str]") -> None:
    """End the build's whole process group; on the first signal it cleans up after itself."""
    for number, patience in ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0)):
        if build.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(build.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            build.wait(patience)


def _follow(build: "subprocess.Popen[str]", report: Report) -> list[str]:
    """Report progress from what the script says; its last lines."""
    said: list[str] = []
    for line in build.stderr or ():
        said = [*said[-_SAID:], line.rstrip()]
        for words, share, message in _MILESTONES:
            if words in line:
                report(Progress(message, share, 100))
    return said


def _ask(option: str) -> str:
    try:
        done = subprocess.run(
            ["bash", str(script()), option], capture_output=True, text=True, timeout=_ASK, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise TerminalError(f"{script()} {option} failed: {error}") from error
    return done.stdout.strip()


def remove(api: Api) -> bool:
    """Remove the base image and what a killed build left; False when there was no image.

    Raises:
        OttoError: a container still uses it, or a build is under way.
    """
    with locked(Path(_ask("--lock-path")), _ASK, "building the lab's base image"):
        _ask("--clean")
        return api.remove_image(reference())
