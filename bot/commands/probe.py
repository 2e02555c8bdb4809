"""`tocsin probe`: look at a bot's probes from another place, and report there what is seen from here."""

from __future__ import annotations

import asyncio
import json
import signal as signals
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

import structlog
from pydantic import ValidationError

from bot.config.plugins import SOURCES
from bot.config.settings import Settings
from bot.core.model import Health, Signal
from bot.listening.asking import Asking
from bot.listening.lookout import Label, Lookout
from bot.ports import Refused, Retry, Source
from bot.sources.looks import Looked
from bot.world.clock import WallClock
from bot.world.steady import SteadyClock
from bot.world.web import Web

log = structlog.get_logger(__name__)

FINE, FINDINGS = 0, 1
Looks = Mapping[Label, Source]


@dataclass(frozen=True, kw_only=True)
class Target:
    """The bot to report to, the name of this place there, and the token of that name."""

    url: str
    vantage: str
    token: str = ""


def configured(settings: Settings, vantage: str) -> Looks:
    """The probes of a configuration that name this place; all of them when the place has no name.

    Raises:
        Refused: there are none.
    """
    probes = {
        (service.id, name): watch
        for service in settings.services.values()
        for name, watch in service.watches.items()
        if isinstance(watch, Looked)
    }
    found = {label: cast("Source", watch) for label, watch in probes.items() if vantage in ("", *watch.vantages)}
    if not found:
        place = f" that names the place {vantage!r} under `vantages`" if vantage else ""
        raise Refused(f"there is no probe in {settings.path}{place}")
    return found


def given(words: Sequence[str], every: timedelta, *, allow_private: bool) -> Looks:
    """Probes written as `SERVICE/WATCH=ADDRESS`; the scheme of the address says how to look.

    Raises:
        Refused: one is not written so, or nothing can be looked at there.
    """
    return dict(_one(word, every, allow_private=allow_private) for word in words)


def _one(words: str, every: timedelta, *, allow_private: bool) -> tuple[Label, Source]:
    name, _, address = words.partition("=")
    service, _, watch = name.partition("/")
    if not service or not watch or "://" not in address:
        raise Refused(f"{words!r} is no probe; write SERVICE/WATCH=ADDRESS, like shop/front=https://shop.example.com")
    try:
        fields = _fields(urlsplit(address), address)
        private = {"allow_private": True} if allow_private and fields["kind"] != "dns" else {}
        made = SOURCES[fields["kind"]].model_validate({**fields, "every": every, **private})
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise Refused(f"{words!r}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from wrong
    except ValueError as wrong:
        raise Refused(f"{words!r}: {wrong}") from wrong
    return (service, watch), cast("Source", made)


def _fields(parts: SplitResult, address: str) -> dict[str, Any]:
    """The fields of the watch that an address means."""
    if parts.scheme in ("http", "https"):
        return {"kind": "probe", "url": address}
    if parts.scheme not in ("tcp", "tls", "dns", "ping"):
        raise ValueError(f"nothing can be looked at by {parts.scheme!r}; use https, http, tcp, tls, dns or ping")
    port = {"port": parts.port} if parts.port is not None else {}
    return {"kind": parts.scheme, "host": parts.hostname or "", **port}


def run(looks: Looks, target: Target) -> int:
    """Look and report until SIGINT or SIGTERM."""
    return asyncio.run(_live(looks, target))


def once(looks: Looks, target: Target | None, *, as_json: bool = False) -> int:
    """Look once, print what is seen, and report it if there is somebody to report to; 1 when something is not well.

    Raises:
        Refused: it cannot be reported; the words say why.
    """
    return asyncio.run(_once(looks, target, as_json=as_json))


async def _live(looks: Looks, target: Target) -> int:
    clock, loop = SteadyClock(), asyncio.get_running_loop()
    http = Web(WallClock())
    lookout = Lookout(http, clock, url=target.url, vantage=target.vantage, token=target.token)
    asking = Asking(http=http, clock=clock, hear=lookout.hear, lively=lambda _: False)
    log.info("looking out", vantage=target.vantage, watches=len(looks), report_to=target.url)
    work = asyncio.create_task(_all(asking, lookout, looks))
    for number in (signals.SIGINT, signals.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    try:
        with suppress(asyncio.CancelledError):
            await work
    finally:
        await http.aclose()
    log.info("stopped")
    return FINE


async def _all(asking: Asking, lookout: Lookout, looks: Looks) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(lookout.run())
        for (service, watch), source in looks.items():
            group.create_task(asking.watch(service, watch, source))


async def _once(looks: Looks, target: Target | None, *, as_json: bool) -> int:
    clock = SteadyClock()
    http = Web(WallClock())
    try:
        seen = await asyncio.gather(*(source.ask(http, clock.now()) for source in looks.values()))
        found = dict(zip(looks, seen, strict=True))
        _print(found, as_json=as_json)
        if target is not None:
            await _report(Lookout(http, clock, url=target.url, vantage=target.vantage, token=target.token), found)
    finally:
        await http.aclose()
    return FINE if all(signal.health is Health.OPERATIONAL for signal in seen) else FINDINGS


async def _report(lookout: Lookout, found: Mapping[Label, Signal]) -> None:
    for label, signal in found.items():
        await lookout.hear(*label, signal)
    try:
        rejected = await lookout.send()
    except Retry as why:
        raise Refused(str(why)) from why
    if rejected:
        raise Refused("; ".join(f"{'/'.join(label)}: {why}" for label, why in rejected.items()))


def _print(found: Mapping[Label, Signal], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "service": service,
                "watch": watch,
                "level": _word(signal) or None,
                "note": signal.note,
                "error": signal.error,
            }
            for (service, watch), signal in found.items()
        ]
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
        return
    widest = max(len("/".join(label)) for label in found)
    sys.stdout.writelines(
        f"{'/'.join(label):<{widest}}  {_word(signal) or 'no reading':<14}  {signal.note}\n"
        for label, signal in found.items()
    )


def _word(signal: Signal) -> str:
    return signal.health.word if signal.health is not None else ""
