"""What a plain YAML scalar stands for, and which ones are read differently by different readers.

YAML 1.1 (https://yaml.org/type/) reads an unquoted `no` as false, `010` as eight and `12:30` as 750;
YAML 1.2 does not. OttO takes what both agree on; the rest fits no field and is explained. A time as RFC 3339
has it is its text: who reads a point in time reads the same one.
"""

import re
from dataclasses import dataclass

_CORE = "tag:yaml.org,2002:"
_PLAIN = re.compile(
    r"""
      (?P<time>
          [0-9]{4}-[0-9]{2}-[0-9]{2} [Tt] [0-9]{2}:[0-9]{2}:[0-9]{2} (?: \.[0-9]+ )?
          (?: [Zz] | [-+][0-9]{2}:[0-9]{2} )
      )
    | (?P<null> ~ | null | Null | NULL | )
    | (?P<true> true | True | TRUE )
    | (?P<false> false | False | FALSE )
    | (?P<int> [-+]? (?: 0 | [1-9][0-9]{0,17} ) )
    | (?P<float> [-+]? (?: 0 | [1-9][0-9]{0,17} ) \. [0-9]{0,17} )
    | (?P<word> yes | Yes | YES | no | No | NO | on | On | ON | off | Off | OFF )
    | (?P<date>
          [0-9]{4}-[0-9]{2}-[0-9]{2}
        | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?: [Tt] | [\ \t]+ ) [0-9]{1,2}:[0-9]{2}:[0-9]{2}
          (?: \.[0-9]* )? (?: [\ \t]* (?: Z | [-+][0-9]{1,2} (?: :[0-9]{2} )? ) )?
      )
    | (?P<clock> [-+]? [0-9][0-9_]* (?: : [0-5]?[0-9] )+ (?: \. [0-9_]* )? )
    | (?P<octal> [-+]? 0 o? [0-7_]+ )
    | (?P<number>
          [-+]? 0x [0-9a-fA-F_]+ | [-+]? 0b [01_]+
        | [-+]? \. (?: inf | Inf | INF ) | \. (?: nan | NaN | NAN )
        | [-+]? (?: [0-9][0-9_]* \.? [0-9_]* | \. [0-9][0-9_]* ) (?: [eE] [-+]? [0-9]+ )?
      )
    | (?P<special> = | << )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Odd:
    """A scalar that is no text, number, truth value or null to every reader of YAML alike.

    It is of no JSON type, so that no schema accepts it.

    Attributes:
        text: as it stands in the file.
        reading: what some readers make of it.
    """

    text: str
    reading: str


Scalar = None | bool | int | float | str | Odd

_READINGS = {
    "word": "a truth value",
    "date": "a date",
    "clock": "a number to the base 60",
    "octal": "an octal number",
    "number": "a number in an unusual form",
    "special": "an operator of YAML",
}


def plain(text: str) -> Scalar:
    """What an unquoted scalar without a tag stands for."""
    match = _PLAIN.fullmatch(text)
    if match is None:
        return text
    kind = match.lastgroup or ""
    if kind == "time":
        return text
    if kind == "int":
        return int(text)
    if kind == "float":
        return float(text)
    if kind in _READINGS:
        return Odd(text, _READINGS[kind])
    return {"null": None, "true": True, "false": False}[kind]


def tagged(text: str, tag: str) -> Scalar:
    """What a scalar with an explicit tag stands for."""
    if tag in ("!", _CORE + "str"):
        return text
    value = plain(text)
    wanted = {"int": int, "float": float, "bool": bool, "null": type(None)}.get(tag.removeprefix(_CORE))
    if wanted is not None and type(value) is wanted:
        return value
    return Odd(text, f"a value of the type {tag.removeprefix(_CORE)}")


def sequence_tag(tag: str | None) -> bool:
    """Whether a list may carry this tag."""
    return tag in (None, "!", _CORE + "seq")


def mapping_tag(tag: str | None) -> bool:
    """Whether a mapping may carry this tag."""
    return tag in (None, "!", _CORE + "map")
