"""A report in the forms that CI systems read. Texts in it are other people's, and made harmless."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from enum import StrEnum
from hashlib import sha256

from otto.cli.text import clean, counted
from otto.model.canonical import to_data
from otto.model.inspection import Severity
from otto.model.remark import Remark, Report


class Form(StrEnum):
    """What a report is written as."""

    TEXT = "text"
    GITHUB = "github"
    GITLAB = "gitlab"
    JUNIT = "junit"
    JSON = "json"


def written(report: Report, form: Form) -> str:
    """A report in a form, line ends included."""
    writers = {
        Form.TEXT: lambda: _lines(text(report)),
        Form.GITHUB: lambda: _lines(github(report)),
        Form.GITLAB: lambda: json.dumps(gitlab(report), indent=2) + "\n",
        Form.JUNIT: lambda: junit(report),
        Form.JSON: lambda: json.dumps(document(report), indent=2) + "\n",
    }
    return writers[form]()


def _lines(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def text(report: Report) -> Iterator[str]:
    """Plain lines: remarks, what would change, what was not looked at, the sum."""
    yield from (_plain(str(remark)) for remark in report.remarks)
    yield from map(_plain, report.changes)
    yield from (_plain(f"note: {note}") for note in report.notes)
    yield conclusion(report)


def conclusion(report: Report) -> str:
    """The last line: what was looked at, and what came of it."""
    looked = f"{counted(len(report.files), 'spec file')}, {counted(len(report.sites), 'good site')}"
    if not report.remarks:
        return f"{looked}: all is sound"
    return f"{looked}, {counted(report.errors, 'error')}, {counted(report.warnings, 'warning')}"


def _plain(line: str) -> str:
    """A line that is no command to the runner, which reads those that begin with `::` or hold `##[`."""
    line = clean(line).replace("##[", "# #[")
    return f" {line}" if line.lstrip().startswith("::") else line


def github(report: Report) -> Iterator[str]:
    """Workflow commands of GitHub Actions, which show beside the lines; then plain lines."""
    for remark in report.remarks:
        kind = "error" if remark.severity is Severity.ERROR else "warning"
        places = [
            ("file", remark.file),
            ("line", remark.line),
            ("col", remark.column),
            ("title", remark.rule),
        ]
        told = ",".join(f"{name}={_property(value)}" for name, value in places if value)
        mend = f" ({remark.mend})" if remark.mend else ""
        yield f"::{kind} {told}::{_data(clean(remark.message + mend))}"
    yield from map(_plain, report.changes)
    yield from (f"::notice::{_data(clean(note))}" for note in report.notes)
    yield conclusion(report)


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")


def gitlab(report: Report) -> list[dict[str, object]]:
    """A code quality report of GitLab; its fingerprint stays while lines above are added or taken away."""
    seen: dict[str, int] = {}
    found: list[dict[str, object]] = []
    for remark in report.remarks:
        key = f"{remark.file}\n{remark.rule}\n{remark.message}"
        seen[key] = seen.get(key, 0) + 1
        found.append(
            {
                "description": clean(remark.message + (f" ({remark.mend})" if remark.mend else "")),
                "check_name": remark.rule,
                "fingerprint": sha256(f"{key}\n{seen[key]}".encode()).hexdigest(),
                "severity": "major" if remark.severity is Severity.ERROR else "minor",
                "location": {"path": remark.file or ".", "lines": {"begin": max(1, remark.line)}},
            }
        )
    return found


def junit(report: Report) -> str:
    """A JUnit report: a case for each file with a remark, and one for each good file of specs."""
    by_file: dict[str, list[Remark]] = {path: [] for path in report.files}
    for remark in report.remarks:
        by_file.setdefault(remark.file or ".", []).append(remark)
    failures = sum(any(_is_error(remark) for remark in found) for found in by_file.values())
    counts = {"tests": str(len(by_file)), "failures": str(failures)}
    top = ET.Element("testsuites", counts)
    suite = ET.SubElement(top, "testsuite", {"name": "otto ci validate", "errors": "0", **counts})
    for path, found in sorted(by_file.items()):
        case = ET.SubElement(
            suite, "testcase", {"classname": "otto", "name": clean(path), "file": clean(path)}
        )
        _told(case, [remark for remark in found if _is_error(remark)], "failure")
        _told(case, [remark for remark in found if not _is_error(remark)], "system-out")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(top, encoding="unicode")}\n'


def _is_error(remark: Remark) -> bool:
    return remark.severity is Severity.ERROR


def _told(case: ET.Element, found: Sequence[Remark], name: str) -> None:
    if found:
        attributes = {"message": clean(found[0].message)} if name == "failure" else {}
        ET.SubElement(case, name, attributes).text = "\n".join(clean(str(remark)) for remark in found)


def document(report: Report) -> dict[str, object]:
    """What `otto ci validate --json` prints."""
    return {
        "valid": not report.errors,
        "commit": report.commit,
        "base": report.base,
        "files": [*report.files],
        "sites": [*report.sites],
        "remarks": [to_data(remark) for remark in report.remarks],
        "changes": [*report.changes],
        "notes": [*report.notes],
    }
