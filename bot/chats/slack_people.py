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

from bot.chats.slack_blocks import answer_message
from bot.chats.slack_forms import filled, view
from bot.chats.slack_home import Home
from bot.chats.slack_rights import Rights
from bot.chats.slack_web import Web, body, trouble
from bot.core.model import Answer, Form, Person, Request
from bot.ports import Clock, Desk, Place, Refused, Retry

log = structlog.get_logger(__name__)

# The slash commands, shortcuts and events that are heard, and the scopes that needs; the app manifest is made from
# these. A command's value is the verb it is short for, as is a shortcut's callback id.
COMMANDS: Mapping[str, str] = {"/incident": "", "/status": "status", "/report": "report"}
SHORTCUTS: Mapping[str, str] = {"note": "Add to timeline", "report": "Report a problem"}
EVENTS = frozenset({"app_mention", "app_home_opened"})
SCOPES = frozenset({"commands", "app_mentions:read"})

_QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
_PICTURE_WAIT = 0.5  # Slack may not know a fresh file for a moment
_MENTION = re.compile(r"<@[^>]*>")
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
    target: str = ""
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
        clock: Clock,
        rights: Rights,
        short: bool,
    ) -> None:
        self.home = Home(name, web, desk, clock, rights)
        self._name = name
        self._web = web
        self._desk = desk
        self._channels = {place.address: place.name for place in places}
        self._incident_of = incident_of
        self._clock = clock
        self._rights = rights
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
        event = payload.get("event", {})
        match kind, payload.get("type") if kind == "interactive" else event.get("type"):
            case "slash_commands", _:
                await self._command(payload)
            case "interactive", "block_actions":
                await self._press(payload)
            case "interactive", "view_submission":
                await self._submit(payload)
            case "interactive", "message_action":
                await self._picked(payload)
            case "events_api", "app_mention":
                await self._mentioned(payload)
            case "events_api", "app_home_opened" if event.get("tab") == "home":
                await self.home.opened(event["user"])

    async def _command(self, payload: dict[str, Any]) -> None:
        command, words = payload["command"], payload.get("text", "").strip()
        spot = _Spot(channel=payload["channel_id"], user=payload["user_id"], url=payload.get("response_url", ""))
        who = self._person(payload["team_id"], payload["user_id"], payload.get("user_name", ""))
        verb = COMMANDS.get(command, "")
        if verb and not self._short:
            await self._say(spot, Answer(lines=((f"This bot listens to /incident {verb} instead.",),), ok=False), "")
            return
        request = self._request(spot, verb=verb or ("" if words else "help"), who=who, text=words)
        await self._take(spot, request, payload.get("trigger_id", ""))

    async def _press(self, payload: dict[str, Any]) -> None:
        action, container = payload["actions"][0], payload.get("container", {})
        channel, thread = container.get("channel_id", ""), container.get("thread_ts") or container.get("message_ts", "")
        url = payload.get("response_url", "")
        spot = _Spot(channel=channel, user=payload["user"]["id"], thread=container.get("thread_ts", ""), url=url)
        verb, (incident, _, target) = action["action_id"], action.get("value", "").partition("|")
        if not incident and not target and thread and not container.get("is_ephemeral"):
            incident = await self._incident_of(channel, thread)
        request = self._request(spot, verb=verb, who=self._presser(payload), incident=incident, target=target)
        await self._take(spot, request, payload.get("trigger_id", ""))

    async def _picked(self, payload: dict[str, Any]) -> None:
        """A shortcut on a message: its words go where the shortcut says, with the name of who wrote them."""
        verb, message, channel = payload["callback_id"], payload["message"], payload["channel"]["id"]
        if verb not in SHORTCUTS:
            return
        thread = message.get("thread_ts") or message["ts"]
        user = payload["user"]["id"]
        spot = _Spot(channel=channel, user=user, thread=message.get("thread_ts", ""), url=payload["response_url"])
        words = html.unescape(message.get("text", "")).strip()
        author = message.get("user", "")
        if verb == "note" and author not in ("", user):
            words = f"{await self._user_name(author)} wrote: {words}"
        incident = await self._incident_of(channel, thread) if verb == "note" else ""
        request = self._request(spot, verb=verb, who=self._presser(payload), incident=incident, text=words)
        await self._take(spot, request, payload.get("trigger_id", ""))

    async def _submit(self, payload: dict[str, Any]) -> None:
        draft = msgspec.json.decode(payload["view"]["private_metadata"], type=_Draft)
        given = {"target": draft.target} | filled(payload["view"]["state"])
        who = self._presser(payload)
        request = self._request(draft.spot, verb=draft.verb, who=who, incident=draft.incident, **given)
        await self._ask(draft.spot, await self._entitled(request, draft.spot))

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
        await self._take(spot, self._request(spot, verb=verb, who=who, text=words, incident=incident), "")

    async def _take(self, spot: _Spot, request: Request, trigger: str) -> None:
        """Show the form that the desk wants first, where a form can be shown; else have it answered."""
        request = await self._entitled(request, spot)
        form = self._desk.form(request) if trigger else None
        if form:
            await self._show_form(trigger, form, spot)
        else:
            await self._ask(spot, request)

    async def _entitled(self, request: Request, spot: _Spot) -> Request:
        return msgspec.structs.replace(request, right=await self._rights.of(spot.user))

    async def _ask(self, spot: _Spot, request: Request) -> None:
        try:
            answer = await self._desk.answer(request)
        except Exception:  # the person must hear of it, whatever it was
            log.exception("slack_request_failed", chat=self._name, verb=request.verb)
            answer = _SORRY
        await self._say(spot, answer, request.incident)

    async def _say(self, spot: _Spot, answer: Answer, incident: str) -> None:
        """Answer, privately or aloud, with the chart if Slack takes it."""
        picture = await self._uploaded(answer)
        if picture:
            await self._clock.sleep(_PICTURE_WAIT)
            try:
                await self._post(spot, answer_message(answer, incident, picture), aloud=answer.aloud)
            except Refused:
                log.info("slack_answer_without_chart", chat=self._name)
            else:
                return
        await self._post(spot, answer_message(answer, incident), aloud=answer.aloud)

    async def _uploaded(self, answer: Answer) -> str:
        try:
            return await self._web.upload(answer.png, answer.alt[:1_000] or "Chart") if answer.png else ""
        except (Retry, Refused) as exc:
            log.warning("slack_answer_without_chart", chat=self._name, why=str(exc))
            return ""

    async def _post(self, spot: _Spot, message: dict[str, Any], *, aloud: bool = False) -> None:
        """The address that came along works without any membership, but only five times; from home there is none."""
        if spot.url:
            try:
                seen = {"response_type": "in_channel", **_QUIET} if aloud else {"response_type": "ephemeral"}
                content = message | seen | {"replace_original": False}
                content |= {"thread_ts": spot.thread} if aloud and spot.thread else {}
                await self._web.post(spot.url, json=content)
            except Refused:
                log.debug("slack_response_url_used_up", chat=self._name)
            else:
                return
        with trouble(f"channel {spot.channel}"):
            if not spot.channel or aloud:
                where, thread = spot.channel or spot.user, spot.thread or None
                await self._web.client.chat_postMessage(channel=where, thread_ts=thread, **_QUIET, **message)
                return
            await self._web.client.chat_postEphemeral(
                channel=spot.channel, user=spot.user, thread_ts=spot.thread or None, **message
            )

    async def _show_form(self, trigger: str, form: Form, spot: _Spot) -> None:
        """Open a form before anything slow: Slack's trigger lasts three seconds."""
        draft = _Draft(verb=form.verb, incident=form.incident, target=form.target, spot=spot)
        try:
            with trouble("a form"):
                shown = view(form, json.dumps(msgspec.to_builtins(draft)))
                await self._web.client.views_open(trigger_id=trigger, view=shown)
        except (Retry, Refused) as exc:
            await self._say(spot, Answer(lines=((f"The form could not be shown. {exc}",),), ok=False), "")

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
