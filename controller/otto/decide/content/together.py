"""What the files of a site say together: where their links lead, and what nobody can see."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from otto.decide.content.addresses import Addresses, Target
from otto.decide.content.serving import ERROR_PAGE, REVISION, Answer, Served
from otto.model.inspection import Facts, Finding, Inspection, Link, Severity

_MOST = 500
_SHOWN = 120


def inspection(
    tree: str, names: frozenset[str], facts: Mapping[str, Facts], domains: frozenset[str] = frozenset()
) -> Inspection:
    """Judge the files of a site together.

    Args:
        tree: id of the content.
        names: paths of all its files.
        facts: what was read of them, by path.
        domains: names the site answers for: what they lead to is looked for in the site itself.
    """
    site = _Site(Served(names), facts, Addresses(domains))
    found = sorted({*_own(facts), *_whole(names), *site.links()}, key=_order)
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    read = sum(not item.cut for item in facts.values())
    return Inspection(tree, len(names), read, errors, len(found) - errors, tuple(found[:_MOST]))


def _order(finding: Finding) -> tuple[bool, str, int, int, str, str]:
    warning = finding.severity is Severity.WARNING
    return warning, finding.file, finding.line, finding.column, finding.rule, finding.message


def _own(facts: Mapping[str, Facts]) -> Iterator[Finding]:
    for path, item in facts.items():
        for flaw in item.flaws:
            yield Finding(path, flaw.line, flaw.column, flaw.rule, flaw.severity, flaw.message, flaw.mend)


def _whole(names: frozenset[str]) -> Iterator[Finding]:
    if "index.html" not in names:
        message, mend = "there is no index.html at the top: / is answered with 403", "add one"
        yield Finding("", 0, 0, "site.no-index", Severity.WARNING, message, mend)
    if REVISION in names:
        message = "this file is never served: OttO answers at its address with the site's revision"
        yield Finding(REVISION, 0, 0, "site.hidden", Severity.WARNING, message, "rename it")


@dataclass(frozen=True, slots=True)
class _Site:
    """The files, what is known of them, and their addresses."""

    served: Served
    facts: Mapping[str, Facts]
    addresses: Addresses

    def links(self) -> Iterator[Finding]:
        """What is wrong with every link."""
        for path, item in self.facts.items():
            for link in item.links:
                target = self.addresses.lead(path, item.base, link.target)
                yield from self._judged(path, item, link, target)

    def _judged(self, path: str, item: Facts, link: Link, target: Target) -> Iterator[Finding]:
        if target.bad:
            yield _finding(path, link, "link.address", Severity.WARNING, "is no address")
        if not target.path:
            return
        same = target.path == f"/{path}"
        answer = Answer(path) if same else self.served.answer(target.path)
        if not answer.file:
            yield _finding(path, link, "link.missing", Severity.ERROR, f"leads nowhere: {answer.why}")
        if answer.folder and self._relative(answer.file):
            words, mend = "leads to a folder, whose page has relative links that then lead astray", "add a /"
            yield _finding(path, link, "link.folder", Severity.WARNING, words, mend=mend)
        if path == ERROR_PAGE and not item.base and _is_relative(link.target):
            words = "is relative, on a page that is shown at any address"
            yield _finding(path, link, "link.relative", Severity.WARNING, words, mend="begin it with /")
        yield from self._anchored(path, link, answer.file, target.fragment)

    def _anchored(self, path: str, link: Link, file: str, fragment: str) -> Iterator[Finding]:
        """Whether a fragment leads to something (HTML standard, "find a potential indicated element")."""
        name = fragment.partition(":~:")[0]
        known = self.facts[file].anchors if file in self.facts else None
        # A fragment with a / or ! is the address of a page that a script makes.
        if not name or known is None or name.lower() == "top" or name[0] in "/!" or name in known:
            return
        # What stands in an SVG file may be a view, a time or a spot of it.
        if not file.endswith(".svg") or "=" not in name:
            words, mend = f"leads to nothing on {file}", "give an element that id"
            yield _finding(path, link, "link.anchor", Severity.WARNING, words, mend=mend)

    def _relative(self, file: str) -> bool:
        item = self.facts.get(file)
        return item is not None and not item.base and any(_is_relative(link.target) for link in item.links)


def _is_relative(address: str) -> bool:
    """Whether what an address leads to depends on the path of the page that it stands on."""
    address = address.strip(" \t\n\r\f")
    return bool(address) and address[0] not in "/#\\?" and ":" not in address.split("/")[0]


def _finding(
    path: str, link: Link, rule: str, severity: Severity, words: str, *, mend: str = "correct the link"
) -> Finding:
    target = link.target if len(link.target) <= _SHOWN else f"{link.target[:_SHOWN]}…"
    shown = "".join(character if character.isprintable() else "?" for character in target)
    return Finding(path, link.line, 0, rule, severity, f'{link.holder} "{shown}" {words}', mend)
