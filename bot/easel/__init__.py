"""Pictures: SVG to PNG in a helper process, because drawing would hold up everything else for a tenth of a second."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import structlog

from bot.ports import Refused, Retry

_BRUSH = Path(__file__).with_name("brush.py")
_log = structlog.get_logger()


class Easel:
    """Draws one picture at a time. The helper starts with the first picture, and again whenever it is found dead."""

    def __init__(self, *, timeout: float = 10.0) -> None:
        self._timeout = timeout
        self._turn = asyncio.Lock()
        self._helper: Process | None = None
        self._broken = False

    async def png(self, svg: str) -> bytes:
        """The picture in its own size, as PNG.

        Raises:
            Retry: the helper hung or died twice in a row.
            Refused: this is not a picture; the message is the renderer's own.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(
                    self._timeout
                ):  # not wait_for, which can swallow a cancellation in Python 3.11
                    drawn, body = await self._draw(svg.encode())
            except TimeoutError as exc:
                await self._dismiss()
                raise self._trouble(f"the chart was not drawn within {self._timeout:g} s") from exc
            except OSError as exc:
                await self._dismiss()
                raise self._trouble(f"the chart could not be drawn: {exc}") from exc
            except asyncio.CancelledError:
                # An answer nobody waits for would be taken for the next picture.
                await self._dismiss()
                raise
        self._recovered()
        if not drawn:
            raise Refused(f"the chart is not a picture: {body.decode()}")
        return body

    async def aclose(self) -> None:
        """Send the helper home."""
        async with self._turn:
            await self._dismiss()

    async def _draw(self, svg: bytes) -> tuple[bool, bytes]:
        """Ask the helper; one that went away while idle is replaced without a word."""
        try:
            return await self._ask(svg)
        except (asyncio.IncompleteReadError, ConnectionError):
            await self._dismiss()
        try:
            return await self._ask(svg)
        except asyncio.IncompleteReadError as exc:
            raise OSError("the helper died while drawing") from exc

    async def _ask(self, svg: bytes) -> tuple[bool, bytes]:
        helper = self._helper or await self._start()
        assert helper.stdin is not None  # noqa: S101  both are pipes, see _start
        assert helper.stdout is not None  # noqa: S101
        helper.stdin.write(len(svg).to_bytes(4, "big") + svg)
        await helper.stdin.drain()
        head = await helper.stdout.readexactly(5)
        return head[0] == 0, await helper.stdout.readexactly(int.from_bytes(head[1:], "big"))

    async def _start(self) -> Process:
        # A session of its own, so that Ctrl-C in the terminal is ours to handle.
        self._helper = await asyncio.create_subprocess_exec(
            sys.executable, "-I", str(_BRUSH), stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        return self._helper

    async def _dismiss(self) -> None:
        helper, self._helper = self._helper, None
        if helper is None:
            return
        if helper.returncode is None:
            helper.kill()
        # Reads the pipes to their end, which is what lets go of them.
        await helper.communicate()

    def _trouble(self, why: str) -> Retry:
        if not self._broken:
            _log.warning("charts_fail", why=why)
        self._broken = True
        return Retry(why)

    def _recovered(self) -> None:
        if self._broken:
            _log.info("charts_work_again")
        self._broken = False
