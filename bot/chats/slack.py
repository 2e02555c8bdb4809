"""Slack, as it is configured; the adapter itself is in `slack_chat`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from bot.chats.roles import Roles
from bot.fields import Model, Secret
from bot.ports import Chat, Clock


class SlackConnection(Model):
    """A Slack workspace, through an app made from `tocsin slack-manifest`."""

    kind: Literal["slack"]
    bot_token: Secret
    """The bot user's OAuth token, `xoxb-...`."""
    app_token: Secret | None = None
    """The app-level token with `connections:write`, `xapp-...`, for Socket Mode: needs no way in from outside."""
    signing_secret: Secret | None = None
    """The app's signing secret, in place of `app_token`, where Slack is to call `/chats/NAME` on this machine; see
    `tocsin slack-manifest --url`. With neither of the two nobody can command or press buttons."""
    api_url: Annotated[str, AfterValidator(lambda url: url.rstrip("/") + "/")] = "https://slack.com/api/"
    """Where the Web API is; for a proxy, or for tests."""
    roles: Annotated[Roles, BeforeValidator(lambda v: {} if v is None else v)] = Roles()
    """Who may do what, by user groups (S0123ABCD) or people (U0123ABCD). With none, everybody may do everything."""
    pin: bool = True
    """Pin the message of an incident while it lives."""
    broadcast: bool = True
    """Show loud lines in the channel too, not in the thread alone."""
    short_commands: bool = True
    """Answer to /status and /report besides /incident."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.app_token and self.signing_secret:
            raise ValueError(
                "app_token is for Socket Mode, signing_secret for an app that calls us; Slack does one of the two"
            )
        if self.signing_secret is not None and not self.signing_secret.reveal().strip():
            raise ValueError("signing_secret is empty; set the variable or fill the file that it comes from")
        return self

    def connect(self, name: str, clock: Clock) -> Chat:
        """A chat that is not connected yet; `name` is the connection's name in the config."""
        # The library takes a third of a second, which nobody pays who has no Slack.
        from bot.chats.slack_chat import SlackChat  # noqa: PLC0415

        return SlackChat(self, name, clock)


PLUGIN = SlackConnection
