"""What Discord refuses, as its documentation says: limits of messages, embeds, components and commands.

Each check answers the JSON body of Discord's error, or None. Lengths count UTF-16 units, the stricter reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_EMBED = {"title": 256, "description": 4096}
_NAME = re.compile(r"[-_\w]{1,32}\Z")


class Wrong(Exception):
    """A refusal with Discord's status and code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def check_message(payload: dict[str, Any], *, files: int, kept: int) -> None:
    """Refuse a message that Discord would refuse; `kept` counts attachments that stay."""
    problems = [*_content(payload), *_embeds(payload.get("embeds") or []), *_rows(payload.get("components") or [])]
    if problems:
        raise Wrong(400, 50035, "Invalid Form Body: " + "; ".join(problems))
    if not (payload.get("content") or payload.get("embeds") or payload.get("components") or files or kept):
        raise Wrong(400, 50006, "Cannot send an empty message")
    if files > 10:
        raise Wrong(400, 50035, "Invalid Form Body: more than 10 files")


def _content(payload: dict[str, Any]) -> Iterator[str]:
    if length(payload.get("content") or "") > 2000:
        yield "content: Must be 2000 or fewer in length."
    if length(str(payload.get("nonce") or "")) > 25:
        yield "nonce: Must be 25 or fewer in length."
    mentions = payload.get("allowed_mentions") or {}
    for kind in ("roles", "users"):
        if mentions.get(kind) and kind in mentions.get("parse", []):
            yield f"allowed_mentions: parse:[{kind!r}] and {kind}: [ids...] are mutually exclusive."


def _embeds(embeds: list[dict[str, Any]]) -> Iterator[str]:
    if len(embeds) > 10:
        yield "embeds: Must be 10 or fewer in length."
    total = 0
    for embed in embeds:
        total += sum(length(text) for text in _texts(embed))
        yield from _embed(embed)
    if total > 6000:
        yield f"embeds: Embed size exceeds maximum size of 6000 ({total})"


def _texts(embed: dict[str, Any]) -> Iterator[str]:
    yield (embed.get("title") or "").strip()
    yield (embed.get("description") or "").strip()
    yield ((embed.get("footer") or {}).get("text") or "").strip()
    yield ((embed.get("author") or {}).get("name") or "").strip()
    for field in embed.get("fields") or []:
        yield (field.get("name") or "").strip()
        yield (field.get("value") or "").strip()


def _embed(embed: dict[str, Any]) -> Iterator[str]:
    for key, most in _EMBED.items():
        if length((embed.get(key) or "").strip()) > most:
            yield f"embeds.{key}: Must be {most} or fewer in length."
    if length((embed.get("footer") or {}).get("text") or "") > 2048:
        yield "embeds.footer.text: Must be 2048 or fewer in length."
    fields = embed.get("fields") or []
    if len(fields) > 25:
        yield "embeds.fields: Must be 25 or fewer in length."
    for field in fields:
        yield from _field(field)
    url = embed.get("url")
    if url is not None and not re.match(r"https?://[^\s/]+", url):
        yield "embeds.url: Not a well formed URL."


def _field(field: dict[str, Any]) -> Iterator[str]:
    for key, most in (("name", 256), ("value", 1024)):
        size = length((field.get(key) or "").strip())
        if not size:
            yield f"embeds.fields.{key}: This field is required"
        if size > most:
            yield f"embeds.fields.{key}: Must be {most} or fewer in length."


def _rows(rows: list[dict[str, Any]]) -> Iterator[str]:
    if len(rows) > 5:
        yield "components: Must be 5 or fewer in length."
    seen: set[str] = set()
    for row in rows:
        buttons = row.get("components", [])
        if row.get("type") != 1 or not 1 <= len(buttons) <= 5:
            yield "components: an action row holds 1 to 5 buttons."
        for button in buttons:
            yield from _button(button, seen)


def _button(button: dict[str, Any], seen: set[str]) -> Iterator[str]:
    custom = button.get("custom_id") or ""
    if not 1 <= length(custom) <= 100 or custom in seen:
        yield f"components.custom_id: {custom!r} must be unique and 1 to 100 long."
    if not 1 <= length(button.get("label") or "") <= 80:
        yield "components.label: Must be between 1 and 80 in length."
    seen.add(custom)


def check_modal(data: dict[str, Any]) -> None:
    parts = data.get("components", [])
    if not 1 <= length(data.get("title") or "") <= 45 or not 1 <= length(data.get("custom_id") or "") <= 100:
        raise Wrong(400, 50035, "Invalid Form Body: title or custom_id")
    if not 1 <= len(parts) <= 5:
        raise Wrong(400, 50035, "Invalid Form Body: components")
    problems = [problem for part in parts for problem in _modal_part(part)]
    if problems:
        raise Wrong(400, 50035, "Invalid Form Body: " + "; ".join(problems))


