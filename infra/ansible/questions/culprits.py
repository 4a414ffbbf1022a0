"""Says, as a JSON list of lines, who or what may keep changing some files of this host.

The controller sends it to `python3 -IS -` as root, with a call of `main` behind it, when it wants to know;
nothing of it stays. It looks and changes nothing: files, processes, units, cron's tables, journal. The
clearest traces come first, since the list is cut when it is long. It proves nothing: whoever has root can
leave what traces he likes. It uses the standard library alone, and ends in a few seconds with what it has
found by then.
"""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

SECONDS = 6
MOST_LINES = 24
MOST_OF_A_KIND = 8
LONGEST_LINE = 240
LONGEST_TEXT = 1 << 16
MOST_NAMED = 16
RECENT_SECONDS = 20 * 3600
PROC = Path("/proc")
PASSWD = Path("/etc/passwd")
MANAGED = Path("/etc/otto/managed.json")
UNITS = [
    Path(name, "systemd", kind)
    for name, kind in (
        ("/etc", "system"),
        ("/run", "system"),
        ("/run", "transient"),
        ("/usr/lib", "system"),
    )
]
CRON = [
    *map(Path, ("/etc/crontab", "/etc/cron.d", "/var/spool/cron/crontabs")),
    *map(Path, ("/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly")),
]
JOURNAL = [
    *("journalctl", "--quiet", "--no-pager", "--since=-1h", "--lines=4000", "--output=json"),
    *("--output-fields=MESSAGE", "-tsshd", "-tsshd-session", "-tsudo"),
]
# How OttO itself asks for facts, many times an hour.
OUR_QUESTION = re.compile(r"/usr/bin/timeout -k 1 \d+ /etc/ansible/facts\.d/otto\.fact\s*")
ACCEPTED = re.compile(r"Accepted (\S+) for (\S+) from (\S+) port (\d+)(?: ssh2(?:: \S+ (SHA256:\S+))?)?")
SUDO = re.compile(r"\s*(\S+) : .*?COMMAND=(.*)", re.DOTALL)
SESSION = re.compile(r"sshd[^:]*: (\S+?)@(\S+)")
TERMINAL = re.compile(r"(\S+) +(\S+) +(\S+ \S+)(?: +\((.*)\))?")
NAMED = re.compile(r"/[^\s'\"`;|&<>()=:,]+")
# Fields of proc(5)'s `stat` behind the name in parentheses.
PARENT, START = 1, 19


class TooLateError(BaseException):
    """Time is up. Nothing that catches mere exceptions catches it."""


def text(path: Path, limit: int = LONGEST_TEXT) -> str:
    """A text file's content; empty when it is none, is too long or holds something else."""
    try:
        # Not blocking: a pipe put in the place of a file must not stop us.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            data = file.read(limit + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except (OSError, ValueError):
        return ""
    return "" if len(data) > limit or b"\0" in data else data.decode("utf-8", "replace")


def within(folder: Path) -> list[Path]:
    """What lies in a folder, sorted; the path itself when it is a file."""
    try:
        return sorted(folder.iterdir()) if folder.is_dir() else [folder]
    except OSError:
        return []


def output(command: list[str]) -> str:
    """What a command says within its time; empty when it is not there or hangs."""
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=3, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")


