"""Plain data as YAML that OttO's own reader, and every other one, takes for the same data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from otto.adapters.specs.scalar import plain
from otto.adapters.specs.text import HIDDEN

_WIDE = 1 << 30
_KEY = "k"


@dataclass(frozen=True, slots=True)
class Style:
    """How a file is written.

    Attributes:
        step: columns that each level is set in by.
        indentless: whether lists in mappings begin in the column of their key.
    """

    step: int = 2
    indentless: bool = False


def document(data: Mapping[str, Any], style: Style | None = None) -> str:
    """A document in block style."""
    return _dump(data, style or Style())


def inline(value: object, quote: str = "") -> str:
    """A value on one line, fit for a place inside brackets as well.

    Args:
        value: what is to be written.
        quote: the quotation mark for text, where there is no need for another one.
    """
    text = _dump([value], Style(), flow=True, quote=quote).strip()
    return text[1:-1].strip()


def after_colon(value: object, style: Style, quote: str = "") -> str:
    """What follows the colon of a key in the first column, without the last line break."""
    return _dump({_KEY: value}, style, quote=quote).partition(":")[2].removesuffix("\n")


def item(value: object, style: Style) -> str:
    """An item of a list, its dash in the first column, without the last line break."""
    return _dump([value], style).removesuffix("\n")


class _Dumper(yaml.SafeDumper):
    """Writes text so that nobody takes it for anything else."""

    house = Style()
    mark = ""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless and self.house.indentless)

    def text(self, value: str) -> yaml.ScalarNode:
        """A text; in quotation marks where it could be read as anything else."""
        hidden, read = HIDDEN.search(value), plain(value)
        quote: str | None = self.mark or None
        if hidden is not None or type(read) is not str:
            quote = '"'
        elif "\n" in value:
            quote = "|"
        return self.represent_scalar("tag:yaml.org,2002:str", value, style=quote)

    def number(self, value: float) -> yaml.ScalarNode:
        """A number with a point and without an exponent, as far as that can be."""
        text = repr(value)
        return self.represent_scalar("tag:yaml.org,2002:float", text if "e" not in text else f"{value:.17f}")


_Dumper.add_representer(str, _Dumper.text)
_Dumper.add_representer(float, _Dumper.number)


def _dump(value: object, style: Style, *, flow: bool = False, quote: str = "") -> str:
    dumper: type[_Dumper] = type("_Styled", (_Dumper,), {"house": style, "mark": quote})
    plain_text = not any(HIDDEN.search(text) for text in _texts(value))
    found: str = yaml.dump(
        value,
        Dumper=dumper,
        default_flow_style=flow,
        sort_keys=False,
        width=_WIDE,
        allow_unicode=plain_text,
        indent=style.step,
    )
    return found


def _texts(value: object) -> list[str]:
    found: list[str] = []
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, Mapping):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            left += one
    return found
