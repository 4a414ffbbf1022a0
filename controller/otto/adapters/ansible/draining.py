"""A balancer that takes no new visitor and lets those it has finish: haproxy's soft stop.

It goes over SSH directly and not by a play: there is one thing to say to each balancer, the site is about to
go, and a play would spend seconds on starting before the first visitor is turned elsewhere.

haproxy's master passes SIGUSR1 on to its workers, which close their listeners at once and end when the last
connection has (management guide, section 4, "Stopping and restarting HAProxy"). Debian's unit says
`Restart=always`, so a haproxy that ends by a signal of ours would be back in a second; only systemd's own
stop is left alone. So systemd is told, by a drop-in that lives as long as the stop does, to stop with that
signal and to kill what is left (`KillMode=mixed`: all of it) when the time is up. It lies below /run: the
files OttO manages stay as they are, and after a reboot nothing of it is left.
"""

import re
import shlex
from collections.abc import Sequence
from contextlib import aclosing

from otto.adapters.ansible.asking import Answer, Silence
from otto.adapters.ansible.calling import Calls
from otto.adapters.ansible.scrub import one_line
from otto.model.errors import TransientError
from otto.model.host import Host
from otto.model.progress import Progress, Report

# What it takes besides: to connect, to have systemd read its units anew, to kill.
MARGIN_SECONDS = 20.0
_LONGEST = 4096
_LONGEST_COMPLAINT = 300
_ENDED = ("inactive", "failed")
_SAID = re.compile(r"otto-drain:([a-z-]{0,32}):([a-z-]{0,32}):([a-z-]{0,32})\s*\Z")

_SCRIPT = """\
unit=haproxy.service folder=/run/systemd/system/haproxy.service.d
file=$folder/90-otto-drain.conf
of() { systemctl show -p "$1" --value "$unit"; }
before=$(of ActiveState)
case $before in
inactive | failed) ;;
*)
    mkdir -p "$folder" &&
        printf '[Service]\\nKillSignal=SIGUSR1\\nTimeoutStopSec=%dms\\n' MILLISECONDS >"$file" &&
        systemctl daemon-reload && systemctl stop "$unit"
    rm -f "$file"
    rmdir "$folder" 2>/dev/null
    systemctl daemon-reload
    ;;
esac 2>&1
echo "otto-drain:$before:$(of ActiveState):$(of Result)"
"""


class NotDrainedError(Exception):
    """The balancer answers and goes on taking visitors; the message says why."""


async def drain(calls: Calls, balancers: Sequence[Host], seconds: float, report: Report) -> None:
    """Drain balancers, all at once; one that does not answer is told of by the report.

    Args:
        calls: how they are reached.
        balancers: their hosts.
        seconds: how long visitors have to finish; a stuck balancer is waited for `MARGIN_SECONDS` more.
        report: hears what became of each.

    Raises:
        TransientError: haproxy goes on running on a balancer that answers, or nobody can tell.
    """
    going_on = []
    asked = calls.ask(balancers, command(seconds), seconds=seconds + MARGIN_SECONDS, at_once=len(balancers))
    async with aclosing(asked):
        async for name, answer in asked:
            try:
                words = read(answer)
            except NotDrainedError as error:
                words = str(error)
                going_on.append(f"{name}: {words}")
            report(Progress(words, host=name))
    if going_on:
        raise TransientError(f"visitors still come in at {'; '.join(sorted(going_on))}")


def command(seconds: float) -> str:
    """The command that drains the balancer it runs on, however often; it ends when haproxy has.

    Args:
        seconds: how long visitors have to finish. haproxy's own `hard-stop-after`, which the role sets, cuts
            them earlier if it is shorter.
    """
    milliseconds = max(1, round(seconds * 1000))  # none would mean for ever to systemd
    script = _SCRIPT.replace("MILLISECONDS", str(milliseconds))
    return f"sudo -n sh -c {shlex.quote(script)} </dev/null 2>&1 | head -c {_LONGEST}"


def read(answer: Answer) -> str:
    """What became of a balancer's visitors, in words.

    Raises:
        NotDrainedError: haproxy still runs there, or nobody can tell.
    """
    if isinstance(answer, Silence):
        return f"left out, it does not answer: {answer.reason}"
    said = str(answer.get("stdout") or "")
    found = _SAID.search(said)
    if found is None:
        raise NotDrainedError(_joined("it does not say how haproxy is", said))
    if found[2] not in _ENDED:
        raise NotDrainedError(_joined(f"haproxy is {found[2] or 'in no known state'}", said[: found.start()]))
    if found[1] in _ENDED:
        return "drained already"
    return "drained; visitors that were left were cut off" if found[3] == "timeout" else "drained"


def _joined(state: str, complaint: str) -> str:
    words = one_line(complaint, _LONGEST_COMPLAINT)
    return f"{state}: {words}" if words else state
