"""Images: the golden images there are."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from otto.api import answers
from otto.api.access import Reader, unseen
from otto.api.inside import Inside, Within
from otto.api.paging import Key, Paged
from otto.api.problems import Kind
from otto.api.routes.runs import key_of
from otto.model.image import Image
from otto.reconcile import imagedocuments
from otto.reconcile.gallery import Gallery

router = APIRouter(tags=["images"])

Digest = Annotated[
    str,
    Path(description="Digest of an image.", pattern="^sha256:[0-9a-f]{64}$", examples=["sha256:" + "0" * 64]),
]


@router.get(
    "/images",
    name="list_images",
    summary="Golden images, newest first",
    responses=answers.many("ListedImage", "A page of images"),
)
async def images(
    request: Request,
    page: Paged,
    caller: Reader,
    inside: Within,
    name: Annotated[str | None, Query(description="Only images of this name.", max_length=100)] = None,
) -> Response:
    """The golden images there are, with the channels that point at them."""
    del caller
    after = page.after(int, str)
    index = inside.store.images
    found = Gallery(await index.images(name), await index.channels(name), {}, {})
    # Newest first, while keys grow: those behind the cursor have the smaller key.
    ordered = sorted(found.images, key=_key, reverse=True)
    behind = [image for image in ordered if after is None or _key(image) < after][: page.probe]
    shown, following = page.cut(behind, _key)
    items = (answers.encoded(imagedocuments.listed_image(found, image)) for image in shown)
    return answers.listed(request, page, items, following)


@router.get(
    "/images/{digest}",
    name="get_image",
    summary="One golden image",
    responses=answers.one("Image", "The image", Kind.NOT_FOUND),
)
async def image(request: Request, digest: Digest, caller: Reader, inside: Within) -> Response:
    """What `otto images show` shows: what went in, what it holds, how its smoke test went, who uses it.

    Of the sites and hosts that use it, those are named that the caller sees.
    """
    found = await inside.store.images.image(digest)
    if found is None:
        raise unseen(f"image {digest}")
    gallery = await inside.bridge.run(_gallery(inside, found, dict(caller.labels)))
    return answers.document(request, imagedocuments.shown(gallery, found))


async def _gallery(inside: Inside, found: Image, labels: dict[str, str]) -> Gallery:
    """Who uses an image, by what the controller has in memory."""
    controller = inside.controller
    specs = {
        site: spec
        for site, spec in controller.fleet.specs_in_force().items()
        if labels.items() <= spec.labels.items()
    }
    runs_on = {
        host.name: host.image
        for site, host in controller.reconciler.sentinel.hosts()
        if host.image and (not labels or site in specs)
    }
    return Gallery((found,), await inside.store.images.channels(found.name), specs, runs_on)


def _key(image: Image) -> Key:
    return key_of(_at(image), image.digest)


def _at(image: Image) -> datetime:
    return image.built_at
