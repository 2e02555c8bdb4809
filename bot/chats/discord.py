"""Discord, as it is configured; the adapter itself is in `discord_chat`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from bot.chats.roles import Roles
from bot.fields import Model, Secret
from bot.ports import Chat, Clock

_Snowflake = Annotated[str, BeforeValidator(lambda v: str(v) if type(v) is int else v), Field(pattern=r"^\d+$")]
_Guilds = Annotated[list[_Snowflake], BeforeValidator(lambda v: v if isinstance(v, list) else [v])]
_Key = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]


class DiscordConnection(Model):
    """A Discord bot. `tocsin discord-invite CLIENT_ID` prints the link that adds it to a server."""

    kind: Literal["discord"]
    token: Secret
    """The bot's token, from the developer portal under Bot."""
    guild: _Guilds = Field(min_length=1, json_schema_extra={"type": ["string", "integer", "array"]})
    """The id of the server whose people may use the commands, or a list of them."""
    api_url: str = "https://discord.com"
    """Where the REST API lives; another address is for a proxy that keeps rate limits, and for tests."""
    gateway_url: str = "wss://gateway.discord.gg"
    """Where the gateway lives."""
    roles: Annotated[Roles, BeforeValidator(lambda v: {} if v is None else v)] = Roles()
    """Who may do what, by the ids of roles or people. With none, everybody may do everything."""
    public_key: _Key | None = None
    """The application's public key, where Discord is to call `/chats/NAME` on this machine instead of speaking over the
    gateway: set https://HOST/chats/NAME as Interactions Endpoint URL. Without it no way in from outside is needed."""
    pin: bool = True
    """Pin the message of an incident while it lives. Discord tells the channel of each pin."""
    short_commands: bool = True
    """Offer `/status` and `/report` beside `/incident status` and `/incident report`."""

    def connect(self, name: str, clock: Clock) -> Chat:
        """A chat that is not connected yet; `name` is the connection's name in the config."""
        # The library takes 20 MB and a third of a second, which nobody pays who has no Discord.
        from bot.chats.discord_chat import DiscordChat  # noqa: PLC0415

        return DiscordChat(self, name, clock)


PLUGIN = DiscordConnection
