"""Debian's package database, out of the files it is made of (deb-control(5), dpkg(1))."""

from collections.abc import Iterator, Mapping

from otto.model.image import Package

STATUS = "var/lib/dpkg/status"
SUMS = ("var/lib/dpkg/info/", ".md5sums")


def packages(status: str) -> tuple[Package, ...]:
    """Installed packages, sorted by name.

    Args:
        status: text of `/var/lib/dpkg/status`.
    """
    found = (_package(stanza) for stanza in _stanzas(status))
    return tuple(sorted((item for item in found if item), key=lambda item: (item.name, item.architecture)))


def configuration_files(status: str) -> dict[str, str]:
    """Configuration files of packages -> the MD5 they came with; paths without the leading slash."""
    return {
        path.lstrip("/"): md5
        for stanza in _stanzas(status)
        for path, md5 in map(_conffile, stanza.get("Conffiles", "").splitlines())
        if path
    }


def sums(text: str) -> dict[str, str]:
    """Files of a package -> their MD5, out of one of dpkg's `.md5sums`."""
    pairs = (line.split("  ", 1) for line in text.splitlines())
    return {pair[1]: pair[0] for pair in pairs if len(pair) > 1}


def _conffile(line: str) -> tuple[str, str]:
    words = line.split()
    return (words[0], words[1]) if len(words) > 1 else ("", "")


def _package(stanza: Mapping[str, str]) -> Package | None:
    if not stanza.get("Status", "").endswith(" installed") or not stanza.get("Package"):
        return None
    return Package(
        name=stanza["Package"],
        version=stanza.get("Version", ""),
        architecture=stanza.get("Architecture", ""),
        # "Source: glibc (2.36-9)" where its version is another than the package's.
        source=stanza.get("Source", stanza["Package"]).partition(" ")[0],
    )


def _stanzas(status: str) -> Iterator[dict[str, str]]:
    """Each paragraph as field -> value; continued lines are joined by line ends."""
    for paragraph in status.split("\n\n"):
        fields: dict[str, str] = {}
        last = ""
        for line in paragraph.splitlines():
            if line[:1] in (" ", "\t"):
                fields[last] = f"{fields.get(last, '')}\n{line.strip()}".strip()
                continue
            last, _, value = line.partition(":")
            fields[last] = value.strip()
        if fields:
            yield fields
