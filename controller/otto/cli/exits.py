"""Exit statuses of every `otto` command, in one place.

0    done; for `status SITE`: the site is Ready
1    failed: what was asked for did not come about, or does not exist
2    the command line itself is wrong; nothing was done
3    `status SITE`: the site is not Ready
4    `diff` and `plan` with --exit-code: something differs, or would be done
130  stopped by Ctrl-C (SIGINT) before the aim was reached; 143 by SIGTERM
"""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_READY = 3
    DIFFERENT = 4
    INTERRUPTED = 130
    TERMINATED = 143
