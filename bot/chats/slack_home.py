"""The app's home tab: the live board, for those who looked at it within the hour."""

from __future__ import annotations

from collections import OrderedDict

import structlog

from bot.chats.slack_blocks import Block, home_view
from bot.chats.slack_rights import Rights
from bot.chats.slack_web import Web, trouble
from bot.core.model import Button, Person, Request
from bot.ports import Clock, Desk, Refused, Retry

log = structlog.get_logger(__name__)

_EVERY = 15.0
_LOOKING = 3_600.0
_MOST = 50
_BUTTONS = (
    Button(verb="report", label="Report a problem", style="primary"),
    Button(verb="declare", label="Declare an incident"),
    Button(verb="help", label="Help"),
)


class Home:
    """Published when somebody opens it, and again when what it says has changed."""

    def __init__(self, name: str, web: Web, desk: Desk, clock: Clock, rights: Rights) -> None:
        self._name = name
        self._web = web
        self._desk = desk
        self._clock = clock
        self._rights = rights
        self._viewers: OrderedDict[str, float] = OrderedDict()
        self._shown: dict[str, Block] = {}

    async def opened(self, user: str) -> None:
        """Show it to somebody who has just come."""
        self._viewers[user] = self._clock.monotonic()
        self._viewers.move_to_end(user)
        if len(self._viewers) > _MOST:
            gone, _ = self._viewers.popitem(last=False)
            self._shown.pop(gone, None)
        await self._publish(user)

    async def run(self) -> None:
        """Keep it true for those who look, for ever."""
        while True:
            await self._clock.sleep(_EVERY)
            for user, since in list(self._viewers.items()):
                if self._clock.monotonic() - since > _LOOKING:
                    del self._viewers[user]
                    self._shown.pop(user, None)
                else:
                    await self._publish(user)

    async def _publish(self, user: str) -> None:
        try:
            view = await self._view(user)
            if view == self._shown.get(user):
                return
            with trouble("the home tab"):
                await self._web.client.views_publish(user_id=user, view=view)
            self._shown[user] = view
        except (Retry, Refused) as exc:
            log.warning("slack_home_not_shown", chat=self._name, why=str(exc))

    async def _view(self, user: str) -> Block:
        right = await self._rights.of(user)
        who = Person(chat=self._name, id=user, name=user)
        asked = (Request(verb=verb, who=who, right=right) for verb in ("status", "list"))
        return home_view([await self._desk.answer(request) for request in asked], _BUTTONS)
