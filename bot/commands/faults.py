"""What platforms refuse, and what becomes of it: a page read off the adapters, so that it cannot lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bot.chats import discord_trouble, slack_web
from bot.ports import Gone, Retry

ACTIONS: Mapping[str, str] = {
    "post": "the head of a thread",
    "edit": "the head, again and again",
    "reply": "a line, with its mention",
    "pin": "pinning and unpinning",
    "chart": "the picture of the head",
    "answer": "to one person",
    "form": "before an answer",
}
OUTCOMES: Mapping[str, str] = {
    "again": "Tried again, as soon as the platform allows. Nothing is lost; `/readyz` says that the channel is in trouble.",
    "looks": "It may have been done: looked for, and only then tried again.",
    "afresh": "What we pointed at is gone: a fresh thread is posted. Somebody who deletes it over and over is believed "
    "after three times; then as *stops*.",
    "joins": "The bot joins, where the channel is public, and goes on; else as *stops*.",
    "opens": "The thread is unlocked and opened, and it goes on; else as *stops*.",
    "bare": "Shown without it.",
    "stops": "Not tried again by itself: a person must act. Another channel is told at once with the words of this page, as an "
    "incident of *Tocsin*; the page, `/readyz` and the log say it too. When it is mended: `tocsin retry CHANNEL`, or a change "
    "of the configuration.",
    "without": "Done without it, and said once in the log: `slack_goes_without` or `discord_goes_without`.",
    "unheard": "What was asked for is done, the answer does not arrive, and the log says so.",
    "said": "The person reads these words in place of the form.",
}
_HEAD = """\
# What can go wrong in the chats

Every error that the adapters tell apart, what it does to each thing that they do, the words that a person reads, and in
them what mends it. Written from the adapters by `bot/commands/faults.py`; a test drives both adapters into every cell.
"""


class Fault(NamedTuple):
    """An error of a platform: its name there, the words of ours for it, and what becomes of each action."""

    error: str
    words: str
    outcomes: Mapping[str, str]


def page() -> str:
    """The whole page, in Markdown."""
    parts = [_HEAD, "| What is done | |", "| --- | --- |", *(f"| *{a}* | {what} |" for a, what in ACTIONS.items())]
    parts += ["", "| What becomes of it | |", "| --- | --- |", *(f"| *{o}* | {what} |" for o, what in OUTCOMES.items())]
    for name, faults in (("Slack", slack()), ("Discord", discord())):
        parts += ["", f"## {name}", "", *_table(faults)]
    return "\n".join(parts) + "\n"


def slack() -> Iterator[Fault]:
    """The errors of Slack's Web API, by name."""
    where = "channel ops (C0123ABCD)"
    for error in (*slack_web.ERRORS, "any other"):
        name = error if error in slack_web.ERRORS else "an_error_that_is_new"
        yield _slack(error, slack_web.verdict(200, {"error": name, "needed": "..."}, where))
    yield _slack("HTTP 429", slack_web.verdict(429, {}, where))
    yield _slack("HTTP 5xx, or no answer", slack_web.verdict(503, {}, where))


def _slack(error: str, why: Exception) -> Fault:
    told = "joins" if isinstance(why, slack_web.Outside) else _told(why)
    chart = "bare" if isinstance(why, slack_web.Misfit) else "without"
    rest = {"pin": "without", "chart": chart, "answer": "unheard", "form": "said"}
    return Fault(error, str(why), {"post": told, "edit": told, "reply": told, **rest})


def discord() -> Iterator[Fault]:
    """The errors of Discord's API, by code."""
    for code, status in discord_trouble.ERRORS.items():
        yield _discord(code, status, str(code))
    yield _discord(99999, 400, "any other")
    yield _discord(0, 401, "HTTP 401")
    yield _discord(0, 429, "HTTP 429")
    yield _discord(0, 503, "HTTP 5xx, or no answer")


def _discord(code: int, status: int, error: str) -> Fault:
    where = "channel ops (456)"
    told = {
        action: _told(discord_trouble.verdict(status, code, where, gone))
        for action, gone in discord_trouble.GONE.items()
    }
    if code in discord_trouble.ASLEEP:
        told |= {"edit": "opens", "reply": "opens"}
    chart = "bare" if status in discord_trouble.PICTURELESS else told["edit"]
    told_to = "again" if status == 429 or status >= 500 else "unheard"  # the library itself repeats answers
    rest = {"pin": "without", "chart": chart, "answer": told_to, "form": told_to}
    return Fault(error, str(discord_trouble.verdict(status, code, where, said="...")), {**told, **rest})


def _told(why: Exception) -> str:
    """What becomes of a post, an edit or a line."""
    if isinstance(why, Retry):
        return "looks" if why.unsure else "again"
    return "afresh" if isinstance(why, Gone) else "stops"


def _table(faults: Iterable[Fault]) -> Iterator[str]:
    yield f"| Error | {' | '.join(ACTIONS)} | What a person reads |"
    yield f"|{' --- |' * (len(ACTIONS) + 2)}"
    for fault in faults:
        cells: Sequence[str] = [fault.outcomes[action] for action in ACTIONS]
        yield f"| {fault.error} | {' | '.join(cells)} | {fault.words} |"
