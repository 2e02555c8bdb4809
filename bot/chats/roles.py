"""Who may do what in a chat, by the roles and groups that the chat itself knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field

from bot.core.rights import RIGHTS
from bot.fields import Model

_ID = Annotated[str, BeforeValidator(lambda v: str(v) if type(v) is int else v), Field(pattern=r"^[A-Za-z0-9]{1,40}$")]
_IDS = Annotated[
    list[_ID],
    BeforeValidator(lambda v: v if isinstance(v, list) else [v]),
    Field(json_schema_extra={"type": ["string", "integer", "array"]}),
]


class Roles(Model):
    """Ids of roles (Discord), user groups (Slack) or single people, by right. Each right holds those before it.

    With none at all, everybody may do everything. With any, who holds no role may look and report, and change nothing.
    """

    read: _IDS = Field(default_factory=list)
    """Who may look. Everybody, if not said."""
    report: _IDS = Field(default_factory=list)
    """Who may report a problem. Everybody who may look, if not said."""
    act: _IDS = Field(default_factory=list)
    """Who may acknowledge, note, mute, declare, merge and resolve."""
    admin: _IDS = Field(default_factory=list)
    """Who may also plan maintenance, see the config, run tests and build threads again."""

    def ids(self) -> Mapping[str, Sequence[str]]:
        """The ids by right."""
        return {right: getattr(self, right) for right in RIGHTS}
