"""Look out for another Tocsin: what probes see from here is reported there, each time only the newest of each watch.

Nothing is kept for long: what could not be sent is replaced by the next look, for an old one counts for nothing there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from bot.core.model import Signal
from bot.ports import Clock, Http, Refused, Reply, Retry, Unreachable

log = structlog.get_logger(__name__)

_GATHER = 1.0  # seconds in which several looks make one request
_PATIENCE = 10.0
_LONGEST_PAUSE = 30.0
_NOTE = 500
_PATH = "/api/v1/looks"

Label = tuple[str, str]


class Lookout:
    """Reports to `url` as the place `vantage`, with a token of that name there."""

    def __init__(self, http: Http, clock: Clock, *, url: str, vantage: str, token: str = "") -> None:
        self._http = http
        self._clock = clock
        self._url = f"{url.rstrip('/')}{_PATH}"
        self._vantage = vantage
        self._token = token
        self._news: dict[Label, Signal] = {}
        self._fresh = asyncio.Event()
        self._trouble = ""

    async def hear(self, service: str, watch: str, signal: Signal) -> None:
        """Keep what was seen until it is sent, or until it is seen anew."""
        self._news[service, watch] = signal
        self._fresh.set()

    async def run(self) -> None:
        """Send what there is, for ever; a break is said once, and its end."""
        failures = 0
        while True:
            await self._fresh.wait()
            await self._clock.sleep(_GATHER)
            try:
                rejected = await self.send()
            except (Retry, Refused) as why:
                failures += 1
                self._say(str(why))
                await self._clock.sleep(min(2.0 ** min(failures, 6), _LONGEST_PAUSE))
                continue
            failures = 0
            self._say("; ".join(sorted(set(rejected.values()))[:3]))

    async def send(self) -> Mapping[Label, str]:
        """Send all there is, once; answers what was rejected, and why.

        Raises:
            Retry: it did not arrive; nothing is lost.
            Refused: a person must act; the words say how.
        """
        sent = dict(self._news)
        self._fresh.clear()
        try:
            answer = _answered(await self._posted(sent))
        except Unreachable as why:
            self._fresh.set()
            raise Retry(f"the bot cannot be reached: {why}") from why
        except (Retry, Refused):
            self._fresh.set()
            raise
        for label in [label for label, signal in sent.items() if self._news.get(label) is signal]:
            del self._news[label]
        labels = list(sent)
        return {labels[row["index"]]: str(row["error"]) for row in answer if 0 <= row["index"] < len(labels)}

    async def _posted(self, sent: Mapping[Label, Signal]) -> Reply:
        looks = [_printed(label, signal) for label, signal in sent.items()]
        body = {"vantage": self._vantage, "sent_at": self._clock.now(), "looks": looks}
        authority = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return await self._http.get(
            self._url,
            method="POST",
            headers={"Content-Type": "application/json", **authority},
            body=msgspec.json.encode(body),
            allow_private=True,
            conditional=False,
            redirects=0,
            timeout=_PATIENCE,
        )

    def _say(self, trouble: str) -> None:
        if trouble and not self._trouble:
            log.warning("the bot does not take what is seen from here", why=trouble)
        if self._trouble and not trouble:
            log.info("the bot takes what is seen from here again")
        self._trouble = trouble


def _printed(label: Label, signal: Signal) -> dict[str, Any]:
    return {
        "service": label[0],
        "watch": label[1],
        "at": signal.at,
        "health": signal.health.word if signal.health is not None else None,
        "note": signal.note[:_NOTE],
        "error": signal.error,
    }


def _answered(reply: Reply) -> list[dict[str, Any]]:
    """The looks that were rejected, as the bot says it."""
    try:
        said = msgspec.json.decode(reply.body)
        told = said if isinstance(said, dict) else {}
    except msgspec.DecodeError:
        told = {}
    if reply.status in (202, 400) and isinstance(told.get("rejected"), list):
        return [row for row in told["rejected"] if isinstance(row, dict) and isinstance(row.get("index"), int)]
    why = f"the bot answered {reply.status}: {told.get('error', 'that is no Tocsin, or an older one')}"
    raise (Retry if reply.status in (408, 429) or reply.status >= 500 else Refused)(why)
