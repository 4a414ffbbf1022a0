"""Which file a request is answered with, by the rules of the role nginx (its template nginx.conf.j2)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ERROR_PAGE = "404.html"
REVISION = ".well-known/otto-revision"
_HIDDEN = re.compile(r"/\.(?!well-known/)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gets.

    Attributes:
        file: the file it is answered with, "" for none.
        why: why there is none, in words.
        folder: whether the address names a folder and lacks its `/`: the page comes, but its own relative
            links are taken from one folder higher.
    """

    file: str = ""
    why: str = ""
    folder: bool = False


class Served:
    """A site's files as they are served.

    Args:
        names: paths of all files.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._files = frozenset(names)
        self._folders = {"", *(folder for name in self._files for folder in _ancestors(name))}

    def answer(self, path: str) -> Answer:
        """What a request for a path gets.

        Args:
            path: absolute, `%XX` read and dot segments taken out already.
        """
        path = re.sub(r"/{2,}", "/", path)  # merge_slashes is on
        if path == f"/{REVISION}":
            return Answer(REVISION)
        if path == f"/{ERROR_PAGE}":
            return Answer(why=f"/{ERROR_PAGE} is shown for what is missing, and to nobody who asks for it")
        if _HIDDEN.search(path):
            return Answer(why="what begins with a dot is not served")
        # try_files $uri $uri/ $uri.html: a folder goes before a file with .html at its end.
        name = path[1:]
        if name in self._files:
            return Answer(name)
        if name.rstrip("/") in self._folders:
            return self._folder(name.rstrip("/"), bare=bool(name) and not name.endswith("/"))
        return self._page(name)

    def _folder(self, folder: str, *, bare: bool) -> Answer:
        index = f"{folder}/index.html" if folder else "index.html"
        if index in self._files:
            return Answer(index, folder=bare)
        return Answer(why="that folder has no index.html, and folders are not listed")

    def _page(self, name: str) -> Answer:
        if f"{name}.html" in self._files and not name.endswith("/"):
            return Answer(f"{name}.html")
        near = next((file for file in self._near(name) if file in self._files), "")
        return Answer(why=f"there is no such file; {near} is near" if near else "there is no such file")

    def _near(self, name: str) -> Iterable[str]:
        bare = name.rstrip("/")
        yield from (bare, f"{bare}.html", bare.lower(), f"{bare.lower()}.html", f"{bare.lower()}/index.html")


def _ancestors(name: str) -> Iterable[str]:
    folder = name.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
