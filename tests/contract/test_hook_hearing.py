"""The memory of hooks on a real file: one effect for each message, across restarts, races and forgetting."""

import asyncio
import copy
import json
import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from doubles.senders import CAPTURES, NOW, House, capture, letter, packed, standard, watch
from structlog.testing import capture_logs

from bot.config.plugins import SOURCES
from bot.core.alerts import Alert
from bot.core.model import Health
from bot.database import Database
from bot.listening.hearing import Hearing
from bot.ports import Forbidden, Heard, Letter, Missing, Retry
from bot.stores.deliveries import DeliveryStore

FIRES, OVER = capture("standard/opened.json"), capture("standard/resolved.json")
KINDS = {
    "alertmanager": "alertmanager", "grafana": "grafana", "uptimekuma": "uptimekuma_hook", "gatus": "gatus_hook",
    "datadog": "datadog", "sentry": "sentry", "pagerduty": "pagerduty", "opsgenie": "opsgenie",
    "statuspage": "statuspage_hook", "statusgator": "statusgator", "cloudevents": "cloudevents",
    "standard": "standard_webhooks", "webhook": "webhook",
}  # fmt: skip


def house(tmp_path: Path, **watches: Any) -> House:
    return House(tmp_path, {"shop": watches or {"std": watch("standard_webhooks")}})


def std(body: bytes, name: str, *, late: float = 0) -> Letter:
    at = NOW + timedelta(seconds=late)
    return Letter(at=at, body=body, headers=standard(body, name=name, at=at))


async def test_a_thousand_copies_of_a_message_have_one_effect(tmp_path: Path, prove: Any) -> None:
    shop = house(tmp_path)
    async with shop.awake() as hearing:
        fresh = await asyncio.gather(*(hearing.take("shop", "std", std(FIRES, "msg_1")) for _ in range(1_000)))
    wrong = [] if sum(fresh) == len(shop.signals) == 1 else [sum(fresh), shop.signals]
    assert shop.last.health is Health.PARTIAL_OUTAGE
    prove("R37", 1_000, wrong, "copies of one delivery at the same time, with one effect")


def test_every_kind_of_hook_has_bodies_here() -> None:
    there = {kind for kind, model in SOURCES.items() if hasattr(model, "hear")}
    assert there - set(KINDS.values()) == {"sns"}  # its messages are in a file of their own


async def test_a_copy_is_known_after_a_restart_too(tmp_path: Path) -> None:
    shop = house(tmp_path)
    async with shop.awake() as hearing:
        assert await hearing.take("shop", "std", std(FIRES, "msg_1"))
        assert await hearing.take("shop", "std", std(OVER, "msg_2"))
    async with shop.awake() as hearing:
        assert not await hearing.take("shop", "std", std(FIRES, "msg_1"))
    assert [s.health for _, _, s in shop.signals] == [Health.PARTIAL_OUTAGE, Health.OPERATIONAL, Health.OPERATIONAL]


async def test_what_fires_still_fires_after_a_restart_and_ends_in_the_next_life(tmp_path: Path) -> None:
    shop = house(tmp_path, am=watch("alertmanager"))
    both = {"version": "4", "alerts": [_fires("a", "critical"), _fires("b", "warning")]}
    async with shop.awake() as hearing:
        await hearing.take("shop", "am", letter("alertmanager", packed(both)))
    async with shop.awake() as hearing:
        assert (shop.last.health, shop.last.note) == (Health.MAJOR_OUTAGE, "a (and 1 more)")
        await hearing.take("shop", "am", letter("alertmanager", packed({"alerts": [_over("a", "critical")]})))
        assert shop.last.health is Health.DEGRADED
    async with shop.awake() as hearing:
        await hearing.take("shop", "am", letter("alertmanager", packed({"alerts": [_over("b", "warning")]})))
    assert shop.last.health is Health.OPERATIONAL


def _fires(name: str, severity: str) -> Mapping[str, Any]:
    return {
        "status": "firing",
        "fingerprint": name,
        "labels": {"alertname": name, "severity": severity},
        "annotations": {},
    }


def _over(name: str, severity: str) -> Mapping[str, Any]:
    return {**_fires(name, severity), "status": "resolved"}


