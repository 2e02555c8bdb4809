"""The easel with its real helper process and the real renderer."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot import easel as room
from bot.core.chart import svg
from bot.core.model import Picture
from bot.easel import Easel
from bot.easel.brush import paint
from bot.ports import Refused, Retry

PICTURE = Picture(
    service="twitter",
    name="Twitter",
    start=datetime(2022, 11, 4, tzinfo=UTC),
    step=timedelta(minutes=15),
    counts=(1, 2, 3, 50, 4),
)
BLANK = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">{}</svg>'


@pytest_asyncio.fixture
async def easel() -> AsyncIterator[Easel]:
    easel = Easel()
    yield easel
    await easel.aclose()


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


def helper(easel: Easel) -> int:
    assert easel._helper is not None
    return easel._helper.pid


async def test_a_chart_becomes_a_png_of_its_own_size(easel: Easel) -> None:
    assert size(await easel.png(svg(PICTURE, width=600, height=240))) == (600, 240)


async def test_no_helper_runs_before_the_first_picture() -> None:
    easel = Easel()
    assert easel._helper is None
    await easel.aclose()


async def test_one_helper_draws_many_pictures_each_the_right_one(easel: Easel) -> None:
    await easel.png(BLANK.format(""))
    first = helper(easel)
    wide = [BLANK.format("").replace("40", str(width)) for width in range(41, 61)]
    sizes = [size(png)[0] for png in await asyncio.gather(*map(easel.png, wide))]
    assert sizes == list(range(41, 61))
    assert helper(easel) == first


async def test_a_helper_that_died_is_replaced_without_a_word(easel: Easel) -> None:
    await easel.png(BLANK.format(""))
    first = helper(easel)
    os.kill(first, signal.SIGKILL)
    assert size(await easel.png(BLANK.format(""))) == (40, 20)
    assert helper(easel) != first


async def test_a_helper_that_hangs_is_a_retry_and_the_next_picture_works(easel: Easel) -> None:
    await easel.png(BLANK.format(""))
    os.kill(helper(easel), signal.SIGSTOP)
    easel._timeout = 0.05
    with pytest.raises(Retry, match=r"within 0\.05 s"):
        await easel.png(BLANK.format(""))
    easel._timeout = 10
    assert size(await easel.png(BLANK.format(""))) == (40, 20)


async def test_a_picture_nobody_waits_for_any_more_is_not_taken_for_the_next(easel: Easel) -> None:
    await easel.png(BLANK.format(""))
    waiting = asyncio.create_task(easel.png(svg(PICTURE)))
    for _ in range(3):
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert size(await easel.png(BLANK.format(""))) == (40, 20)


async def test_what_is_no_svg_is_refused_with_the_renderers_words(easel: Easel) -> None:
    with pytest.raises(Refused, match="not a picture"):
        await easel.png("<svg")
    assert size(await easel.png(BLANK.format(""))) == (40, 20)


async def test_a_helper_that_cannot_start_is_a_retry(easel: Easel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_BRUSH", Path("/nowhere/brush.py"))
    with pytest.raises(Retry, match="died"):
        await easel.png(BLANK.format(""))


async def test_the_helper_leaves_when_its_owner_does(easel: Easel) -> None:
    await easel.png(BLANK.format(""))
    pid = helper(easel)
    await easel.aclose()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_the_helper_gives_way_to_everything_else(easel: Easel) -> None:
    await easel.png(BLANK.format(""))
    assert os.getpriority(os.PRIO_PROCESS, helper(easel)) > os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.parametrize("words", ["Twitter 0123", "Ünïcödé Łódź", "Ελλάδα", "Россия", "10 ≥ 5 → “yes”"])
def test_words_are_drawn_with_the_fonts_we_bring(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FONTCONFIG_FILE", "/nowhere")
    text = f'<text y="15" font-family="system-ui, sans-serif">{words}</text>'
    assert paint(BLANK.format(text)) != paint(BLANK.format(""))
