"""What people do in Slack, told to the desk, and the desk's answers told to them alone.

Payload shapes: https://docs.slack.dev/interactivity (slash commands, block actions, view submissions) and
https://docs.slack.dev/reference/events/app_mention.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from bot.chats.slack_blocks import answer_message, note_form, report_form
from bot.chats.slack_web import Web, body, trouble
from bot.core.model import Answer, Person, Request
from bot.ports import Desk, Place, Refused, Retry

log = structlog.get_logger(__name__)

# The slash commands and events that are heard, and the scopes that needs; the app manifest is made from these.
# A command's value is the verb it is short for.
COMMANDS: Mapping[str, str] = {"/incident": "", "/status": "status", "/report": "report"}
EVENTS = frozenset({"app_mention"})
SCOPES = frozenset({"commands", "app_mentions:read"})

_MENTION = re.compile(r"<@[^>]*>")
_CHOICES = (
    ("service", "What has the problem?"),
    ("symptom", "What do you see?"),
    ("platform", "Where do you use it?"),
    ("region", "Which country or region are you in?"),
)
_SORRY = Answer(lines=(("That did not work just now. Nothing was changed; please try again in a minute.",),), ok=False)


class _Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Where an answer goes: to the address that came with the question, else to the person in the channel."""

    channel: str = ""
    user: str = ""
    thread: str = ""
    url: str = ""