async def test_a_watch_that_never_heard_anything_says_nothing_when_it_wakes(tmp_path: Path) -> None:
    shop = house(tmp_path)
    async with shop.awake():
        assert shop.signals == []


async def test_an_alert_nobody_takes_back_is_forgotten_in_time(tmp_path: Path) -> None:
    shop = house(tmp_path, gatus=watch("gatus_hook", forget_after="2h"))
    async with shop.awake() as hearing:
        running = asyncio.create_task(hearing.run())
        await hearing.take("shop", "gatus", letter("gatus_hook", capture("gatus/triggered.json")))
        await _pass(shop, hearing, 3_600)
        assert len(shop.signals) == 1
        await hearing.take("shop", "gatus", letter("gatus_hook", capture("gatus/triggered.json")))
        await _pass(shop, hearing, 7_000)
        assert shop.last.health is Health.MAJOR_OUTAGE
        await _pass(shop, hearing, 300)
        assert shop.last.health is Health.OPERATIONAL
        running.cancel()


async def test_an_alert_that_was_to_be_forgotten_while_we_were_away_is(tmp_path: Path) -> None:
    shop = house(tmp_path, gatus=watch("gatus_hook", forget_after="2h"))
    async with shop.awake() as hearing:
        await hearing.take("shop", "gatus", letter("gatus_hook", capture("gatus/triggered.json")))
    shop.clock.jump(8_000)
    async with shop.awake():
        assert shop.last.health is Health.OPERATIONAL


