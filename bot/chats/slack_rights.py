"""What a person may do, by the user groups of the workspace; asked of Slack at most every five minutes."""

from __future__ import annotations

import structlog

from bot.chats.roles import Roles
from bot.chats.slack_web import Web, body, trouble
from bot.core.rights import granted
from bot.ports import Clock, Refused, Retry

log = structlog.get_logger(__name__)

_FRESH = 300.0


class Rights:
    """Groups are those ids that begin with S; any other id stands for one person.

    A group that Slack will not tell has the members it had, or none: doubt is no permission.
    """

    def __init__(self, name: str, web: Web, clock: Clock, roles: Roles) -> None:
        self._name = name
        self._web = web
        self._clock = clock
        self._roles = roles.ids()
        self._groups = sorted({one for ids in self._roles.values() for one in ids if one.startswith("S")})
        self._members: dict[str, frozenset[str]] = {}
        self._asked: dict[str, float] = {}
        self._broken: set[str] = set()

    async def of(self, user: str) -> str:
        """The highest right of a person."""
        held = [user, *[group for group in self._groups if user in await self._in(group)]]
        return granted(self._roles, held)

    async def _in(self, group: str) -> frozenset[str]:
        now = self._clock.monotonic()
        if group not in self._asked or now - self._asked[group] > _FRESH:
            self._asked[group] = now
            await self._ask(group)
        return self._members.get(group, frozenset())

    async def _ask(self, group: str) -> None:
        try:
            with trouble(f"user group {group}"):
                found = body(await self._web.client.usergroups_users_list(usergroup=group))
        except (Retry, Refused) as exc:
            del self._asked[group]
            if group not in self._broken:
                self._broken.add(group)
                log.warning("slack_group_unknown", chat=self._name, group=group, why=str(exc))
            return
        self._broken.discard(group)
        self._members[group] = frozenset(found.get("users", ()))
