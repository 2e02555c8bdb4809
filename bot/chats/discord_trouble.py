"""What goes wrong with Discord, in the house's two kinds of failure and in words that say what to do.

Codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import aiohttp
import discord

from bot.ports import Gone, Refused, Retry

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, NOT_OURS, ARCHIVED, HAS_THREAD, LOCKED = 10003, 10008, 50005, 50083, 160004, 160005

_NO_ENTRY = "Discord refuses the token: make a new one under Bot in the developer portal, and set it as `token`"
_FIX = {
    10003: "there is no such channel: check the id in `channel`, and that the bot was invited to that server",
    10008: "it was deleted",
    30033: "this thread is full of people: make room in it",
    50001: "the bot cannot see it: give it the permission View Channel there",
    50005: "another bot wrote it, perhaps this one under an earlier token",
    50006: "the message was empty",
    50008: "it is neither a text channel nor a forum: choose one",
    30003: "the channel has as many pins as Discord allows: unpin some",
    50013: "give the bot the permissions Send Messages, Send Messages in Threads, Create Public Threads, Embed Links, "
    "Attach Files, Read Message History, Pin Messages and Manage Threads there",
    50024: "it is neither a text channel nor a forum: choose one",
    160005: "the thread is locked: unlock it, or give the bot the permission Manage Threads there",
    160006: "the server has as many active threads as Discord allows (1000): archive some",
    ARCHIVED: "the thread is archived: open it, or give the bot the permission Manage Threads there",
    40001: "the bot is not allowed to do this: invite it once more with `tocsin discord-invite`",
    40005: "the picture is larger than this server takes",
}
ASLEEP = (ARCHIVED, LOCKED)
"""What a thread says that can be woken."""
PICTURELESS = (403, 413)
"""The status where it may be the picture alone that is refused: it needs a permission, and room, of its own."""
GONE: Mapping[str, tuple[int, ...]] = {
    "post": (UNKNOWN_MESSAGE,),
    "edit": (UNKNOWN_MESSAGE, NOT_OURS),
    "reply": (UNKNOWN_CHANNEL, UNKNOWN_MESSAGE),
}
"""The codes that mean the message or thread is no more, by what was tried."""
ERRORS: Mapping[int, int] = {
    **dict.fromkeys(_FIX, 403),
    **dict.fromkeys((UNKNOWN_CHANNEL, UNKNOWN_MESSAGE), 404),
    **dict.fromkeys((30003, 30033, 50006, 50008, 50024, ARCHIVED, LOCKED, 160006), 400),
    40005: 413,
}
"""The codes that are told apart and the status that they come with; any other is refused in Discord's own words."""
_AWAY = timedelta(seconds=60)
_CLOSED = {
    4004: _NO_ENTRY,
    4013: "Discord does not know the intents that the bot asks for: update Tocsin",
    4014: "Discord wants an intent switched on that Tocsin does not need: update Tocsin",
}


@contextmanager
def troubles(where: str, *, gone: tuple[int, ...] = (), verb: str = "") -> Iterator[None]:
    """Turn the library's and the network's exceptions into `Retry`, `Refused` or `Gone`.

    `where` names the place in words, `gone` the codes that mean the thread or message is no more, `verb` what was tried.
    """
    try:
        yield
    except discord.RateLimited as limited:
        after = timedelta(seconds=limited.retry_after)
        raise Retry(f"Discord asks to wait {limited.retry_after:.0f} s ({where})", after=after) from limited
    except discord.LoginFailure as failure:
        raise Refused(_NO_ENTRY) from failure
    except discord.HTTPException as refusal:
        raise _judged(refusal, f"{where}: {verb}" if verb else where, gone) from refusal
    except discord.ConnectionClosed as closed:
        raise _hung_up(closed) from closed
    except discord.PrivilegedIntentsRequired as intents:
        raise Refused(_CLOSED[4014]) from intents
    except discord.GatewayNotFound as lost:
        raise Retry("Discord's gateway is not to be found") from lost
    except aiohttp.ClientConnectorError as unreachable:
        raise Retry(f"Discord is unreachable: {unreachable}") from unreachable
    except (aiohttp.ClientError, OSError) as broken:
        raise Retry(f"Discord gave no answer ({where}): {_named(broken)}", unsure=True) from broken
    except TypeError as odd:
        # A proxy's page instead of JSON comes out of the library as a string where it expected a mapping.
        raise Retry(f"Discord answered something that is not JSON ({where})", unsure=True) from odd


def _judged(refusal: discord.HTTPException, where: str, gone: Collection[int]) -> Exception:
    return verdict(refusal.status, refusal.code, where, gone, said=refusal.text, after=_wait(refusal))


def verdict(
    status: int,
    code: int,
    where: str,
    gone: Collection[int] = (),
    *,
    said: str = "",
    after: timedelta = _AWAY,
) -> Exception:
    """What an answer means that says no: `Retry`, `Refused` or `Gone`, with what to do in words."""
    if code in gone:
        return Gone(f"Discord, {where}: {_FIX[UNKNOWN_MESSAGE if code == UNKNOWN_CHANNEL else code]}")
    if status == 401:
        return Refused(_NO_ENTRY)
    if status == 429:
        return Retry(f"Discord asks to wait ({where})", after=after)
    if status >= 500:
        return Retry(f"Discord is in trouble itself ({where}): HTTP {status}", unsure=True)
    fix = _FIX.get(code) or _FIX.get(40005 if status == 413 else 0) or said or "no reason given"
    return Refused(f"Discord, {where}: {fix} (HTTP {status}, code {code})")


def _wait(refusal: discord.HTTPException) -> timedelta:
    """How long an edge server before Discord wants us away; it names whole seconds, or nothing."""
    said = refusal.response.headers.get("Retry-After", "")
    return timedelta(seconds=min(int(said), 86400)) if said.isdecimal() else _AWAY


def _hung_up(closed: discord.ConnectionClosed) -> Exception:
    if closed.code in _CLOSED:
        return Refused(_CLOSED[closed.code])
    return Retry(f"Discord's gateway hung up with code {closed.code}")


def _named(broken: BaseException) -> str:
    return f"{type(broken).__name__} {broken}".strip()
