"""When Python's collector goes through what lives: hardly while a process starts, never through that again.

A start makes a million objects that stay, of libraries for the most part. The collector would go through them
again and again meanwhile and find nothing: a fifth of the time that it takes to start.
"""

import gc

# Objects more than before after which the young ones are gone through; Python's own figure is 700.
_STARTING = 200_000
_RUNNING = 700


def begin() -> None:
    """Have the collector rest: a process starts, and most of them soon end."""
    gc.set_threshold(_STARTING, *gc.get_threshold()[1:])


def settle() -> None:
    """Leave all that lives now out of later collections; it goes as before when nothing leads to it.

    Over 10,000 sites a collection of all generations takes a quarter of a second, in which no thread runs and
    nobody is answered (docs.python.org, `gc.freeze`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_RUNNING, *gc.get_threshold()[1:])
