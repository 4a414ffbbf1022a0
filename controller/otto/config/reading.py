"""Settings out of the file, the environment and flags."""

import dataclasses
import difflib
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from otto.config.settings import Settings
from otto.model.errors import UsageError
from otto.model.spec import Provider

_SHORT_NAMES = {"do": "digitalocean", "gce": "gcp", "google": "gcp", "local": "lab"}
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def load(environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Settings:
    """Settings from all their places.

    Args:
        environ: the environment.
        flags: dotted name -> value, from the command line; None values are ignored.

    Raises:
        UsageError: a setting is unknown or its value is not of its type; nothing was read further.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    home = Path(given.pop("home", None) or environ.get("OTTO_HOME") or "var").absolute()
    values = _from_file(home, environ) | _from_environ(environ) | given
    return dataclasses.replace(_build(Settings, values), home=home)


def names() -> Iterator[tuple[str, type, Any, str]]:
    """Every setting: dotted name, type, default and help."""
    for section, owner in _sections():
        hints = get_type_hints(owner)
        for item in fields(owner):
            if dataclasses.is_dataclass(hints[item.name]) or item.name == "home":
                continue
            dotted = f"{section}.{item.name}" if section else item.name
            yield dotted, hints[item.name], item.default, item.metadata.get("help", "")


def environment_name(dotted: str) -> str:
    """The environment variable of a setting: `loop.backoffCap` is OTTO_LOOP_BACKOFFCAP."""
    special = {
        "databaseUrl": "OTTO_DATABASE_URL",
        "providers": "CLOWD_PROVIDERS",
        "remote.server": "OTTO_SERVER",
    }
    return special.get(dotted, "OTTO_" + dotted.replace(".", "_").upper())


def _sections() -> Iterator[tuple[str, Any]]:
    yield "", Settings
    for name, hint in get_type_hints(Settings).items():
        if dataclasses.is_dataclass(hint):
            yield name, hint


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {environment_name(dotted): dotted for dotted, *_ in names()}
    return {known[name]: value for name, value in environ.items() if name in known and value}


def _from_file(home: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    named = environ.get("OTTO_CONFIG")
    path = Path(named) if named else home / "otto.yaml"
    if not path.exists():
        if named:
            raise UsageError(f"settings file {path} does not exist", mend="correct or unset OTTO_CONFIG")
        return {}
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"settings file {path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"settings file {path} must hold a mapping")
    return dict(_flatten(data, str(path)))


def _flatten(data: Mapping[Any, Any], where: str) -> Iterator[tuple[str, Any]]:
    known = {dotted for dotted, *_ in names()}
    for key, value in data.items():
        inner = value if isinstance(value, dict) else None
        pairs = [(f"{key}.{sub}", item) for sub, item in inner.items()] if inner else [(str(key), value)]
        for dotted, item in pairs:
            if dotted not in known:
                close = difflib.get_close_matches(dotted, known, 1)
                hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known))}"
                raise UsageError(f"{where}: unknown setting {dotted!r}", mend=hint)
            yield dotted, item


def _build(owner: type[Settings], values: Mapping[str, Any]) -> Settings:
    kinds = {dotted: (kind, default) for dotted, kind, default, _ in names()}
    top: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for dotted, value in values.items():
        section, _, name = dotted.rpartition(".")
        target = nested.setdefault(section, {}) if section else top
        target[name] = _coerce(dotted, kinds[dotted][0], value)
    hints = get_type_hints(owner)
    return owner(**top, **{section: hints[section](**given) for section, given in nested.items()})


def _coerce(dotted: str, kind: Any, value: Any) -> Any:  # noqa: ANN401  (values of any setting)
    try:
        return _convert(kind, value)
    except ValueError as error:
        name = environment_name(dotted)
        raise UsageError(f"setting {dotted} ({name}): {error}") from error


def _convert(kind: Any, value: Any) -> Any:  # noqa: ANN401
    if get_origin(kind) is tuple:
        return _providers(value)
    if get_origin(kind) in (Union, types.UnionType):
        kind = get_args(kind)[0]
    if kind is bool:
        return _boolean(value)
    if isinstance(value, bool | dict | list):
        raise ValueError(f"{value!r} is not a {kind.__name__}")  # noqa: TRY004  (one kind of error here)
    converted = kind(value)
    if kind in (int, float) and converted < 0:
        raise ValueError(f"{value!r} is negative")
    return converted


def _boolean(value: object) -> bool:
    word = str(value).lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"{value!r} is neither true nor false")
    return word in _TRUE


def _providers(value: object) -> tuple[Provider, ...]:
    words = value if isinstance(value, list) else str(value).replace(",", " ").split()
    found = []
    for word in words:
        name = str(word).strip().lower()
        try:
            found.append(Provider(_SHORT_NAMES.get(name, name)))
        except ValueError:
            allowed = ", ".join(provider.value for provider in Provider)
            raise ValueError(f"no provider is called {name!r}; there are {allowed}") from None
    return tuple(dict.fromkeys(found))
