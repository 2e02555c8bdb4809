"""What the chats would show, as HTML: drawn from the very payloads that are sent, at the width of a phone.

It is a likeness, made to read words and weigh sizes by; the platforms' own clients differ in detail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import quote

import discord

from bot.chats import discord_forms, discord_looks, slack_blocks, slack_forms
from bot.core.model import Answer, Form, Head, Line
from bot.core.phrases import lasted
from writing.scenes import Scene

Payload = Mapping[str, Any]
_SLACK_TOKEN = re.compile(
    r"<!date\^(\d+)\^([^|>]*)\|[^>]*>|<(https?://[^|>]+)\|([^>]+)>|\*(?![\s\u200b])(.+?)(?<!\u200b)\*|\n"
)
_DISCORD_TOKEN = re.compile(
    r"<t:(\d+):(\w)>|\*\*(.+?)(?<!\\)\*\*|^-# (.*)$|\\([\\*_~|`\[\]#>-])|(https?://\S+)|\n|([<>&])", re.MULTILINE
)
_AGO = re.compile("\0(\\d+)\0")
_STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1d1c1d; --quiet: #616061; --line: #ddd; --soft: #f4f4f5; --go: #0b6e4f; --stop: #b3261e; }
.dark { --back: #1a1d21; --text: #e8e8e8; --quiet: #a3a5a8; --line: #3a3d42; --soft: #26292e; }
.discord { --text: #2e3338; --quiet: #5c6370; --soft: #f2f3f5; --go: #4654c0; }
.discord.dark { --back: #313338; --text: #dbdee1; --quiet: #a0a4ab; --line: #45484f; --soft: #2b2d31; --go: #5865f2; }
body { margin: 0; padding: 24px; background: var(--back); color: var(--text); font: 15px/1.46 system-ui, "DejaVu Sans", sans-serif; width: 1140px; }
h1 { font-size: 20px; margin: 0 0 16px; }
main { columns: 3; column-gap: 24px; }
article { width: 358px; break-inside: avoid; margin: 0 0 24px; overflow-wrap: anywhere; }
h2 { font-size: 12px; font-weight: 600; color: var(--quiet); margin: 0 0 6px; border-top: 1px solid var(--line); padding-top: 8px; }
h3 { font-size: 18px; line-height: 1.3; margin: 4px 0; }
p { margin: 4px 0; }
img { width: 100%; border-radius: 6px; border: 1px solid var(--line); box-sizing: border-box; display: block; margin: 6px 0; }
.quiet { color: var(--quiet); font-size: 13px; }
.buttons { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0; }
.buttons span { border: 1px solid var(--line); border-radius: 6px; padding: 5px 12px; font-weight: 600; font-size: 14px; }
.buttons .primary { background: var(--go); border-color: var(--go); color: #fff; }
.buttons .danger { background: var(--stop); border-color: var(--stop); color: #fff; }
.card { border-left: 4px solid; background: var(--soft); border-radius: 4px; padding: 10px 14px; margin: 6px 0; }
.field { border: 1px solid var(--line); border-radius: 6px; padding: 7px 10px; min-height: 21px; margin: 2px 0 10px; }
time { background: var(--soft); border-radius: 3px; }
a { color: inherit; }
"""


def sheet(title: str, scenes: Sequence[Scene], platform: str, *, dark: bool) -> str:
    """A page of messages side by side, each as wide as a phone."""
    draw = {"slack": slack, "discord": in_discord}[platform]
    shown = "".join(
        f"<article><h2>{escape(scene.name)}</h2>{_aged(draw(scene), scene.at)}</article>" for scene in scenes
    )
    name = f"{platform.capitalize()}: {title}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(name)}</title><style>{_STYLE}</style>'
        f'<body class="{platform}{" dark" if dark else ""}"><h1>{escape(name)}</h1><main>{shown}</main></body></html>'
    )


# Slack


def slack(scene: Scene) -> str:
    """A scene as Slack's blocks say it."""
    match scene.what:
        case Head() as head:
            sent = slack_blocks.head_message(head, "F1" if scene.chart else None)
        case Line() as line:
            sent = slack_blocks.line_message(line)
        case Answer() as answer:
            sent = slack_blocks.answer_message(answer, "", "F1" if scene.chart else None)
        case Form() as form:
            sent = slack_forms.view(form, "")
            title, submit = (escape(sent[part]["text"]) for part in ("title", "submit"))
            return f"<h3>{title}</h3>{_blocks(sent['blocks'], '')}{_buttons([('', 'Cancel'), ('primary', submit)])}"
    return _blocks(sent["blocks"], scene.chart)


def _blocks(blocks: Sequence[Payload], chart: str) -> str:
    return "".join(_BLOCKS[block["type"]](block, chart) for block in blocks)


def mrkdwn(text: str) -> str:
    """Slack's markup as HTML; `& < >` are escaped in it already, as Slack wants them."""
    return _SLACK_TOKEN.sub(_slack_token, text)


def _slack_token(found: re.Match[str]) -> str:
    if found[1]:
        return _time(int(found[1]), "R" if "{ago}" in found[2] else "t")
    if found[3]:
        return f'<a href="{found[3]}">{found[4]}</a>'
    return f"<b>{mrkdwn(found[5])}</b>" if found[5] else "<br>"


def _section(block: Payload, _: str) -> str:
    return f"<p>{mrkdwn(block['text']['text'])}</p>"


