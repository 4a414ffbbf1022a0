"""Content is looked through as its spec says, and kept back where the spec says so."""

from dataclasses import replace

import pytest

from otto.model.errors import TerminalError
from otto.model.inspection import Validation
from otto.model.spec import Content, SiteSpec
from otto.reconcile.validation import validated
from otto.testing import MemorySource, site_spec

BROKEN = {"sites/acme/index.html": "<!doctype html><title>t</title>\n<a href=gone>x</a><a href=lost>y</a>"}


def spec(validate: Validation) -> SiteSpec:
    return replace(site_spec("acme"), content=Content("sites/acme", validate=validate))


async def tree(source: MemorySource, wish: SiteSpec) -> str:
    return await source.content(source.commit(BROKEN), wish.content)


async def test_broken_content_is_kept_back_where_the_spec_says_so() -> None:
    source, wish = MemorySource(), spec(Validation.ERROR)
    with pytest.raises(TerminalError) as caught:
        await validated(source, wish, await tree(source, wish))
    assert "index.html:2" in caught.value.message
    assert "(and 1 more)" in caught.value.message
    assert "lost" in caught.value.detail
    assert "spec.content.validate" in caught.value.mend


async def test_it_is_told_of_by_default() -> None:
    source, wish = MemorySource(), spec(Validation.WARN)
    assert Content("x").validate is Validation.WARN
    assert (await validated(source, wish, await tree(source, wish))).errors == 2


async def test_it_is_not_looked_for_where_nobody_wants_to_know() -> None:
    source, wish = MemorySource(), spec(Validation.IGNORE)
    source.failures.always("inspect", TerminalError("looked"))
    assert (await validated(source, wish, await tree(source, wish))).findings == ()
