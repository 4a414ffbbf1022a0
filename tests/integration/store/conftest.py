"""A PostgreSQL server of the tests' own, reached by a socket in its folder and by nothing else."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Path]:
    """The folder of a running server; it is stopped and removed afterwards."""
    if not _PROGRAMS:
        pytest.fail("the server programs of PostgreSQL are missing: apt-get install postgresql-15")
    folder = Path(tempfile.mkdtemp(prefix="otto-postgresql-"))
    user = _user()
    if user:
        shutil.chown(folder, user)
    _call(user, "initdb", "-D", folder / "data", "--auth=trust", "-U", "otto", "-E", "UTF8", "--no-sync")
    # No address is listened on: the port only names the socket.
    options = f"-F -c listen_addresses='' -c unix_socket_directories='{folder}' -p 54329"
    try:
        _call(
            user,
            "pg_ctl",
            "-D",
            folder / "data",
            "-w",
            "-t",
            "60",
            "-l",
            folder / "log",
            "-o",
            options,
            "start",
        )
        yield folder
    finally:
        _call(user, "pg_ctl", "-D", folder / "data", "-w", "-t", "60", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def new_database(postgresql: Path) -> Callable[[], str]:
    """Makes an empty database; its URL."""

    def one() -> str:
        name = f"otto{next(_NUMBERS)}"
        _call(None, "createdb", "-h", postgresql, "-p", "54329", "-U", "otto", name)
        return f"postgresql+psycopg://otto@/{name}?host={postgresql}&port=54329"

    return one


def _user() -> str | None:
    """Whom to run the server as: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        pytest.fail("there is no user postgres to run the server as: apt-get install postgresql-15")


def _call(user: str | None, program: str, *arguments: object) -> None:
    command = [str(_PROGRAMS[-1] / program), *map(str, arguments)]
    # pg_ctl's server inherits what it is given: a pipe would never end.
    subprocess.run(
        command,
        check=True,
        timeout=90,
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
