"""What people can do on each platform, as a page; every cell is read off the adapters, so that it cannot lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bot.chats import discord, discord_chat, slack
from bot.chats.discord_commands import FOLDED, MENUS, SHORT, commands, path
from bot.chats.slack_people import COMMANDS, EVENTS, SCOPES, SHORTCUTS
from bot.chats.slack_web import METHODS
from bot.core.rights import needed
from bot.core.speech import VERBS
from bot.desk import WITH_FORM

_HEAD = """\
# Slack and Discord, side by side

One desk answers both, so a verb is the same everywhere; this page is written from the adapters by
`bot/commands/parity.py`, and a test keeps it current.
"""
_NONE = "-"


def page() -> str:
    """The whole page, in Markdown."""
    parts = (
        _HEAD,
        "## Verbs\n",
        *_table(("Verb", "Right", "Slack", "Discord"), _verbs()),
        "\n## Around them\n",
        *_table(("Feature", "Slack", "Discord"), _features()),
        "\n## Settings\n",
        *_table(("Key", "Slack", "Discord"), _settings()),
        "\n## What the bot asks for\n",
        *_table(("Slack: bot scopes", "Discord: permissions"), _permissions()),
    )
    return "\n".join(parts) + "\n"


def verbs() -> Iterator[tuple[str, bool, bool]]:
    """Each verb of the desk, and whether Slack and Discord offer it."""
    [root] = [command for command in commands(short=True) if command["name"] == "incident"]
    offered = {option["name"] for option in root["options"]}
    offered |= {verb for verb, within in FOLDED.items() if within in offered}
    for verb in VERBS:
        yield verb, "/incident" in COMMANDS, verb in offered


def _verbs() -> Iterator[Sequence[str]]:
    short = {verb: command for command, verb in COMMANDS.items() if verb}
    for verb, in_slack, in_discord in verbs():
        asks = ", asks first" if verb in WITH_FORM else ""
        slack_too = f", `{short[verb]}`" if verb in short else ""
        discord_too = f", `/{verb}`" if verb in SHORT else ""
        yield (
            f"`{verb}`",
            needed(verb),
            f"`/incident {verb}`{slack_too}{asks}" if in_slack else _NONE,
            f"`{path(verb)}`{discord_too}{asks}" if in_discord else _NONE,
        )


def _features() -> Iterator[Sequence[str]]:
    may, methods = discord_chat.PERMISSIONS, METHODS
    yield (
        "Thread of an incident",
        _if("chat.postMessage" in methods, "replies under the head"),
        _if(may.create_public_threads, "thread from the head, or a post in a forum"),
    )
    yield "Head edited in place", _if("chat.update" in methods, "yes"), _if(may.send_messages, "yes")
    yield "Chart as a picture", _if("files.completeUploadExternal" in methods, "yes"), _if(may.attach_files, "yes")
    yield "Pinned while it lives", _if("pins.add" in methods, "yes"), _if(may.pin_messages, "yes")
    yield (
        "At the close",
        _if("pins.remove" in methods, "unpinned"),
        _if(may.manage_threads, "unpinned, archived, locked"),
    )
    yield "Loud lines", "shown to the channel too, mention by level", "mention by level"
    yield "Other lines", "in the thread alone", "without a sound"
    yield "Buttons, working after a restart", "by value", "by id"
    yield "Forms that say what they will do", _if("views.open" in methods, "modals"), "modals"
    yield "Completion as people type", "drop-downs in forms", _if(_completes(), "every name and choice")
    yield "Menu of a message", _listed(SHORTCUTS.values()), _listed(MENUS)
    yield "Said in the thread itself", _if("app_mention" in EVENTS, "`@tocsin why`"), "`/incident why`"
    yield "Live board", _if("app_home_opened" in EVENTS, "home tab"), "`/status`"
    ours, theirs = slack.SlackConnection.model_fields, discord.DiscordConnection.model_fields
    yield "Heard from inside", _if("app_token" in ours, "Socket Mode"), _if("gateway_url" in theirs, "gateway")
    yield (
        "Or called at `/chats/NAME`",
        _if("signing_secret" in ours, "signed with HMAC"),
        _if("public_key" in theirs, "signed with Ed25519"),
    )
    yield "Rights by", _if("usergroups.users.list" in methods, "user groups and people"), "roles and people"
    yield (
        "Never twice",
        _if("conversations.history" in methods, "key in the message, history read"),
        _if(may.read_message_history, "nonce, then history read"),
    )


def _settings() -> Iterator[Sequence[str]]:
    ours, theirs = slack.SlackConnection.model_fields, discord.DiscordConnection.model_fields
    for key in dict.fromkeys((*ours, *theirs)):
        yield f"`{key}`", _if(key in ours, "yes"), _if(key in theirs, "yes")


def _permissions() -> Iterator[Sequence[str]]:
    scopes = sorted(SCOPES.union(*METHODS.values()))
    allowed = sorted(name.replace("_", " ") for name, given in discord_chat.PERMISSIONS if given)
    yield ", ".join(f"`{scope}`" for scope in scopes), ", ".join(allowed)


def _completes() -> bool:
    options = (
        option for command in commands(short=True) for verb in command.get("options", []) for option in _of(verb)
    )
    return any(option.get("autocomplete") for option in options)


def _of(verb: dict[str, list[dict[str, object]]]) -> Iterable[dict[str, object]]:
    return verb.get("options", [])


def _if(holds: bool, words: str) -> str:  # noqa: FBT001  # a cell is a condition and its words
    return words if holds else _NONE


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or _NONE


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
