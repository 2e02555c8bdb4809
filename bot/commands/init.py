"""Write a first configuration: ask a few questions, never overwrite anything."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from bot.config.fields import listen
from bot.config.fields import name as checked
from bot.config.layers import catalogue
from bot.config.nodes import Scalar, below

_FEW = ("github", "openai", "cloudflare")
_NAMES = {
    "SLACK_BOT_TOKEN": "Slack: OAuth & Permissions, Bot User OAuth Token (xoxb-)",
    "SLACK_APP_TOKEN": "Slack: Basic Information, App-Level Tokens, scope connections:write (xapp-)",
    "SLACK_CHANNEL": "Slack: the channel's id, at the foot of its details (C0123ABCD)",
    "DISCORD_TOKEN": "Discord: developer portal, Bot, Token",
    "DISCORD_GUILD": "Discord: the server's id (developer mode, Copy Server ID)",
    "DISCORD_CHANNEL": "Discord: the channel's id (Copy Channel ID)",
    "TOCSIN_TOKEN": "The HTTP API: a long random string of your own, for whoever sends reports",
}

Ask = Callable[[str, str], str]
"""A question and what Enter stands for, to an answer."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the first configuration should have; None where it was not said yet."""

    services: Sequence[str] | None = None
    slack: bool | None = None
    discord: bool | None = None
    listen: str | None = None

    @property
    def variables(self) -> list[str]:
        """The variables of the environment that the file will need."""
        wanted = {"SLACK": self.slack, "DISCORD": self.discord, "TOCSIN": opened(self.listen or "")}
        return [name for name in _NAMES if wanted[name.split("_", 1)[0]]]


def init(path: Path, wishes: Wishes, *, yes: bool = False, ask: Ask | None = None) -> int:
    """Write `path`, and `.env.example` beside it; with `yes` nothing is asked. 0, or 2 when it cannot be done."""
    example = path.with_name(".env.example")
    for file in (path, example):
        if file.exists():
            return _refused(f"{file} is there already, and is left as it is; name another file, or move it away")
    wishes = _settled(wishes, None if yes else ask or asked)
    if wrong := _wrong(wishes):
        return _refused(wrong)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, written(wishes))
        if wishes.variables:
            _write(example, environment(wishes))
    except OSError as error:
        return _refused(f"{error.filename} cannot be written: {error.strerror}")
    sys.stderr.write(f"{path} is written. Next: tocsin check, then tocsin run\n")
    if wishes.variables:
        sys.stderr.write(
            f"It needs {', '.join(wishes.variables)} from the environment; {example} says where to find them\n"
        )
    return 0


