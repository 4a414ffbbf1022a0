"""Reference of the settings, from `otto.config`."""

import dataclasses
import types
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Union, get_args, get_origin

from generator.page import code, joined, table
from otto import config
from otto.model.spec import Provider

_INTRO = """\
# Settings

A setting comes from four places, each over the one before: the default, the settings file, the
environment, the command line (`otto --set NAME=VALUE COMMAND`).

- The settings file is `otto.yaml` in `OTTO_HOME`, or the file that `OTTO_CONFIG` names. It need not exist,
  unless `OTTO_CONFIG` names it.
- In the environment `api.port` is `OTTO_API_PORT`, and `loop.backoffCap` is `OTTO_LOOP_BACKOFFCAP`. An empty
  variable counts as unset.
- A setting the file does not know is an error, so that a typing mistake never goes unnoticed. Variables of
  the environment that name no setting are not looked at.

A settings file with two changed values:

```yaml
api:
  port: 7080
loop:
  interval: 60
```

`otto config` prints every setting with its present value. A Boolean is `true`, `yes`, `on`, `1` or
`false`, `no`, `off`, `0`; times are in seconds; numbers are not negative.

Two variables are no settings, since they say where settings are (`--home` is the option for the first):

| variable | default | |
|---|---|---|
| `OTTO_HOME` | `./var` | where OttO keeps everything; see [Files](files.md) |
| `OTTO_CONFIG` | | path of the settings file, if it is not `otto.yaml` in `OTTO_HOME` |

`OTTO_DEBUG=1` is the same as the option `--debug`."""

_TITLES = {"": "General", "api": "API", "metrics": "Metrics"}


def render() -> str:
    """The page."""
    groups = groupby(config.names(), key=lambda item: item[0].rpartition(".")[0])
    return joined([_INTRO, *(_group(section, list(items)) for section, items in groups)])


def _group(section: str, items: list[tuple[str, type, Any, str]]) -> str:
    title = f"## {_TITLES.get(section) or section.capitalize()}"
    return joined([title, table(("setting", "environment", "type", "default", ""), _rows(items))])


def _rows(items: list[tuple[str, type, Any, str]]) -> Iterator[tuple[str, ...]]:
    for dotted, kind, default, words in items:
        yield (
            code(dotted),
            code(config.environment_name(dotted)),
            _kind(kind),
            _default(default),
            words + (_providers() if dotted == "providers" else ""),
        )


def _providers() -> str:
    """The short names are tried, not read from a private table."""
    short = []
    for word in ("do", "gce", "google", "local"):
        found = config.load({"CLOWD_PROVIDERS": word}).providers[0]
        short.append(f"`{word}` for `{found.value}`")
    return f"; names separated by commas or spaces, short ones too: {', '.join(short)}"


def _kind(kind: Any) -> str:  # noqa: ANN401  (a type, or a generic alias)
    if get_origin(kind) is tuple:
        return "list"
    if get_origin(kind) in (Union, types.UnionType):
        kind = get_args(kind)[0]
    name: str = kind.__name__
    words = {"str": "text", "bool": "Boolean", "int": "whole number", "float": "number"}
    return words.get(name, name)


def _default(default: object) -> str:
    if default is dataclasses.MISSING or default == "":
        return ""
    if isinstance(default, bool):
        return code(str(default).lower())
    if isinstance(default, tuple):
        return code(", ".join(item.value for item in default if isinstance(item, Provider)))
    return code(f"{default:g}" if isinstance(default, float) else default)
