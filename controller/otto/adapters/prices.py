"""Price tables: files, read once at the start, the operator's before ours."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from otto.model.cost import PriceTable
from otto.model.errors import UsageError
from otto.model.spec import Provider

_MOST = 1024 * 1024
_DEEPEST = 8
_SHOWN = 120
# Plain decimal numbers. YAML knows more (sexagesimal, octal, hexadecimal, infinity, none at all), and in a
# price each of them is a mistake.
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_NUMERIC = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_TEXT = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp"})
_MEND = "the form is described in docs/how-to/budgets.md"

Place = tuple[str, ...]


class FilePrices:
    """Port `Prices` over files.

    Args:
        tables: provider -> its table.
    """

    def __init__(self, tables: Mapping[Provider, PriceTable]) -> None:
        self._tables = tables

    def table(self, provider: Provider) -> PriceTable | None:
        """The price table of a provider, None when there is none."""
        return self._tables.get(provider)


def open_prices(ours: Path, own: Path, schema: Path) -> FilePrices:
    """Read all price tables.

    Args:
        ours: the folder of those that come with OttO.
        own: the operator's folder, which need not be there; a file of it takes the place of ours.
        schema: the JSON Schema of a table.

    Raises:
        UsageError: a file cannot be read or is no price table, or two are in different currencies.
    """
    validator = Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
    files = _files(ours) | _files(own)
    tables = {provider: _table(path, provider, validator) for provider, path in files.items()}
    _one_currency(files, tables)
    return FilePrices(tables)


def _files(folder: Path) -> dict[Provider, Path]:
    try:
        names = sorted(path.name for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be read: {error.strerror}", mend="see to its permissions"
        ) from error
    known = {f"{provider.value}.yaml": provider for provider in Provider}
    for name in names:
        if name not in known:
            raise UsageError(
                f"{folder / name}: this is no provider's price table",
                mend=f"call it one of: {', '.join(known)}; or take it out of the folder",
            )
    return {known[name]: folder / name for name in names}


def _table(path: Path, provider: Provider, validator: Draft202012Validator) -> PriceTable:
    lines: dict[Place, int] = {}
    data = _read(path, lines)
    problem = best_match(validator.iter_errors(data))
    if problem is not None:
        place = tuple(str(step) for step in problem.absolute_path)
        raise _flaw(path, _line(lines, place), f"{'.'.join(place) or 'table'}: {problem.message}")
    if data["provider"] != provider.value:
        message = f"provider: this is the table of {data['provider']}, and called {path.name}"
        raise _flaw(path, lines["provider",], message)
    return PriceTable(
        provider.value, data["currency"], data["hosts"], data.get("source", ""), data.get("updated", "")
    )


def _one_currency(files: Mapping[Provider, Path], tables: Mapping[Provider, PriceTable]) -> None:
    """One fleet, one sum: there are no rates of exchange here."""
    currencies = {tables[provider].currency: files[provider] for provider in sorted(tables)}
    if len(currencies) > 1:
        listed = "; ".join(f"{path}: {currency}" for currency, path in sorted(currencies.items()))
        raise UsageError(
            f"the price tables are in several currencies: {listed}",
            mend="put a table of your own, in the same currency, into OTTO_HOME/prices",
        )


def _read(path: Path, lines: dict[Place, int]) -> Any:  # noqa: ANN401  (judged by the schema)
    """What a file says; `lines` is filled with the line that each value's key stands on."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST + 1)
        if len(raw) > _MOST:
            raise _flaw(path, 1, f"it is larger than {_MOST} bytes")
        text = raw.decode("utf-8-sig")
        _shallow(path, text)
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise _flaw(path, raw[: error.start].count(b"\n") + 1, "it is not UTF-8 text") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = str(getattr(error, "problem", "") or "it is not YAML")
        raise _flaw(path, mark.line + 1 if mark else 1, message) from error
    return _value(path, node, (), lines)


def _shallow(path: Path, text: str) -> None:
    """Refuse what is nested deeply before it is composed: each level takes a piece of the C stack."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise _flaw(path, line, "this lies too deep to be part of a price table")


def _value(path: Path, node: yaml.Node | None, place: Place, lines: dict[Place, int]) -> Any:  # noqa: ANN401
    """Tables are two levels deep; what lies deeper, or is a list, is no part of one and not looked into."""
    if isinstance(node, yaml.MappingNode) and len(place) < 2:  # noqa: PLR2004  (the table, its hosts)
        return _mapping(path, node, place, lines)
    if not isinstance(node, yaml.ScalarNode):
        what = "it is empty" if node is None else f"{'.'.join(place) or 'table'}: a single value belongs here"
        raise _flaw(path, node.start_mark.line + 1 if node else 1, what)
    if node.tag in _TEXT:
        return str(node.value)
    number = float(node.value) if node.tag in _NUMERIC and _NUMBER.fullmatch(node.value) else math.nan
    if not math.isfinite(number):
        called, found = ".".join(place) or "table", node.value[:_SHOWN]
        raise _flaw(path, node.start_mark.line + 1, f"{called}: {found!r} is no plain number, nor text")
    return number


def _mapping(path: Path, node: yaml.MappingNode, place: Place, lines: dict[Place, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.tag not in _TEXT:
            shown = str(key.value)[:_SHOWN] if isinstance(key, yaml.ScalarNode) else "this"
            raise _flaw(path, line, f"{shown!r} is no text; a name like this belongs in quotation marks")
        name = str(key.value)
        here = (*place, name)
        if name in found:
            raise _flaw(path, line, f"{name[:_SHOWN]!r} stands here twice, first in line {lines[here]}")
        lines[here] = line
        found[name] = _value(path, value, here, lines)
    return found


def _line(lines: Mapping[Place, int], place: Place) -> int:
    """The line of a value, or of the nearest thing around it."""
    return lines.get(place) or (_line(lines, place[:-1]) if place else 1)


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be read: {error.strerror}", mend="see to its permissions")


def _flaw(path: Path, line: int, message: str) -> UsageError:
    shown = message if len(message) <= 2 * _SHOWN else f"{message[: 2 * _SHOWN - 3]}..."
    return UsageError(f"{path}:{line}: {shown}", mend=_MEND)