def asked(question: str, usual: str) -> str:
    """Ask on the terminal; an empty answer, or no more input, means the usual."""
    sys.stderr.write(f"{question} [{usual}] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() or usual


def opened(address: str) -> bool:
    """True for an address that other machines can reach."""
    return bool(address) and not re.match(r"127\.|localhost:|\[::1\]", address)


def _settled(wishes: Wishes, ask: Ask | None) -> Wishes:
    def say(question: str, usual: str) -> str:
        return ask(question, usual) if ask else usual

    if wishes.services is None:
        answer = say("Which services? Names from the catalogue, with commas between", ", ".join(_FEW))
        wishes = replace(wishes, services=[known(name) for name in re.split(r"\s*,\s*", answer.strip()) if name])
    if wishes.slack is None:
        wishes = replace(wishes, slack=_is_yes(say("Threads in Slack? yes or no", "no")))
    if wishes.discord is None:
        wishes = replace(wishes, discord=_is_yes(say("Threads in Discord? yes or no", "no")))
    if wishes.listen is None:
        wishes = replace(wishes, listen=say("Where should the page listen?", "127.0.0.1:8080"))
    return wishes


def _is_yes(answer: str) -> bool:
    return answer.casefold() in ("y", "yes", "true", "1")


def known(name: str) -> str:
    """The catalogue's id for an id, a name or an alias; anything else as it is."""
    return _words().get(name.casefold(), name)


def _words() -> dict[str, str]:
    """Everything that the catalogue's services are called, in lower case, and which one that is."""
    words: dict[str, str] = {}
    for id_, (_, entry) in catalogue().pairs.items():
        title, aliases = below(entry, "name"), below(entry, "aliases")
        called = [title, *getattr(aliases, "items", ())]
        words |= {word.text.casefold(): id_ for word in called if isinstance(word, Scalar)}
    return words | {id_.casefold(): id_ for id_ in catalogue().pairs}


def _wrong(wishes: Wishes) -> str:
    """Why these wishes cannot be written down, or nothing."""
    try:
        listen(wishes.listen or "")
        for service in wishes.services or ():
            checked(service)
    except ValueError as error:
        return str(error)
    words = _words()
    for service in wishes.services or ():
        if service not in catalogue().pairs and (near := get_close_matches(service.casefold(), words, 1, 0.85)):
            return f"the catalogue has no '{service}', did you mean '{words[near[0]]}'?"
    return ""


def written(wishes: Wishes) -> str:
    """The text of the configuration."""
    tell = ["wall"] + ["ops"] * bool(wishes.slack) + ["community"] * bool(wishes.discord)
    entry = '  tokens: [{name: reports, secret: "${TOCSIN_TOKEN}", scopes: [read, report]}]\n'
    rows = [_service(name) for name in dict.fromkeys(wishes.services or ())]
    return _TEXT.format(
        listen=wishes.listen,
        tokens=entry if opened(wishes.listen or "") else "",
        chats=_CHATS["page"] + _CHATS["slack"] * bool(wishes.slack) + _CHATS["discord"] * bool(wishes.discord),
        channels=_PLACES["page"] + _PLACES["slack"] * bool(wishes.slack) + _PLACES["discord"] * bool(wishes.discord),
        tell=", ".join(tell),
        services="".join(rows),
    )


def _service(name: str) -> str:
    if name in catalogue().pairs:
        return (
            f'  "{name}": {{catalogue: "{name}"}}\n' if not name[0].isalpha() else f"  {name}: {{catalogue: {name}}}\n"
        )
    return f'  "{name}": {{name: "{name}"}}                # people\'s reports alone, until it has a watch\n'


def environment(wishes: Wishes) -> str:
    """The text of `.env.example`."""
    head = "# Copy this to .env, fill it in, and give it to the bot: set -a; . ./.env; set +a\n"
    return head + "".join(f"\n# {_NAMES[name]}\n{name}=\n" for name in wishes.variables)


def _write(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)


def _refused(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 2


_CHATS = {
    "page": "  page: {kind: page}\n",
    "slack": '  slack: {kind: slack, bot_token: "${SLACK_BOT_TOKEN}", app_token: "${SLACK_APP_TOKEN}"}\n',
    "discord": '  discord: {kind: discord, token: "${DISCORD_TOKEN}", guild: "${DISCORD_GUILD}"}\n',
}
_PLACES = {
    "page": "  wall: {chat: page}\n",
    "slack": '  ops: {chat: slack, channel: "${SLACK_CHANNEL}"}\n',
    "discord": '  community: {chat: discord, channel: "${DISCORD_CHANNEL}"}\n',
}
_TEXT = """\
# The configuration of Tocsin. After a change, `tocsin check` says everything that is wrong with it.
# Durations are written 30s, 5m, 2h or 1d; ${{NAME}} comes from the environment.

data: ./data                        # the folder that holds all state

web:
  listen: "{listen}"
{tokens}
chats:                              # connections
{chats}
channels:                           # places in them
{channels}
levels:                             # mildest first; a level holds when every condition given holds
  minor:    {{reports: 10,  within: 15m, times: 2, alarms: 1/month}}
  major:    {{reports: 50,  within: 15m, times: 5}}
  critical: {{reports: 200, within: 15m, times: 15}}

policy: {{open_at: minor, confirm_for: 2m, quiet_for: 15m, reopen_for: 1h}}

defaults:
  tell: [{tell}]
  one_voice: 30m                    # one person counts once in this time

services:
{services}"""