def moment(seconds: float) -> str:
    """A time of day, with its date unless it is today or nearly so."""
    recent = abs(time.time() - seconds) < RECENT_SECONDS
    return time.strftime("%H:%M:%S UTC" if recent else "%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def user(uid: int) -> str:
    """A user as number and name."""
    name = re.search(rf"^([^:\n]*):[^:\n]*:{uid}:", text(PASSWD, 1 << 20), re.MULTILINE)
    return f"uid {uid} ({name[1]})" if name else f"uid {uid}"


def names(said: str, path: str) -> bool:
    """Whether a text names a file, and not just one whose name begins alike."""
    return path in said and re.search(re.escape(path) + r"(?![\w-]|\.\w)", said) is not None


def changed(path: str) -> str:
    """When a file last changed, and whose it is. The time is the inode's, which nobody sets by hand."""
    try:
        status = Path(path).lstat()
    except OSError:
        return missing(Path(path).parent, path)
    kind = "" if stat.S_ISREG(status.st_mode) else ", no regular file"
    return f"{path}: changed {moment(status.st_ctime)}, owner {user(status.st_uid)}{kind}"


def missing(folder: Path, path: str) -> str:
    """When a file may have been taken away."""
    try:
        return f"{path}: missing, its folder changed {moment(folder.stat().st_mtime)}"
    except OSError:
        return f"{path}: missing, and its folder too"


def field(pid: str, number: int) -> str:
    """A field of a process's `stat`, empty when it is gone."""
    fields = text(PROC / pid / "stat").rpartition(")")[2].split()
    return fields[number] if len(fields) > number else ""


def own() -> set[str]:
    """Ourselves and what started us, up to the connection the question came by."""
    found: set[str] = set()
    pid = str(os.getpid())
    while pid not in ("", "0", "1") and pid not in found:
        found.add(pid)
        pid = field(pid, PARENT)
    return found


def pids() -> list[str]:
    """All processes but our own, oldest number first."""
    return sorted({path.name for path in PROC.iterdir() if path.name.isdigit()} - own(), key=int)


def command_line(pid: str) -> str:
    """A process's arguments, with spaces between; empty when it is gone."""
    try:
        return (PROC / pid / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def unit_of(pid: str) -> str:
    """The unit a process belongs to; empty when it belongs to none."""
    parts = re.split(r"[/\n]", text(PROC / pid / "cgroup"))
    units = [part for part in parts if part.endswith((".service", ".scope"))]
    return units[-1] if units else ""


def handles(pid: str, wanted: dict[str, str]) -> dict[str, str]:
    """Files among `wanted` (real path -> path) that a process has open -> how."""
    found: dict[str, str] = {}
    for handle in within(PROC / pid / "fd"):
        try:
            path = wanted.get(str(handle.readlink()))
        except OSError:
            continue
        if path is not None and found.get(path) != "open for writing":
            flags = re.search(r"flags:\s*([0-7]+)", text(PROC / pid / "fdinfo" / handle.name))
            writes = flags is not None and int(flags[1], 8) & os.O_ACCMODE
            found[path] = "open for writing" if writes else "open"
    return found


def process(pid: str) -> str:
    """A process in words: number, name, user, unit."""
    try:
        owner = user((PROC / pid).stat().st_uid)
    except OSError:
        owner = "nobody known"
    unit = unit_of(pid)
    return f"process {pid} ({text(PROC / pid / 'comm').strip()}) of {owner}{unit and ' in '}{unit}"


def processes(paths: list[str], innocent: set[str]) -> Iterator[str]:
    """Processes that have a file open, or whose command line names it; not services that are to use it."""
    wanted = {os.path.realpath(path): path for path in paths}
    for pid in pids():
        said, opened = command_line(pid), handles(pid, wanted)
        for path in paths:
            if path in opened:
                yield f"{path}: {opened[path]} in {process(pid)}"
            elif names(said, path) and unit_of(pid) not in innocent:
                yield f"{path}: named by {process(pid)}: {said}"


def managed() -> set[str]:
    """Units of the services OttO manages here, which name their own configuration."""
    try:
        services = json.loads(text(MANAGED, 1 << 20)).get("services", {})
        return {name if "." in name else f"{name}.service" for name in services}
    except (ValueError, AttributeError, RecursionError, TypeError):
        return set()


def mention(said: str, path: str) -> str | None:
    """How a text names a file, in words: itself, or by a script it names; None when it does not."""
    if names(said, path):
        return "names it"
    for named in list(dict.fromkeys(NAMED.findall(said)))[:MOST_NAMED]:
        if named != path and names(text(Path(named)), path):
            return f"names it by way of {named}"
    return None


def unit_texts(ending: str) -> dict[str, str]:
    """Unit -> its text, drop-ins included; of two with a name, the one systemd takes."""
    found: dict[str, str] = {}
    for path in (path for folder in UNITS for path in within(folder) if path.name.endswith(ending)):
        found.setdefault(path.name, text(path))
    for folder in (folder / f"{name}.d" for folder in UNITS for name in found):
        found[folder.name[:-2]] += "".join(f"\n{text(path)}" for path in within(folder))
    return found


def starters() -> dict[str, list[str]]:
    """Service -> timers and watched paths that start it."""
    found: dict[str, list[str]] = {}
    for name, said in [*unit_texts(".timer").items(), *unit_texts(".path").items()]:
        named = re.findall(r"^\s*Unit\s*=\s*(\S+)", said, re.MULTILINE)
        found.setdefault(named[-1] if named else f"{name.rpartition('.')[0]}.service", []).append(name)
    return found


def last_runs(units: list[str]) -> dict[str, str]:
    """Unit -> when it last started, in words, for those that did."""
    said = output(["systemctl", "show", "--timestamp=unix", "-pId", "-pExecMainStartTimestamp", "--", *units])
    blocks = [dict(re.findall(r"^(\w+)=@?(.*)$", block, re.MULTILINE)) for block in said.split("\n\n")]
    stamps = {block.get("Id", ""): block.get("ExecMainStartTimestamp", "") for block in blocks}
    return {unit: f", last ran {moment(int(stamp))}" for unit, stamp in stamps.items() if stamp.isdigit()}


def units(paths: list[str], innocent: set[str]) -> Iterator[str]:
    """Services that name a file, what starts them, and when they last ran."""
    texts = ((unit, said) for unit, said in sorted(unit_texts(".service").items()) if unit not in innocent)
    every = ((path, unit, mention(said, path)) for unit, said in texts for path in paths)
    found = [(path, unit, how) for path, unit, how in every if how][:MOST_OF_A_KIND]
    if not found:
        return
    started, ran = starters(), last_runs(sorted({unit for _, unit, _ in found}))
    for path, unit, how in found:
        by = f", started by {', '.join(started[unit])}" if unit in started else ""
        yield f"{path}: {unit} {how}{by}{ran.get(unit, '')}"


def cron_jobs(paths: list[str]) -> Iterator[str]:
    """Tables and scripts of cron that name a file."""
    for table, said in ((table, text(table)) for folder in CRON for table in within(folder)):
        for path in paths:
            if how := mention(said, path):
                yield f"{path}: {table} of cron {how}"


def journal() -> Iterator[tuple[float, str]]:
    """(seconds, message) of what sshd and sudo said within the hour, oldest first."""
    for line in output(JOURNAL).splitlines():
        try:
            entry = json.loads(line)
            at, message = int(entry["__REALTIME_TIMESTAMP"]) / 1e6, entry["MESSAGE"]
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(message, str):
            yield at, message


def commands(paths: list[str], entries: list[tuple[float, str]]) -> Iterator[str]:
    """Commands run with sudo that name a file, newest first."""
    for at, message in reversed(entries):
        found = SUDO.match(message)
        if found and not OUR_QUESTION.fullmatch(found[2]):
            for path in paths:
                if names(found[2], path):
                    yield f"{path}: named at {moment(at)} by sudo of {found[1]}: {found[2]}"


def logins(entries: list[tuple[float, str]], client: str, us: str) -> Iterator[str]:
    """Who logged in within the hour, from where, how and how often, newest first; those like us last.

    Args:
        entries: of the journal.
        client: our own address and port, as SSH_CONNECTION begins.
        us: the user we came as.
    """
    found: dict[tuple[str, str, str], tuple[int, float]] = {}
    our_key = ""
    for at, login in ((at, ACCEPTED.match(message)) for at, message in entries):
        if login:
            method, name, address, port, key = login.groups()
            found[name, address, key or method] = (found.get((name, address, key or method), (0,))[0] + 1, at)
            our_key = (key or method) if f"{address} {port}" == client else our_key
    here = (us, client.partition(" ")[0])
    like_us = [who for who in found if who[:2] == here and our_key in ("", who[2])]
    for who in sorted(found, key=lambda who: (who in like_us, -found[who][1])):
        (name, address, key), (times, at) = who, found[who]
        often = "at" if times == 1 else f"{times} times, last at"
        ours = " (as OttO does)" if who in like_us else ""
        yield f"login of {name} from {address} with {key} {often} {moment(at)}{ours}"


def begun(pid: str) -> str:
    """Since when a process runs, in words; empty when that cannot be seen."""
    boot = re.search(r"^btime (\d+)", text(PROC / "stat", 1 << 20), re.MULTILINE)
    ticks = field(pid, START)
    return f" since {moment(int(boot[1]) + int(ticks) / os.sysconf('SC_CLK_TCK'))}" if boot and ticks else ""


def sessions() -> Iterator[str]:
    """Who is logged in, but for ourselves: over SSH by its processes, elsewhere by the system's own list."""
    listed = {found[2]: found for line in output(["who"]).splitlines() if (found := TERMINAL.match(line))}
    for pid in pids():
        if found := SESSION.match(command_line(pid)):
            terminal = listed.pop(found[2], None)
            origin = f" from {terminal[4]}" if terminal and terminal[4] else ""
            yield f"session of {found[1]} over SSH ({found[2]}){origin}{begun(pid)}"
    for terminal in listed.values():
        yield f"session of {terminal[1]} on {terminal[2]} since {terminal[3]} UTC"


def looks(paths: list[str], client: str, us: str) -> Iterator[Iterable[str]]:
    """All looks, the one that tells most first."""
    innocent = managed()
    yield map(changed, paths)
    yield processes(paths, innocent)
    yield units(paths, innocent)
    yield cron_jobs(paths)
    entries = list(journal())
    yield commands(paths, entries)
    yield sessions()
    yield logins(entries, client, us)


def gather(found: Iterable[str], lines: list[str]) -> None:
    """Add lines of one look; one that fails never hides the others."""
    try:
        for _, line in zip(range(MOST_OF_A_KIND), found, strict=False):
            lines.append(line[:LONGEST_LINE])
    except Exception as error:  # noqa: BLE001
        lines.append(f"a look failed: {type(error).__name__}: {error}"[:LONGEST_LINE])


def late(_signal: int, _frame: object) -> NoReturn:
    """Go on no longer."""
    raise TooLateError


def main(paths: list[str]) -> None:
    """Print the lines. The first argument is SSH_CONNECTION of whoever asks."""
    lines: list[str] = []
    client = " ".join(" ".join(sys.argv[1:]).split(" ")[:2])
    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        for found in looks(paths, client, os.environ.get("SUDO_USER", "")):
            gather(found, lines)
        signal.alarm(0)
    except TooLateError:
        lines.insert(0, "not everything could be looked at in time")
    sys.stdout.write(json.dumps(lines[:MOST_LINES]) + "\n")