def _modal_part(part: dict[str, Any]) -> Iterator[str]:
    """Text (10), or a label (18) around a text input (4) or a drop-down (3)."""
    if part["type"] == 10:
        if not 1 <= length(part["content"]) <= 4000:
            yield "content: 1 to 4000"
        return
    if part["type"] != 18:
        yield f"components: type {part['type']}"
        return
    if not 1 <= length(part["label"]) <= 45 or length(part.get("description") or "") > 100:
        yield f"label: {part['label']!r}"
    asked = part["component"]
    if asked["type"] == 4:
        if length(asked.get("value") or "") > asked.get("max_length", 4000):
            yield "value: too long"
    elif asked["type"] == 3:
        yield from _options(asked["options"])
    else:
        yield f"component: type {asked['type']}"


def _options(options: list[dict[str, Any]]) -> Iterator[str]:
    values = [option["value"] for option in options]
    if not 1 <= len(options) <= 25 or len(set(values)) != len(values):
        yield "options: 1 to 25, each once"
    for option in options:
        if not 1 <= length(option["label"]) <= 100 or not 1 <= length(option["value"]) <= 100:
            yield f"option: {option}"
    if sum(bool(option.get("default")) for option in options) > 1:
        yield "options: one default"


def check_commands(commands: list[dict[str, Any]]) -> None:
    """Refuse a bulk overwrite with bad names, descriptions or too many options."""
    names = [command.get("name") for command in commands]
    if len(names) > 100 or len(set(names)) != len(names):
        raise Wrong(400, 50035, "Invalid Form Body: names")
    for command in commands:
        if command.get("type") == 3:
            _menu(command)
        else:
            _command(command)


def _command(command: dict[str, Any]) -> None:
    name, options = command.get("name") or "", command.get("options") or []
    if not _NAME.match(name) or name != name.lower():
        raise Wrong(400, 50035, f"Invalid Form Body: name {name!r}")
    if not 1 <= length(command.get("description") or "") <= 100 or len(options) > 25:
        raise Wrong(400, 50035, f"Invalid Form Body: {name}")
    if command.get("choices") and (command.get("autocomplete") or len(command["choices"]) > 25):
        raise Wrong(400, 50035, f"Invalid Form Body: {name}: choices")
    needed = [bool(option.get("required")) for option in options]
    if needed != sorted(needed, reverse=True):
        raise Wrong(400, 50035, f"Invalid Form Body: {name}: required options must come first")
    if _whole(command) > 8000:
        raise Wrong(400, 50035, f"Invalid Form Body: {name}: more than 8000 characters")
    for option in options:
        _command(option)


def _menu(command: dict[str, Any]) -> None:
    if not 1 <= length(command["name"]) <= 32 or command.get("description") or command.get("options"):
        raise Wrong(400, 50035, f"Invalid Form Body: {command['name']}: a menu entry has a name only")


def _whole(command: dict[str, Any]) -> int:
    own = length(command.get("name") or "") + length(command.get("description") or "")
    choices = sum(length(choice["name"]) + length(choice["value"]) for choice in command.get("choices") or [])
    return own + choices + sum(_whole(option) for option in command.get("options") or [])


def check_choices(data: dict[str, Any]) -> None:
    choices = data.get("choices", [])
    if len(choices) > 25:
        raise Wrong(400, 50035, "Invalid Form Body: choices")
    for choice in choices:
        if not 1 <= length(choice["name"]) <= 100 or not 1 <= length(choice["value"]) <= 100:
            raise Wrong(400, 50035, f"Invalid Form Body: choice {choice}")


def pings(payload: dict[str, Any]) -> list[str]:
    """Whom a message would ping: mentions in its content that `allowed_mentions` lets through."""
    content = payload.get("content") or ""
    allowed = payload.get("allowed_mentions")
    parse = {"everyone", "roles", "users"} if allowed is None else set(allowed.get("parse", []))
    named = {} if allowed is None else allowed
    found = [f"@{w}" for w in re.findall(r"@(everyone|here)", content) if "everyone" in parse]
    for sign, kind in (("@&", "roles"), ("@!?", "users")):
        let = {str(number) for number in named.get(kind, [])}
        numbers = re.findall(rf"<{sign}(\d+)>", content)
        found += [f"{sign[:2]}{number}" for number in numbers if kind in parse or number in let]
    return found
