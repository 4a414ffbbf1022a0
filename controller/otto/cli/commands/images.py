"""`otto images`: the golden images there are; what holds one, and what differs between two."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import naming, options
from otto.cli.commands import imagebuild, imagechannels, imageprune
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from otto.model.image import Image
    from otto.reconcile.gallery import Gallery

app = typer.Typer(
    help="Golden images: build, list, compare, promote, revoke.", no_args_is_help=True, rich_markup_mode=None
)
app.command("build")(imagebuild.build)


@app.command("list")
def list_images(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Images of this name alone.")] = None,
    *,
    json: options.Json = False,
) -> None:
    """List golden images, newest first: channels, providers, and how many sites and hosts use each."""
    invocation = Invocation.of(context)
    found = run(_gallery(invocation))
    images = [image for image in found.images if name in (None, image.name)]
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or tables)
        from otto.reconcile import imagedocuments  # noqa: PLC0415

        documents.write(invocation.out, imagedocuments.listed(found, images))
        return
    if not images:
        what = f"no image is called {name}" if name and found.images else "there are no images"
        invocation.out.print(f"{what}; to build some: otto images build", soft_wrap=True)
        return
    from otto.cli import imagepages  # noqa: PLC0415

    invocation.out.print(imagepages.listed(found, images, invocation.now()))


@app.command("show")
def show(
    context: typer.Context,
    image: options.Image,
    *,
    packages: Annotated[bool, typer.Option("--packages", help="Its packages, too.")] = False,
    sbom: Annotated[bool, typer.Option("--sbom", help="Print its CycloneDX document instead.")] = False,
    json: options.Json = False,
) -> None:
    """Show one image: where it comes from, who uses it, and how its smoke test went.

    Hosts are those that the states of the sites hold; one that OttO does not know of is not among them.
    """
    invocation = Invocation.of(context)
    found = run(_gallery(invocation))
    chosen = found.pick(image)
    if sbom:
        _print_sbom(invocation, chosen)
        return
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or tables)
        from otto.reconcile import imagedocuments  # noqa: PLC0415

        documents.write(invocation.out, imagedocuments.shown(found, chosen))
        return
    from otto.cli import imagepages  # noqa: PLC0415

    for table in imagepages.shown(found, chosen, invocation.now()):
        invocation.out.print(table)
    if packages:
        invocation.out.print(imagepages.packages(chosen))


def _print_sbom(invocation: Invocation, image: "Image") -> None:
    import json  # noqa: PLC0415  (the option is called so, too)

    from otto.cli import documents  # noqa: PLC0415
    from otto.model.image import short_id  # noqa: PLC0415

    if not image.sbom:
        message = f"no CycloneDX document is kept of image {image.name} {short_id(image.digest)}"
        raise UsageError(message, mend=f"otto images build {image.name}")
    documents.write(invocation.out, json.loads(image.sbom))


@app.command("diff")
def diff(
    context: typer.Context,
    before: options.Image,
    after: options.Image,
    *,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 4 when they differ.")] = False,
    json: options.Json = False,
) -> None:
    """Show what differs between two images: what they were built from, packages, files."""
    invocation = Invocation.of(context)
    found = run(_gallery(invocation))
    first, second = found.pick(before), found.pick(after)
    from otto.decide.imagediff import difference  # noqa: PLC0415  (not for --help)

    differs = difference(first, second)
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or lines)
        from otto.reconcile import imagedocuments  # noqa: PLC0415

        documents.write(invocation.out, imagedocuments.differing(first, second, differs))
    elif differs:
        from otto.cli import imagepages  # noqa: PLC0415

        for line in imagepages.differing(differs):
            invocation.out.print(line, soft_wrap=True)
    else:
        invocation.out.print("they differ in nothing that is known of them")
    if differs and exit_code:
        raise typer.Exit(Exit.DIFFERENT)


async def _gallery(invocation: Invocation) -> "Gallery":
    from otto.reconcile.gallery import gallery  # noqa: PLC0415  (not for --help)

    async with naming.reading_store(invocation) as store:
        return await gallery(store)


app.command("promote")(imagechannels.promote)
app.command("revoke")(imagechannels.revoke)
app.command("prune")(imageprune.prune)
