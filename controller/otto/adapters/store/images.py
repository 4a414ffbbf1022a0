"""Port `ImageIndex` over a database."""

import uuid
from dataclasses import replace

from sqlalchemy import Connection, Select, delete, select

from otto.adapters.store import schema, writing
from otto.adapters.store.database import Database, decoded
from otto.adapters.store.schema import microseconds
from otto.model.canonical import canonical
from otto.model.image import Channel, Image, ImageName

_VERSION = "images.version"


class SqlImages:
    """The golden images there are, in a database; `open_store` makes one, as `images` of its store.

    Every method is one short transaction of `Database`. All raise what
    `otto.adapters.store.errors.translated` does.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> str:
        """Names what the index holds: another one after every change."""
        chosen = select(schema.notes.c.value).where(schema.notes.c.key == _VERSION)
        return await self._database.read(lambda connection: connection.execute(chosen).scalar()) or ""

    async def add(self, image: Image) -> None:
        """Keep an image, beside what the index has of its digest."""

        def keep(connection: Connection) -> None:
            _keep(connection, image.beside(_known(connection, image.digest)))

        await self._database.write(keep)

    async def revoke(self, digest: str, reason: str) -> None:
        """Say why an image must not be used any more; "" takes that back. An unknown one is left alone."""

        def revoke(connection: Connection) -> None:
            known = _known(connection, digest)
            if known is not None:
                _keep(connection, replace(known, revoked=reason))

        await self._database.write(revoke)

    async def image(self, digest: str) -> Image | None:
        """An image by its digest."""
        found = await self._database.few_values(Image, _of(digest))
        return found[0] if found else None

    async def images(self, name: str | None = None) -> tuple[Image, ...]:
        """All images, or those of a name, newest first."""
        columns = schema.images.c
        chosen = _images() if name is None else _images().where(columns.name == name)
        ordered = chosen.order_by(columns.built_at.desc(), columns.digest.desc())
        return await self._database.values(Image, ordered)

    async def drop(self, digest: str) -> None:
        """Take an image out of the index; not there already is fine."""
        gone = delete(schema.images).where(schema.images.c.digest == digest)

        def drop(connection: Connection) -> None:
            connection.execute(gone)
            _changed(connection)

        await self._database.write(drop)

    async def point(self, channel: Channel) -> None:
        """Have a channel point at an image."""
        row = {
            "image": channel.image,
            "name": channel.name,
            "digest": channel.digest,
            "data": canonical(channel),
        }

        def point(connection: Connection) -> None:
            writing.put(connection, schema.channels, [row])
            _changed(connection)

        await self._database.write(point)

    async def channels(self, name: str | None = None) -> tuple[Channel, ...]:
        """All channels, or those of an image's name, sorted by image and name."""
        columns = schema.channels.c
        chosen = select(columns.name, columns.data)
        if name is not None:
            chosen = chosen.where(columns.image == name)
        found = await self._database.values(Channel, chosen)
        return tuple(sorted(found, key=lambda channel: (channel.image, channel.name)))

    async def find(self, name: ImageName) -> Image | None:
        """The image that a name stands for; None when there is none."""
        images, channels = schema.images.c, schema.channels.c
        if name.digest:
            chosen = _of(name.digest)
        else:
            pointed = select(channels.digest).where(
                channels.image == name.name, channels.name == name.channel
            )
            chosen = _images().where(images.digest == pointed.scalar_subquery())
        found = await self._database.values(Image, chosen.where(images.name == name.name))
        return found[0] if found else None


def _images() -> Select[str, str]:
    return select(schema.images.c.digest, schema.images.c.data)


def _of(digest: str) -> Select[str, str]:
    return _images().where(schema.images.c.digest == digest)


def _known(connection: Connection, digest: str) -> Image | None:
    """The image as it is kept; nobody changes it before this transaction's end."""
    writing.take_turn(connection)
    found = decoded(Image, connection.execute(_of(digest)).all())
    return found[0] if found else None


def _keep(connection: Connection, image: Image) -> None:
    writing.put(connection, schema.images, [_row(image)])
    _changed(connection)


def _row(image: Image) -> writing.Row:
    return {
        "digest": image.digest,
        "name": image.name,
        "built_at": microseconds(image.built_at),
        "data": canonical(image),
    }


def _changed(connection: Connection) -> None:
    """Give the index another version; chance, so that no two writers ever agree on one."""
    writing.put(connection, schema.notes, [{"key": _VERSION, "value": uuid.uuid4().hex}])
