"""Three hundred things that a stranger could write, and what each surface must not make of them."""

from __future__ import annotations

import re
import unicodedata

_PINGS = (
    "@everyone", "@here", "@channel", "<!channel>", "<!here>", "<!here|here>", "<!everyone>", "<!subteam^S1>",
    "<!subteam^S0123|@ops>", "<@U1>", "<@U1|bob>", "<@1>", "<@!1>", "<@&1>", "<#1>", "<#C1>", "<#C1|general>",
)  # fmt: skip
_LINKS = (
    "[bank](https://evil.example)", "<https://evil.example|bank>", "https://evil.example/login?next=/",
    "http://user:pass@evil.example", "HTTPS://EVIL.EXAMPLE", "//evil.example/x", "javascript:alert(1)",
    "[x](javascript:alert(1))", "data:text/html,<script>alert(1)</script>", "<mailto:a@evil.example|mail>",
    "![](https://evil.example/p.png)", "[a]: https://evil.example", "https://xn--80ak6aa92e.com", "https://\u0430pple.com",
    "discord.gg/evil", "slack://open?team=T1", "https://status.example.org@evil.example/",
)  # fmt: skip
_MARKUP = (
    "**bold** _it_ ~~gone~~ ||spoiler||", "# head", "> quote", "```\ncode\n```", "``a`b``", "- list\n- list", "~~~\nx",
    "| a | b |\n|---|---|", "\\*not\\*", "*a_b*c_", "&lt;b&gt;", ":tada: :+1:", "-# small", ">>> all the rest",
)  # fmt: skip
_SPECIAL = ("<t:1:R>", "<t:0>", "</report:1>", "<id:customize>", "<:x:1>", "<a:x:1>", "<!date^0^{date}|then>")
_HTML = (
    "<script>window.hit=1</script>", "<img src=x onerror=window.hit=1>", "<svg/onload=window.hit=1>", "</title><b>",
    '"><iframe src=https://evil.example>', "' onmouseover='window.hit=1", "]]><x/>", "&#x3c;b&#x3e;", "{{7*7}}", "${7*7}",
    "<a href=https://evil.example>x</a>", "<!-- -->", "</style><style>*{display:none}</style>",
)  # fmt: skip
_LETTERS = (
    "\u202egnp.exe\u202c", "\u2066\u2067abc\u2069", "\u200b\u200c\u200d\ufeff", "a" + "\u0301" * 2_000, "W" * 4_000,
    "\x1b[31mred\x1b[0m", "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07", "a\r\nSet-Cookie: x=1", "a\nlevel=error msg=hit",
    "\0\x01\x02", "\ud800".encode("utf-8", "replace").decode(), "\U000e0041\U000e0042", "﷽" * 50, "\n" * 500, "\u2028\u2029",
    "=cmd|' /C calc'!A0", "+1+1", "@SUM(1)", "-2+3", "BEGIN:VEVENT\nEND:VEVENT",
)  # fmt: skip
_BASES = (*_PINGS, *_LINKS, *_MARKUP, *_SPECIAL, *_HTML, *_LETTERS)
CORPUS = (
    *_BASES,
    *(f"it says {base} since noon" for base in _BASES),
    *(f"one\n{base}\nthree" for base in _BASES),
    *(f"{base}{base}" for base in (*_PINGS, *_LINKS, *_SPECIAL)),
)[:300]

_OURS = "status.example.org"
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")
_SLACK_LIVE = re.compile(r"<(?!!date\^)(?!https://status\.example\.org)")
_DISCORD_LIVE = re.compile(r"<(?=@|#|/|t:(?!\d+:[tfR]>)|id:|:|a:)")
_MASKED = re.compile(r"(?<!\\)\[[^\]\n]*(?<!\\)\]\(")
_URL = re.compile(r"(?i)\b(?:https?|javascript|data|slack)://?([^\s/?#|>)]*)")
_HEADING = re.compile(r"^(?:#|>|-#|```|~~~)", re.MULTILINE)


def texts(payload: object, key: str = "") -> list[tuple[str, str]]:
    """Every string within a payload, with the key it stands under."""
    if isinstance(payload, dict):
        return [found for name, value in payload.items() for found in texts(value, name)]
    if isinstance(payload, list | tuple):
        return [found for value in payload for found in texts(value, key)]
    return [(key, payload)] if isinstance(payload, str) else []


def letters(text: str) -> list[str]:
    """What is wrong with the letters of a text, whatever shows it: hidden ones, turned ones, towers of accents."""
    wrong = [f"hidden {found!r}" for found in _HIDDEN.findall(text)[:1]]
    run = 0
    for letter in unicodedata.normalize("NFD", text):
        run = run + 1 if unicodedata.combining(letter) else 0
        if run > 5:
            return [*wrong, "a tower of accents"]
    return wrong


def foreign(text: str) -> list[str]:
    """Live addresses that are not ours."""
    return [found[0] for found in _URL.finditer(text) if found[1].lower() != _OURS]


def slack(payload: object) -> list[str]:
    """What is wrong with a message or view for Slack."""
    wrong = []
    for key, text in texts(payload):
        if key in ("text", "alt_text", "label"):
            wrong += letters(text) + [f"live {text[m.start() : m.start() + 20]!r}" for m in _SLACK_LIVE.finditer(text)]
            wrong += [f"link {url}" for url in foreign(text)]
    return wrong


def discord(payload: object) -> list[str]:
    """What is wrong with a message for Discord."""
    wrong = []
    for key, text in texts(payload):
        if key in ("content", "title", "description", "name", "value", "text", "label"):
            wrong += letters(text) + [
                f"live {text[m.start() : m.start() + 20]!r}" for m in _DISCORD_LIVE.finditer(text)
            ]
            wrong += [f"link {url}" for url in foreign(text)] + [f"masked {m[0]!r}" for m in _MASKED.finditer(text)]
    return wrong