def _context(block: Payload, _: str) -> str:
    return f'<p class="quiet">{" · ".join(mrkdwn(part["text"]) for part in block["elements"])}</p>'


def _actions(block: Payload, _: str) -> str:
    return _buttons([(part.get("style", ""), escape(part["text"]["text"])) for part in block["elements"]])


def _asked(block: Payload, _: str) -> str:
    element = block["element"]
    chosen = (element.get("initial_option") or {}).get("text", {}).get("text") or element.get("initial_value", "")
    optional = ' <span class="quiet">(optional)</span>' if block.get("optional") else ""
    mark = " ▾" if element["type"] == "static_select" else ""
    return f'<b>{escape(block["label"]["text"])}</b>{optional}<div class="field">{escape(chosen)}{mark}</div>'


_BLOCKS: Mapping[str, Callable[[Payload, str], str]] = {
    "header": lambda block, _: f"<h3>{escape(block['text']['text'])}</h3>",
    "section": _section,
    "context": _context,
    "actions": _actions,
    "divider": lambda _block, _: "<hr>",
    "image": lambda block, chart: _image(chart, block["alt_text"]),
    "input": _asked,
}


# Discord


def in_discord(scene: Scene) -> str:
    """A scene as Discord's embeds and components say it."""
    match scene.what:
        case Head() as head:
            said = f"<p>{markdown(discord_looks.content(head))}</p>"
            card = _card(discord_looks.embed(head, picture=bool(scene.chart)), scene.chart)
            return said + card + _rows(discord_looks.view(head.buttons, head.incident))
        case Line() as line:
            said = markdown(discord_looks.call(line))
            return (f"<p>{said}</p>" if said else "") + _card(discord_looks.reply(line), "")
        case Answer() as answer:
            cards = "".join(_card(card, scene.chart) for card in discord_looks.answered(answer))
            return cards + _rows(discord_looks.view(answer.buttons, ""))
        case Form() as form:
            asked = discord_forms.modal(form).to_dict()
            parts = "".join(_component(part) for part in asked["components"])
            submit = _buttons([("", "Cancel"), ("primary", "Submit")])
            return f"<h3>{escape(asked['title'])}</h3>{parts}{submit}"


def markdown(text: str) -> str:
    """Discord's markdown as HTML."""
    return _DISCORD_TOKEN.sub(_discord_token, text)


def _discord_token(found: re.Match[str]) -> str:
    stamp, style, bold, small, literal, link, odd = found.groups()
    if stamp:
        return _time(int(stamp), style)
    if bold:
        return f"<b>{markdown(bold)}</b>"
    if small:
        return f'<span class="quiet">{markdown(small)}</span>'
    if link:
        return f'<a href="{escape(link)}">{escape(link)}</a>'
    return escape(literal or odd) if literal or odd else "<br>"


def _card(embed: discord.Embed, chart: str) -> str:
    colour = f"#{embed.colour.value:06x}" if embed.colour else "var(--line)"
    title = f"<h3>{escape(embed.title)}</h3>" if embed.title else ""
    words = f"<p>{markdown(embed.description)}</p>" if embed.description else ""
    fields = "".join(f"<p><b>{escape(f.name or '')}</b><br>{markdown(f.value or '')}</p>" for f in embed.fields)
    image = _image(chart, "Chart") if embed.image.url and chart else ""
    foot = f'<p class="quiet">{escape(embed.footer.text)}</p>' if embed.footer.text else ""
    return f'<div class="card" style="border-color: {colour}">{title}{words}{fields}{image}{foot}</div>'


def _rows(view: discord.ui.View | None) -> str:
    if view is None:
        return ""
    styles = {discord.ButtonStyle.primary: "primary", discord.ButtonStyle.danger: "danger"}
    buttons = [child for child in view.children if isinstance(child, discord.ui.Button)]
    return _buttons([(styles.get(button.style, ""), escape(button.label or "")) for button in buttons])


def _component(part: Any) -> str:
    if "content" in part:
        return f"<p>{markdown(part['content'])}</p>"
    inner = part["component"]
    chosen = next((option["label"] for option in inner.get("options", ()) if option.get("default")), "")
    mark = " ▾" if inner.get("options") else ""
    hint = f'<br><span class="quiet">{escape(part["description"])}</span>' if part.get("description") else ""
    value = escape(chosen or inner.get("value") or "")
    return f'<b>{escape(part["label"])}</b>{hint}<div class="field">{value}{mark}</div>'


# Both


def _buttons(buttons: Sequence[tuple[str, str]]) -> str:
    shown = "".join(f'<span class="{style}">{words}</span>' for style, words in buttons)
    return f'<div class="buttons">{shown}</div>'


def _image(chart: str, alt: str) -> str:
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml,{quote(chart)}">'


def _time(seconds: int, style: str) -> str:
    """A moment as the reader's own client would write it; how long ago is put in once it is known when it is read."""
    return (
        f"<time>{datetime.fromtimestamp(seconds, UTC):%H:%M}</time>" if style != "R" else f"<time>\0{seconds}\0</time>"
    )


def _aged(drawn: str, now: datetime) -> str:
    """`7 minutes ago` for every moment that is shown so."""
    return _AGO.sub(lambda found: f"{lasted(timedelta(seconds=now.timestamp() - int(found[1])))} ago", drawn)
