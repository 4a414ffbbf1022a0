"""Which images there are, what each is made of, and the digest that names all of it."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from otto.model.canonical import digest
from otto.model.errors import UsageError
from otto.model.image import Build
from otto.model.spec import Provider

# Below the folder of templates; `plugins` is left out of digests: it says which Packer, not what is built.
COMMON, PLUGINS, SCRIPTS = "common", "plugins", "scripts"
# Variables that the builder sets itself. All others may be set by whoever builds, as PKR_VAR_NAME.
OWN = frozenset({"ansible", "digest", "images", "lab_base", "lab_run", "owner", "parts"})
_DECLARED = re.compile(r'^variable "([a-z_]+)"', re.MULTILINE)
ENVIRONMENT = "PKR_VAR_"


@dataclass(frozen=True, slots=True)
class Recipe:
    """An image.

    Attributes:
        name: its name, and its folder's.
        roles: of Ansible's, those that run in it.
        size: of the host it is tried on.
        parent: the image it is made of, "" for the provider's plain system.
        controller: whether OttO itself is in it.
        lab: whether a lab is in it, with its base image: a host of it makes containers of its own.
    """

    name: str
    roles: tuple[str, ...]
    size: str = "small"
    parent: str = ""
    controller: bool = False
    lab: bool = False


RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("nginx", ("base", "nginx")),
        Recipe("haproxy", ("base", "haproxy")),
        Recipe("otto", ("base",), size="large", controller=True),
        Recipe("clowd", ("base",), size="large", parent="otto", controller=True, lab=True),
    )
}


def chosen(names: Sequence[str]) -> tuple[Recipe, ...]:
    """Recipes by name, all for none, each after the one it is made of.

    Raises:
        UsageError: there is no image of that name.
    """
    ordered: dict[str, Recipe] = {}
    for name in names or tuple(RECIPES):
        for recipe in reversed(tuple(_ancestry(name))):
            ordered.setdefault(recipe.name, recipe)
    return tuple(ordered.values())


def _ancestry(name: str) -> Iterator[Recipe]:
    while name:
        recipe = RECIPES.get(name)
        if recipe is None:
            raise UsageError(f"there is no image {name!r}", mend=f"one of: {', '.join(RECIPES)}")
        yield recipe
        name = recipe.parent


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What images are made of, besides their templates.

    Attributes:
        templates: the folder `images`.
        roles: role -> digest of its files.
        base: reference of the lab's base image.
        variables: values of the templates' variables that somebody set, by name.
        controller: digest of OttO itself and what it drives, for images that hold it; asked for when needed.
    """

    templates: Path
    roles: Mapping[str, str]
    base: str
    variables: Mapping[str, str]
    controller: Callable[[], str] = str


def builds(recipes: Sequence[Recipe], provider: Provider, given: Ingredients) -> tuple[Build, ...]:
    """What building these would take in; recipes are in order, parents first.

    The digest is the same at every provider: it names what goes in, wherever it is put together.
    """
    made: dict[str, Build] = {}
    controller = ""
    for recipe in recipes:
        parent = made[recipe.parent].digest if recipe.parent else given.base
        inputs = {
            "template": _template(given.templates, recipe.name),
            "roles": digest({role: given.roles.get(role, "") for role in recipe.roles}),
            "base": parent,
            "variables": digest(given.variables),
        }
        if recipe.controller:
            inputs["controller"] = controller = controller or given.controller()
        named = f"sha256:{digest({'name': recipe.name, **inputs})}"
        made[recipe.name] = Build(recipe.name, provider.value, named, inputs, parent)
    return tuple(made.values())


def declared(templates: Path) -> frozenset[str]:
    """Names of the variables that whoever builds may set."""
    text = (templates / COMMON / "variables.pkr.hcl").read_text(encoding="utf-8")
    return frozenset(_DECLARED.findall(text)) - OWN


def set_in(environ: Mapping[str, str], templates: Path) -> dict[str, str]:
    """Variables of the templates that an environment sets, by name."""
    names = ((name, ENVIRONMENT + name) for name in sorted(declared(templates)))
    return {name: environ[variable] for name, variable in names if variable in environ}


def _template(top: Path, name: str) -> str:
    """Digest of an image's template: what all share, its own, and the scripts that it runs."""
    own = (top / name / f"{name}.pkr.hcl").read_text(encoding="utf-8")
    files = [
        path for folder in (COMMON, name) for path in sorted((top / folder).rglob("*")) if path.is_file()
    ]
    scripts = [path for path in sorted((top / SCRIPTS).iterdir()) if f'/{SCRIPTS}/{path.name}"' in own]
    summed = hashlib.sha256()
    for path in (*files, *scripts):
        told = str(path.relative_to(top)).encode()
        summed.update(told + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return summed.hexdigest()
