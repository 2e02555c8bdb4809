"""The Slack app, described so that Slack can make it in one step."""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.parse import quote

import yaml

from bot.chats.slack_people import COMMANDS, EVENTS, SCOPES, SHORTCUTS
from bot.chats.slack_web import METHODS

_TELLING = {
    "/incident": ("What is wrong, and what is done about it", "status | report | mute 2h | resolve fixed | help"),
    "/status": ("How a service is doing, or all of them", "[service]"),
    "/report": ("Say that something does not work", "<service>"),
}
_LISTENS = """\
Then install it to the workspace, and put two tokens into config.yaml:
  bot_token  OAuth & Permissions, Bot User OAuth Token (xoxb-...)
  app_token  Basic Information, App-Level Tokens, with the scope connections:write (xapp-...)
"""
_CALLED = """\
Then install it to the workspace, and put two secrets into config.yaml:
  bot_token       OAuth & Permissions, Bot User OAuth Token (xoxb-...)
  signing_secret  Basic Information, App Credentials, Signing Secret
Start Tocsin with them, and press Retry beside the address under Event Subscriptions: Slack tries it only now.
"""


def manifest(name: str = "Tocsin", *, short_commands: bool = True, url: str = "") -> dict[str, Any]:
    """An app manifest that asks for exactly what the Slack adapter uses.

    Fields: https://docs.slack.dev/reference/app-manifest. Leave `short_commands` out where another app of the
    workspace already owns /status or /report. With `url` Slack calls that address; without, Socket Mode is on.
    """
    called = {"request_url": url} if url else {}
    commands = [command for command, verb in COMMANDS.items() if short_commands or not verb]
    return {
        "display_information": {
            "name": name,
            "description": "Notices when the services you depend on break, and keeps one living thread per incident.",
            "background_color": "#1f2937",
        },
        "features": {
            "bot_user": {"display_name": name.lower(), "always_online": True},
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "slash_commands": [_command(command) | ({"url": url} if url else {}) for command in commands],
            "shortcuts": [_shortcut(verb, name) for verb, name in SHORTCUTS.items()],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES.union(*METHODS.values()))}},
        "settings": {
            "event_subscriptions": {**called, "bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True, **called},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }


def link(described: dict[str, Any]) -> str:
    """Where a browser creates the app from this manifest."""
    return "https://api.slack.com/apps?new_app=1&manifest_json=" + quote(json.dumps(described, separators=(",", ":")))


def run(name: str = "Tocsin", *, as_json: bool = False, short_commands: bool = True, url: str = "") -> int:
    """Print the manifest on stdout, as YAML or JSON, and what to do with it on stderr; answers the exit code."""
    if url and not (url.startswith("https://") and "/chats/" in url):
        sys.stderr.write(f"{url!r} is no address that Slack can call: write https://HOST/chats/NAME, with the\n")
        sys.stderr.write("host of web.public_url and the NAME that the connection has under chats in config.yaml\n")
        return 2
    described = manifest(name, short_commands=short_commands, url=url)
    text = json.dumps(described, indent=2) + "\n" if as_json else yaml.safe_dump(described, sort_keys=False)
    sys.stdout.write(text)
    sys.stderr.write(f"\nCreate the app in one step: {link(described)}\n{_CALLED if url else _LISTENS}")
    return 0


def _command(command: str) -> dict[str, Any]:
    description, hint = _TELLING[command]
    return {"command": command, "description": description, "usage_hint": hint, "should_escape": False}


def _shortcut(verb: str, name: str) -> dict[str, Any]:
    return {"name": name, "type": "message", "callback_id": verb, "description": f"{name}, from a message"}
