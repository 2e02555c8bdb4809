"""What the web is given: the rooms it may ask, behind their doors, and a few pure functions that draw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core.model import Picture, Policy
from bot.ports import Board, Clock, Desk, Forgetting, Hearing, Intake, Letter, Missing, Vantages, Word
from bot.web.access import Access
from bot.web.metrics import Metrics


class Chart(Protocol):
    """Draws a day of one service."""

    def __call__(self, picture: Picture, *, width: int, height: int, theme: str) -> str:
        """A whole SVG document; `theme` is `light` or `dark`."""
        ...


async def _no_letters() -> Sequence[Mapping[str, str]]:
    return ()


async def _no_retry(_: str) -> int:
    return 0


async def no_call(chat: str, _: Letter) -> Word:
    """What is heard at a door where no platform calls."""
    raise Missing(f"no platform calls {chat!r} here; set signing_secret or public_key under chats.{chat} in the config")


@dataclass(frozen=True, kw_only=True)
class House:
    """Everything `site` needs. `key` is a lasting secret that seals forms, so that they outlive a restart.

    `policy` is the common one: the order of levels, and so their colours. `ready` answers named conditions, each with the word `ok` or
    with what is wrong. `notices` are what ails the house itself, by
    subject, for its front page. `letters` are what channels refused for good, and `retry` tries those of one again, or of all (empty). `call` hands a platform's call to a chat. `spark` draws a small inline SVG, `png` turns an SVG into a picture.
    """

    board: Board
    desk: Desk
    intake: Intake
    forgetting: Forgetting
    hearing: Hearing
    vantages: Vantages
    clock: Clock
    access: Access
    key: bytes
    public_url: str
    policy: Policy
    ready: Callable[[], Mapping[str, str]]
    chart: Chart
    spark: Callable[[Picture], str]
    png: Callable[[str], Awaitable[bytes]]
    metrics: Metrics
    notices: Callable[[], Mapping[str, str]] = dict
    letters: Callable[[], Awaitable[Sequence[Mapping[str, str]]]] = _no_letters
    retry: Callable[[str], Awaitable[int]] = _no_retry
    call: Callable[[str, Letter], Awaitable[Word]] = no_call
