"""Golden images for people."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from rich.table import Table
from rich.text import Text

from otto.cli.tables import blank, facts, words
from otto.cli.text import clean, counted, date_time, lasting, seconds_taken
from otto.decide.imagediff import Differing, ImageDifference
from otto.model.image import Image, short_id
from otto.reconcile.gallery import Gallery

_MOST = 10
_DIGEST = re.compile("(sha256:)?[0-9a-f]{64}")


def listed(found: Gallery, images: Iterable[Image], now: datetime) -> Table:
    """One line an image: what it is called, who follows it, who runs it, and what is the matter."""
    table = blank("IMAGE", "DIGEST", "AGE", "CHANNELS", "FOR", "SITES", "HOSTS", "")
    for column in table.columns[:3]:
        column.no_wrap = True
    for image in images:
        age = lasting((now - image.built_at).total_seconds())
        table.add_row(
            words(image.name, "bold"),
            words(short_id(image.digest)),
            words(age, "dim"),
            words(", ".join(channel.name for channel in found.pointing(image)), "green"),
            words(", ".join(sorted(image.artifacts))),
            words(str(len(found.sites(image)))),
            words(str(len(found.hosts(image)))),
            words(_matter(image), "red"),
        )
    return table


def _matter(image: Image) -> str:
    if image.revoked:
        return f"revoked: {image.revoked}"
    failed = [provider for provider, built in sorted(image.artifacts.items()) if not built.smoke.passed]
    return f"smoke test failed: {', '.join(failed)}" if failed else ""


def shown(found: Gallery, image: Image, now: datetime) -> Iterator[Table]:
    """One image: what it is, what it was made from, who uses it, and how it did when it was tried."""
    age = lasting((now - image.built_at).total_seconds())
    pairs = [
        ("image", image.name),
        ("digest", short_id(image.digest, 64)),  # without the algorithm it fits into a line
        ("revoked", image.revoked),
        ("built", f"{date_time(image.built_at)}, {age} ago"),
        ("built on", image.parent),
        ("commit", image.commit),
        *((f"from {name}", _value(of)) for name, of in sorted(image.inputs.items())),
        *(
            ("channel", _since(channel.name, channel.by, channel.at, channel.reason))
            for channel in found.pointing(image)
        ),
        ("followed by", named(found.sites(image), "site")),
        ("run by", named(found.hosts(image), "host")),
        ("packages", str(len(image.packages))),
        ("files", f"{len(image.files)} that no package has so" if image.files else ""),
    ]
    yield facts(pairs)
    yield _artifacts(image)


def _since(name: str, by: str, at: datetime, reason: str) -> str:
    why = f": {reason}" if reason else ""
    return f"{name}, since {date_time(at)}, by {by}{why}"


def named(names: tuple[str, ...], one: str) -> str:
    """How many there are, and what the first of them are called; "" for none."""
    if not names:
        return ""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{counted(len(names), one)}: {', '.join(names[:_MOST])}{more}"


def _artifacts(image: Image) -> Table:
    table = blank("PROVIDER", "ID", "BUILT", "SMOKE TEST")
    for provider, built in sorted(image.artifacts.items()):
        passed = built.smoke.passed
        word = f"{'passed' if passed else 'failed'} in {seconds_taken(built.smoke.seconds)}"
        lines = [words(word, "green" if passed else "red")]
        lines += [words(check, "dim") for check in built.smoke.checks]
        table.add_row(
            words(provider),
            words(short_id(built.id)),
            words(date_time(built.built_at)),
            Text("\n").join(lines),
        )
    return table


def packages(image: Image) -> Table:
    """The packages of an image."""
    table = blank("PACKAGE", "VERSION", "ARCHITECTURE")
    for package in image.packages:
        table.add_row(words(package.name), words(package.version), words(package.architecture, "dim"))
    return table


def differing(found: ImageDifference) -> Iterator[Text]:
    """What differs between two images, line by line."""
    parts = (("inputs", found.inputs), ("packages", found.packages), ("files", found.files))
    for name, part in parts:
        if part:
            yield words(f"{name} ({_counts(part)})", "bold")
            yield from _lines(part)


def _counts(part: Differing) -> str:
    told = ((part.added, "added"), (part.removed, "removed"), (part.changed, "changed"))
    return ", ".join(f"{len(items)} {what}" for items, what in told if items)


def _lines(part: Differing) -> Iterator[Text]:
    told = [
        *((name, f"+ {name} {_value(value)}", "green") for name, value in part.added.items()),
        *((name, f"- {name} {_value(value)}", "red") for name, value in part.removed.items()),
        *(
            (one.name, f"~ {one.name} {_value(one.before)} -> {_value(one.after)}", "yellow")
            for one in part.changed
        ),
    ]
    for _, line, style in sorted(told):
        yield Text(f"  {clean(line)}", style=style)


def _value(value: str) -> str:
    """A version as it is; of a digest the first digits."""
    return short_id(value) if _DIGEST.fullmatch(value) else value
