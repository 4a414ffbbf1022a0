"""How Python runs us: when its collector goes through what lives, and how long a thread's turn is.

A start makes some 300,000 objects that stay, of libraries for the most part. The collector would go through
them again and again meanwhile and find nothing: a sixth of the time that it takes to start.
"""

import gc
import sys

# Objects more than before after which the young ones are gone through; Python's own figure is 700.
_STARTING = 200_000
_RUNNING = 700
# Seconds that a thread goes on while another one waits; Python's own figure is 0.005.
_TURN = 0.0005


def begin() -> None:
    """Have the collector rest: a process starts, and most of them soon end."""
    gc.set_threshold(_STARTING, *gc.get_threshold()[1:])


def settle() -> None:
    """All is made that the controller needs: from now on it answers.

    All that lives now is left out of later collections; it goes as before when nothing leads to it. Over
    10,000 sites a collection of all generations takes a quarter of a second, in which no thread runs and
    nobody is answered (docs.python.org, `gc.freeze`).

    The API's thread gives up its turn with every question to the database, and waits for it again behind the
    loop's thread and the store's (docs.python.org, `sys.setswitchinterval`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_RUNNING, *gc.get_threshold()[1:])
    sys.setswitchinterval(_TURN)