class _Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a form carries while a person fills it in."""

    verb: str
    incident: str = ""
    spot: _Spot = _Spot()


class People:
    """The ear and the voice. `incident_of` names the incident whose thread hangs under a message."""

    def __init__(
        self,
        name: str,
        web: Web,
        desk: Desk,
        places: Sequence[Place],
        incident_of: Callable[[str, str], Awaitable[str]],
        *,
        short: bool,
    ) -> None:
        self._name = name
        self._web = web
        self._desk = desk
        self._channels = {place.address: place.name for place in places}
        self._incident_of = incident_of
        self._short = short

    async def hear(self, kind: str, payload: dict[str, Any]) -> None:
        """Take one acknowledged envelope; whatever becomes of it, the next one is heard."""
        try:
            await self._heard(kind, payload)
        except (Retry, Refused) as exc:
            log.warning("slack_answer_lost", chat=self._name, why=str(exc))
        except Exception:  # one person's request must not end the listening for all
            log.exception("slack_request_failed", chat=self._name, kind=kind)

    async def _heard(self, kind: str, payload: dict[str, Any]) -> None:
        match kind, payload.get("type", ""):
            case "slash_commands", _:
                await self._command(payload)
            case "interactive", "block_actions":
                await self._press(payload)
            case "interactive", "view_submission":
                await self._submit(payload)
            case "events_api", _ if payload.get("event", {}).get("type") in EVENTS:
                await self._mentioned(payload)

    async def _command(self, payload: dict[str, Any]) -> None:
        command, words = payload["command"], payload.get("text", "").strip()
        spot = _Spot(channel=payload["channel_id"], user=payload["user_id"], url=payload.get("response_url", ""))
        who = self._person(payload["team_id"], payload["user_id"], payload.get("user_name", ""))
        verb = COMMANDS.get(command, "")
        if verb and not self._short:
            await self._say(spot, Answer(lines=((f"This bot listens to /incident {verb} instead.",),), ok=False), "")
        elif verb == "report" and not words:
            await self._show_form(payload["trigger_id"], _Draft(verb=verb, spot=spot))
        elif verb:
            await self._ask(spot, self._request(spot, verb=verb, who=who, target=words))
        else:
            await self._ask(spot, self._request(spot, verb="" if words else "help", who=who, text=words))

    async def _press(self, payload: dict[str, Any]) -> None:
        action, container = payload["actions"][0], payload.get("container", {})
        channel, thread = container.get("channel_id", ""), container.get("thread_ts") or container.get("message_ts", "")
        url = payload.get("response_url", "")
        spot = _Spot(channel=channel, user=payload["user"]["id"], thread=container.get("thread_ts", ""), url=url)
        verb, incident = action["action_id"], action.get("value", "")
        if verb in ("note", "resolve") or (verb == "report" and not incident):
            await self._show_form(payload["trigger_id"], _Draft(verb=verb, incident=incident, spot=spot))
            return
        if not incident and thread and not container.get("is_ephemeral"):
            incident = await self._incident_of(channel, thread)
        await self._ask(spot, self._request(spot, verb=verb, who=self._presser(payload), incident=incident))

    async def _submit(self, payload: dict[str, Any]) -> None:
        view = payload["view"]
        draft = msgspec.json.decode(view["private_metadata"], type=_Draft)
        given = {name: value for block in view["state"]["values"].values() for name, value in _values(block)}
        request = self._request(
            draft.spot,
            verb=draft.verb,
            who=self._presser(payload),
            incident=draft.incident,
            target=given.pop("service", ""),
            **given,
        )
        await self._ask(draft.spot, request)

    async def _mentioned(self, payload: dict[str, Any]) -> None:
        """`@tocsin why` in a thread, where Slack offers no slash commands."""
        event = payload["event"]
        if event.get("bot_id") or not event.get("user"):
            return
        channel, user, thread = event["channel"], event["user"], event.get("thread_ts", "")
        spot = _Spot(channel=channel, user=user, thread=thread)
        words = html.unescape(_MENTION.sub("", event.get("text", ""))).strip()
        incident = await self._incident_of(channel, thread) if thread else ""
        who = self._person(payload.get("team_id", ""), user, await self._user_name(user))
        verb = "" if words else "help"
        await self._ask(spot, self._request(spot, verb=verb, who=who, text=words, incident=incident))

    async def _ask(self, spot: _Spot, request: Request) -> None:
        try:
            answer = await self._desk.answer(request)
        except Exception:  # the person must hear of it, whatever it was
            log.exception("slack_request_failed", chat=self._name, verb=request.verb)
            answer = _SORRY
        await self._say(spot, answer, request.incident)

    async def _say(self, spot: _Spot, answer: Answer, incident: str) -> None:
        """Answer privately. The address that came along works without any membership, but only five times."""
        message = answer_message(answer, incident)
        if spot.url:
            try:
                content = message | {"response_type": "ephemeral", "replace_original": False}
                await self._web.post(spot.url, json=content)
            except Refused:
                log.debug("slack_response_url_used_up", chat=self._name)
            else:
                return
        with trouble(f"channel {spot.channel}"):
            await self._web.client.chat_postEphemeral(
                channel=spot.channel, user=spot.user, thread_ts=spot.thread or None, **message
            )

    async def _show_form(self, trigger: str, draft: _Draft) -> None:
        """Open a form before anything slow: Slack's trigger lasts three seconds."""
        metadata = json.dumps(msgspec.to_builtins(draft))
        if draft.verb == "report":
            view = report_form([(n, label, self._desk.suggest(n, "")) for n, label in _CHOICES], metadata)
        else:
            view = note_form(draft.verb, metadata)
        try:
            with trouble("a form"):
                await self._web.client.views_open(trigger_id=trigger, view=view)
        except (Retry, Refused) as exc:
            await self._say(draft.spot, Answer(lines=((f"The form could not be shown. {exc}",),), ok=False), "")

    def _request(self, spot: _Spot, *, verb: str, who: Person, **more: str) -> Request:
        return Request(verb=verb, who=who, channel=self._channels.get(spot.channel, ""), **more)

    def _person(self, team: str, user: str, name: str) -> Person:
        return Person(chat=self._name, id=f"{team}:{user}", name=name or user)

    def _presser(self, payload: Mapping[str, Any]) -> Person:
        user = payload["user"]
        team = (payload.get("team") or {}).get("id") or user.get("team_id", "")
        return self._person(team, user["id"], user.get("username") or user.get("name", ""))

    async def _user_name(self, user: str) -> str:
        try:
            with trouble("a person's name"):
                return str(body(await self._web.client.users_info(user=user))["user"]["name"])
        except (Retry, Refused):
            return user


def _values(block: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What one field of a form holds: words, or the chosen option's value."""
    chosen = (
        (name, field.get("value") or (field.get("selected_option") or {}).get("value")) for name, field in block.items()
    )
    return [(name, str(value)) for name, value in chosen if value]
