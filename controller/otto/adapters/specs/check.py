"""What `otto validate` does: files and folders on disk, judged as a push of them would be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from otto.adapters.specs.limits import SpecLimits
from otto.adapters.specs.parse import YamlSpecs
from otto.adapters.specs.schema import KINDS
from otto.adapters.specs.text import quoted, safe
from otto.decide.catalogue import assemble
from otto.model.catalogue import SpecFile
from otto.model.problem import Problem
from otto.model.spec import SiteSpec

_SUFFIXES = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True)
class Validation:
    """What was looked at, and what is wrong with it.

    Attributes:
        files: spec files, in order.
        sites: names of the sites that are good.
        problems: every problem, in order of place.
        zones: names of the zones that are good.
    """

    files: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    zones: tuple[str, ...] = ()


def validate_paths(
    paths: Sequence[Path], *, cwd: Path | None = None, limits: SpecLimits | None = None
) -> Validation:
    """Validate files and folders together.

    A folder is searched to the bottom for `*.yaml` and `*.yml`, hidden names left out; one that holds a
    folder `specs` and a folder `.git` or `sites` is a spec repository, and only its `specs` is searched.
    `spec.content.path` is looked for in the git repository around the file, else beside the folder `specs`
    that holds it, else from `cwd`.

    Args:
        paths: what to validate; nothing stands for `cwd`.
        cwd: where relative paths begin, and what files are named relative to; the process's by default.
        limits: how much a file may hold.
    """
    cwd = (cwd or Path.cwd()).absolute()
    search = _Search(cwd, limits or SpecLimits())
    for path in paths or [cwd]:
        search.add(cwd / path)
    return search.result()


def to_json(validation: Validation) -> dict[str, object]:
    """The answer of `otto validate --json`.

    `valid` (boolean), `files` (list of names), `sites` and `zones` (names of good ones), `problems` (objects
    with `file`, `line`, `column` (1-based; 0 when the whole file is meant), `pointer` (RFC 6901),
    `message`, and `found`, `allowed`, `mend`, `site`, each "" when there is nothing to say).
    """
    return {
        "valid": not validation.problems,
        "files": list(validation.files),
        "sites": list(validation.sites),
        "zones": list(validation.zones),
        "problems": [asdict(problem) for problem in validation.problems],
    }


class _Search:
    """What was found so far."""

    def __init__(self, cwd: Path, limits: SpecLimits) -> None:
        self._cwd = cwd
        self._limits = limits
        self._specs = YamlSpecs(limits, tuple(KINDS))
        self._files: dict[str, SpecFile] = {}
        self._paths: dict[str, Path] = {}
        self._problems: list[Problem] = []

    def add(self, path: Path) -> None:
        """Look at a path that a person named."""
        if path.is_symlink():
            self._blame(path, "a symbolic link is not followed", mend="name what it leads to")
        elif path.is_dir():
            self._folder(path)
        elif path.is_file():
            self._file(path)
        else:
            self._blame(path, "there is no such file or folder")

    def _folder(self, path: Path) -> None:
        specs = path / "specs"
        repository = specs.is_dir() and ((path / ".git").exists() or (path / "sites").is_dir())
        for found in _walk(specs if repository else path):
            if found.is_symlink():
                if found.suffix in _SUFFIXES or found.is_dir():
                    self._blame(found, "a symbolic link is not followed", mend="put the file itself there")
            elif found.suffix in _SUFFIXES:
                self._file(found)

    def _file(self, path: Path) -> None:
        name = self._name(path)
        if name in self._files:
            return
        try:
            with path.open("rb") as stream:
                data = stream.read(self._limits.size + 1)
        except OSError as error:
            self._blame(path, f"this file cannot be read: {error.strerror}")
            return
        self._files[name] = self._specs.parse(name, data)
        self._paths[name] = path

    def _name(self, path: Path) -> str:
        resolved = path.absolute()
        return str(resolved.relative_to(self._cwd)) if resolved.is_relative_to(self._cwd) else str(resolved)

    def _blame(self, path: Path, message: str, *, mend: str = "") -> None:
        self._problems.append(Problem(safe(self._name(path), 200), 0, 0, "", message, mend=mend))

    def result(self) -> Validation:
        """All files judged together."""
        catalogue = assemble("", self._files)
        problems = {*self._problems, *catalogue.loose, *self._missing_content(catalogue.sites)}
        told_of = (*catalogue.problems.values(), *catalogue.host_problems.values())
        problems |= {problem for found in told_of for problem in found}
        # A file's own problem also holds back the sites that were in it; here it is told once.
        loose = {(problem.file, problem.line, problem.column, problem.message) for problem in catalogue.loose}
        told = [
            problem
            for problem in problems
            if not problem.site or (problem.file, problem.line, problem.column, problem.message) not in loose
        ]
        bad = {problem.site for problem in told}
        good = tuple(sorted(name for name in catalogue.sites if name not in bad))
        zones = tuple(sorted(name for name in catalogue.domains if name not in bad))
        return Validation(tuple(sorted(self._files)), good, tuple(sorted(told)), zones)

    def _missing_content(self, sites: Mapping[str, SiteSpec]) -> Iterator[Problem]:
        for spec in sites.values():
            if spec.content.git:
                continue
            top = _repository(self._paths[spec.file]) or self._cwd
            what = _wrong(top, spec.content.path)
            if what:
                yield Problem(
                    safe(spec.file, 200),
                    spec.line,
                    1,
                    "/spec/content/path",
                    f"the content folder {what}",
                    found=quoted(spec.content.path),
                    mend="write the path from the top of the repository",
                    site=spec.name,
                )


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        else:
            yield path


def _repository(path: Path) -> Path | None:
    """The top of the git repository around a file; outside of one, the folder that holds `specs`."""
    around = path.absolute().parents
    repository = next((folder for folder in around if (folder / ".git").exists()), None)
    return repository or next((folder.parent for folder in around if folder.name == "specs"), None)


def _wrong(top: Path, path: str) -> str:
    """What is wrong with a content folder, "" when nothing is."""
    step = top
    for part in PurePosixPath(path).parts:
        step = step / part
        if step.is_symlink():
            return "lies behind a symbolic link"
    if not step.exists():
        return "is not there"
    return "" if step.is_dir() else "is not a folder"