async def _pass(shop: House, hearing: Hearing, seconds: float) -> None:
    """Let time pass in steps; a write of our own that returns says that those before it are done."""
    for _ in range(int(seconds // 100)):
        await shop.clock.advance(100)
        for _ in range(3):
            await hearing._ledger.forget(NOW - timedelta(days=99))
            await shop.clock.settle()


async def test_names_of_messages_are_kept_for_a_day_and_no_longer(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    ledger = DeliveryStore(database)
    day = timedelta(hours=24)
    await ledger.keep("shop/std", b"1", ["old", "a" * 10_000], NOW)
    await ledger.keep("shop/std", b"2", ["new"], NOW + timedelta(hours=1))
    await ledger.forget(NOW + timedelta(minutes=30))
    assert await ledger.known("shop/std", ["old", "new", "a" * 10_000]) == {"new"}
    assert await ledger.known("shop/other", ["new"]) == frozenset()
    await ledger.forget(NOW + day)
    assert await ledger.recall() == {"shop/std": b"2"}
    await database.aclose()


async def test_a_message_that_could_not_be_kept_may_come_again(tmp_path: Path) -> None:
    shop = house(tmp_path)
    async with shop.awake() as hearing:
        keep, hearing._ledger.keep = hearing._ledger.keep, _full
        with pytest.raises(Retry, match="the disk is full"):
            await hearing.take("shop", "std", std(FIRES, "msg_1"))
        assert shop.signals == []
        hearing._ledger.keep = keep
        assert await hearing.take("shop", "std", std(FIRES, "msg_1"))
    assert len(shop.signals) == 1


async def _full(*_: object) -> None:
    raise Retry("the disk is full")


async def test_a_hint_makes_the_page_be_asked_and_claims_nothing(tmp_path: Path) -> None:
    shop = house(tmp_path, hint=watch("statuspage_hook"))
    async with shop.awake() as hearing:
        assert await hearing.take("shop", "hint", letter("statuspage_hook", capture("statuspage/incident.json")))
    assert shop.asked == ["shop"]
    assert shop.signals == []


async def test_there_is_no_hook_of_another_name(tmp_path: Path) -> None:
    async with house(tmp_path).awake() as hearing:
        for service, name in (("shop", "nope"), ("nope", "std"), ("", ""), ("shop/std", "")):
            with pytest.raises(Missing, match="no hook"):
                await hearing.take(service, name, std(FIRES, "msg_1"))


async def test_a_refusal_is_logged_once_and_so_is_its_end(tmp_path: Path) -> None:
    with capture_logs() as lines:
        async with house(tmp_path).awake() as hearing:
            for _ in range(3):
                with pytest.raises(Forbidden):
                    await hearing.take("shop", "std", Letter(at=NOW, body=FIRES))
            await hearing.take("shop", "std", std(FIRES, "msg_1"))
    assert [line["event"] for line in lines] == ["hook refuses what it is sent", "hook takes what it is sent again"]
    assert lines[0]["watch"] == "shop/std"


class Three:
    """Tells of what the letter's body says, one letter per alert."""

    async def hear(self, letter: Letter, _: object) -> Heard:
        return Heard(alerts=tuple(Alert(key=c, health=Health.DEGRADED, id=c) for c in letter.body.decode()))


async def test_of_a_batch_only_what_is_new_counts(tmp_path: Path) -> None:
    shop = house(tmp_path, batch=Three())
    async with shop.awake() as hearing:
        for body, fresh, note in ((b"ab", True, "(and 1 more)"), (b"ba", False, ""), (b"abc", True, "(and 2 more)")):
            assert await hearing.take("shop", "batch", Letter(at=NOW, body=body)) is fresh
            assert note in shop.last.note
    assert len(shop.signals) == 2


# Bodies nobody means well by


WORST = (
    None, [], {}, -1, 0, 1e308, 10**30, True, "", "0", "9" * 19, "a" * 5_000, "\ud800", "\0", [[[[]]]], {"a": {"b": 1}},
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", 9e18, "http://[::1", "https://a\u202eb/", "<b>&amp;lt;script&amp;gt;",
)  # fmt: skip
BAD = (b"", b"\0", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5_000, b"1e999", b"NaN", b"{}", b"[[]]", b'"x"', b"<html>")


def hostile(folder: str, count: int) -> Iterator[bytes]:
    """The captures of a kind, spoiled in one to five places or cut short, always in the same ways; and bodies simply bad."""
    dice = random.Random(folder)
    whole = [
        json.loads(text) for path in sorted((CAPTURES / folder).glob("*.json")) if _sound(text := path.read_bytes())
    ]
    yield from BAD
    for _ in range(count):
        document = copy.deepcopy(dice.choice(whole))
        for _ in range(dice.choice((1, 1, 2, 5))):
            place = dice.choice(list(_places(document)))
            document = _put(document, place, copy.deepcopy(dice.choice(WORST)))
        body = json.dumps(document).encode()
        yield body[: dice.randrange(len(body))] if dice.random() < 0.1 else body


def _sound(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _places(document: Any, trail: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield trail
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inside:
        yield from _places(value, (*trail, key))


def _put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return document


TRIES = [pytest.param(1_000, id="often"), pytest.param(5_000, id="for long", marks=pytest.mark.soak)]


@pytest.mark.parametrize("tries", TRIES)
@pytest.mark.parametrize(("folder", "kind"), KINDS.items())
async def test_no_body_breaks_a_hook_whatever_it_says(folder: str, kind: str, tries: int, prove: Any) -> None:
    hook = watch(kind)
    read = 0
    for body in hostile(folder, tries):
        delivery = letter(kind, body, headers={"content-type": "application/cloudevents+json"})
        try:
            found = await hook.hear(delivery, None)
        except (ValueError, Forbidden):
            continue
        read += 1
        assert len(packed([str(a) for a in found.alerts])) < 20_000
        for alert in found.alerts:
            assert 0 < len(alert.key) <= 200
            assert len(alert.title) <= 200
            assert alert.title.isprintable()
            assert alert.url == "" or alert.url.startswith(("http://", "https://"))
    assert read, folder
    prove("R27", tries, [], "spoiled bodies for each kind of hook, rightly signed")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "http://", "https://a b", "//x", 7, "x" * 600]
)
async def test_a_link_that_is_none_is_left_out(url: object) -> None:
    body = packed({"key": "k", "state": "firing", "url": url})
    [alert] = (await watch("webhook").hear(letter("webhook", body), None)).alerts
    assert alert.url == ""


async def test_a_megabyte_of_alerts_is_bounded_in_memory_and_on_disk(tmp_path: Path) -> None:
    shop = house(tmp_path, am=watch("alertmanager"))
    many = packed({"alerts": [_fires(f"{n:08}", "critical") for n in range(8_000)]})
    async with shop.awake() as hearing:
        await hearing.take("shop", "am", letter("alertmanager", many[:-2] + b"]}"))
        memory = hearing._memory["shop", "am"]
    assert len(memory.firing) == 1_000
    assert (tmp_path / "state.db").stat().st_size < 1_000_000
