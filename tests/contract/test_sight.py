"""Whose fault it is when nothing answers: other hosts are knocked at before a probe is believed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from doubles.clock import ManualClock
from doubles.world import World
from structlog.testing import capture_logs

from bot.app import House, Serving
from bot.config.errors import Misconfigured
from bot.config.plugins import SOURCES
from bot.config.read import read
from bot.core.model import Health, Signal
from bot.listening.sight import Door, Sight, door
from bot.ports import Source

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTS = ("https://a.com/", "https://b.org/", "https://c.net/", "https://d.io/")


def watch(url: str, **fields: Any) -> Source:
    made = SOURCES["probe"].model_validate({"kind": "probe", "url": url, **fields})
    assert isinstance(made, Source)
    return made


class Room:
    """Sight over a made-up world; every host answers at first."""

    def __init__(self, *, canaries: Sequence[str] = (), inside: Sequence[str] = ()) -> None:
        self.clock = ManualClock(START)
        self.world = World(self.clock, slow=False)
        self.told: list[bool] = []
        self.sight = Sight(self.world, self.clock, canaries=canaries, changed=self.changed)
        self.watches = {url: watch(url, allow_private=url in inside) for url in (*HOSTS, *inside)}

    async def changed(self, blind: bool) -> None:  # noqa: FBT001
        self.told.append(blind)

    async def asked(self, url: str, error: str = "") -> bool:
        """Ask a host; what it comes to, as the loop of a watch would."""
        health = Health.MAJOR_OUTAGE if error else Health.OPERATIONAL
        return await self.sight.sees(url, self.watches[url], Signal(at=self.clock.now(), health=health, error=error))

    async def well(self) -> None:
        for url in self.watches:
            assert await self.asked(url)
        self.clock.jump(20)


async def test_the_first_host_out_of_reach_has_the_others_knocked_at_and_is_not_believed_when_none_answers() -> None:
    room = Room()
    await room.well()
    room.world.cut = "dns"
    assert not await room.asked(HOSTS[0], "dns")
    assert sorted(room.world.knocked) == ["b.org", "c.net", "d.io"]
    assert room.sight.blind


async def test_one_host_out_of_reach_is_believed_when_the_others_answer() -> None:
    room = Room()
    await room.well()
    room.world.down = {"a.com"}
    assert await room.asked(HOSTS[0], "timeout")
    assert not room.sight.blind


async def test_many_failures_at_once_share_a_few_knocks() -> None:
    room = Room()
    room.watches |= {f"https://site-{n}.com/": watch(f"https://site-{n}.com/") for n in range(100)}
    await room.well()
    room.world.cut = "connect"
    for url in list(room.watches)[:50]:
        assert not await room.asked(url, "connect")
    assert len(room.world.knocked) <= 6


async def test_while_we_see_nobody_is_knocked_at() -> None:
    room = Room()
    await room.well()
    await room.well()
    assert room.world.knocked == []


async def test_sight_is_lost_and_regained_once_and_what_was_begun_before_is_still_ours() -> None:
    room = Room()
    await room.well()
    room.world.cut = "timeout"
    with capture_logs() as logs:
        for _ in range(3):
            for url in HOSTS:
                assert not await room.asked(url, "connect")
            room.clock.jump(10)
        room.world.cut = ""
        begun = Signal(at=room.clock.now(), health=Health.MAJOR_OUTAGE, error="timeout")
        room.clock.jump(10)
        assert await room.asked(HOSTS[1])
        assert not await room.sight.sees(HOSTS[0], room.watches[HOSTS[0]], begun)
        assert await room.asked(HOSTS[0], "timeout")
    assert room.told == [True, False]
    assert [log["event"].partition(":")[0] for log in logs] == ["we look blind", "we see again"]


async def test_our_own_premises_are_judged_apart_from_the_world() -> None:
    inside = ("http://10.0.0.1/", "http://10.0.0.2/", "http://10.0.0.3/")
    room = Room(inside=inside)
    await room.well()
    room.world.cut = "connect"
    assert not await room.asked(HOSTS[0], "connect")
    room.world.down = {"10.0.0.1"}
    assert await room.asked(inside[0], "timeout")
    room.world.cut, room.world.down = "", {"10.0.0.1", "10.0.0.2", "10.0.0.3"}
    room.clock.jump(10)
    assert not await room.asked(inside[0], "timeout")
    assert await room.asked(HOSTS[0])


CANARIES = ("https://canary.example.net", "https://canary.example.org")


async def test_a_canary_tells_for_two_hosts_what_they_could_not_tell_themselves() -> None:
    for canaries, believed in (((), True), (CANARIES, False)):
        room = Room(canaries=canaries)
        room.watches = {url: room.watches[url] for url in HOSTS[:2]}
        await room.well()
        room.world.cut = "connect"
        assert await room.asked(HOSTS[0], "connect") is believed


async def test_a_canary_that_answers_proves_that_most_of_the_watched_hosts_are_down() -> None:
    room = Room(canaries=CANARIES)
    await room.well()
    room.world.down = {"a.com", "b.org", "c.net", "canary.example.net"}
    for url in HOSTS[:3]:
        assert await room.asked(url, "timeout")
    assert not room.sight.blind


async def test_sight_comes_back_by_the_canaries_alone_when_no_host_fails_any_more() -> None:
    room = Room(canaries=CANARIES)
    await room.well()
    room.world.cut = "connect"
    assert not await room.asked(HOSTS[0], "connect")
    room.world.cut = ""
    room.clock.jump(60)
    assert await room.asked(HOSTS[1])
    assert room.told == [True, False]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"kind": "probe", "url": "https://a.com"}, Door(host="a.com", port=443, tls=True)),
        (
            {"kind": "probe", "url": "http://a.com:81/x"},
            Door(host="a.com", port=81, tls=False, url="http://a.com:81/x"),
        ),
        ({"kind": "tcp", "host": "a.com", "port": 25}, Door(host="a.com", port=25, tls=False)),
        ({"kind": "tls", "host": "a.com", "allow_private": True}, Door(host="a.com", port=443, tls=True, inside=True)),
        ({"kind": "ping", "host": "a.com"}, None),
        ({"kind": "dns", "host": "a.com"}, None),
    ],
)
def test_a_door_is_where_the_watch_itself_looks(fields: dict[str, Any], found: Door | None) -> None:
    assert door(SOURCES[fields["kind"]].model_validate(fields)) == found


@pytest.mark.parametrize("value", ["http://example.com", "https://192.0.2.7", "https://[2001:db8::1]", "example.com"])
def test_a_canary_that_would_prove_too_little_is_refused_with_its_line(tmp_path: Path, value: str) -> None:
    (tmp_path / "config.yaml").write_text(f'canaries: ["{value}"]\n')
    with pytest.raises(Misconfigured) as wrong:
        read(tmp_path / "config.yaml", {})
    assert wrong.value.problems[0].place.line == 1


async def test_being_blind_is_told_once_as_a_trouble_of_the_house(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        'web: {listen: "127.0.0.1:0"}\nservices: {shop: {}}\ncanaries: ["https://a.com"]\n'
    )
    house = House(read(tmp_path / "config.yaml", {}), ManualClock(START), None)
    await house.wake()
    serving = Serving(house, asking=False, beating=False)
    assert serving.sight.canaries == ("https://a.com",)
    serving.sight._http = world = World(house.clock)  # type: ignore[assignment]
    front = watch("https://a.com/")
    for cut in ("connect", "connect", ""):
        world.cut = cut
        house.clock.jump(timedelta(seconds=10).total_seconds())  # type: ignore[attr-defined]
        health = Health.MAJOR_OUTAGE if cut else Health.OPERATIONAL
        signal = Signal(at=house.clock.now(), health=health, error=cut)
        await serving.sight.sees("shop/front", front, signal)
        assert ("connection" in house.ailing.said) is bool(cut)
    [incident] = [case.incident for case in await house.store.cases(".")]
    assert incident is not None
    assert [entry.kind for entry in await house.store.entries(incident.id)] == ["opened", "closed"]
    await serving.http.aclose()
    await house.aclose()
