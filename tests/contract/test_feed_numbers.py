"""Numbers out of other programs: whole buckets only, gaps stay gaps, and nothing broken becomes a zero."""

import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from doubles.feeds import NOON, captured, feed, numbers, reply, sent
from doubles.pages import page, pages

from bot.core.model import Health, Signal
from bot.ports import Errand, Unreachable
from bot.world.clock import WallClock
from bot.world.web import Web

COUNTING = ("prometheus", "loki", "elasticsearch")
RIGHT = {"prometheus": "two-regions.json", "loki": "lines.json", "elasticsearch": "histogram.json"}


# Prometheus and Loki


async def test_prometheus_is_asked_for_whole_past_buckets_at_the_end_of_each() -> None:
    now = NOON + timedelta(seconds=10)
    _, [call] = await sent(feed("prometheus", query="sum(x)"), reply(captured("prometheus", "nothing.json")), now=now)
    form = parse_qs(call.body.decode())
    assert (call.method, call.path) == ("POST", "/api/v1/query_range")
    assert [float(form[key][0]) - NOON.timestamp() for key in ("start", "end")] == [-180, -60]
    assert (form["step"], form["query"]) == (["60"], ["sum(x)"])


async def test_a_bucket_is_asked_for_only_after_its_delay() -> None:
    late = feed("prometheus", delay="90s")
    _, [call] = await sent(late, reply(captured("prometheus", "nothing.json")), now=NOON + timedelta(seconds=29))
    assert parse_qs(call.body.decode())["end"] == [f"{NOON.timestamp() - 120:.3f}"]


async def test_no_request_is_made_while_there_is_nothing_whole() -> None:
    gathered, calls = await sent(feed("prometheus"), since=NOON - timedelta(seconds=5))
    assert (gathered.counts, gathered.until, gathered.error, calls) == ((), None, "", [])


async def test_series_are_told_apart_by_regions_we_know_and_added_up_where_we_do_not() -> None:
    gathered, _ = await sent(feed("prometheus"), reply(captured("prometheus", "two-regions.json")))
    assert numbers(gathered) == {
        (-4, "DE"): 3.0, (-4, ""): 2.0,
        (-3, "DE"): 4.0004,
        (-2, "DE"): 41.5, (-2, ""): 2.0,
    }  # fmt: skip
    assert gathered.until == NOON - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("empty", "expected"), [("unknown", {}), ("zero", {(-4, ""): 0.0, (-3, ""): 0.0, (-2, ""): 0.0})]
)
async def test_what_an_empty_answer_means_is_for_the_owner_to_say(empty: str, expected: dict[object, float]) -> None:
    gathered, _ = await sent(feed("prometheus", empty=empty), reply(captured("prometheus", "nothing.json")))
    assert numbers(gathered) == expected
    assert gathered.error == ""


@pytest.mark.parametrize("name", ["histogram.json", "refused.json", "vector.json"])
async def test_what_is_no_range_of_numbers_is_no_reading(name: str) -> None:
    gathered, _ = await sent(feed("prometheus", empty="zero"), reply(captured("prometheus", name)))
    assert (gathered.error, gathered.counts, gathered.until) == ("wrong_shape", (), None)


async def test_a_refusal_says_why() -> None:
    gathered, _ = await sent(feed("prometheus"), reply(captured("prometheus", "refused.json"), status=400))
    assert gathered.error == "http_400"
    assert "parse error" in gathered.note


async def test_a_long_absence_is_made_up_for_in_portions() -> None:
    gathered, [call] = await sent(
        feed("prometheus", bucket="30s"),
        reply(captured("prometheus", "nothing.json")),
        since=NOON - timedelta(hours=23),
    )
    assert gathered.until == NOON - timedelta(hours=23) + timedelta(minutes=750)
    assert float(parse_qs(call.body.decode())["end"][0]) == gathered.until.timestamp()


async def test_loki_is_asked_in_nanoseconds_and_its_silence_is_zero() -> None:
    gathered, [call] = await sent(feed("loki"), reply(captured("loki", "lines.json")))
    assert call.query["start"] == f"{int(NOON.timestamp()) - 180}000000000"
    assert numbers(gathered) == {(-4, ""): 0.0, (-3, ""): 7.0, (-2, ""): 0.0}


async def test_secrets_are_sent_and_not_shown() -> None:
    made = feed("prometheus", headers={"Authorization": "Bearer hush", "X-Scope-OrgID": "7"})
    _, [call] = await sent(made, reply(captured("prometheus", "nothing.json")))
    assert call.headers["Authorization"] == "Bearer hush"
    assert "hush" not in repr(made)


# A number against thresholds


def judged(name: str, **fields: object) -> Signal:
    when = fields.pop("when", {"degraded": ">= 0.01", "major_outage": "> 0.2"})
    made = feed("prometheus_value", url="https://p.example.com", query="x", when=when, **fields)
    return made.read(captured("prometheus", name), NOON)


def test_the_worst_series_counts() -> None:
    signal = judged("vector.json")
    assert (signal.health, signal.note) == (Health.MAJOR_OUTAGE, "0.31 (job login)")


def test_a_scalar_is_a_number_too() -> None:
    assert judged("scalar.json").health is Health.DEGRADED
    assert judged("scalar.json", when={"degraded": "< 0.02"}).health is Health.OPERATIONAL
    assert judged("scalar.json", when={"partial_outage": "<= 0.02"}).health is Health.PARTIAL_OUTAGE


def test_nothing_is_well_only_where_the_owner_says_so() -> None:
    nothing = b'{"status":"success","data":{"resultType":"vector","result":[]}}'
    made = feed("prometheus_value", url="https://p.example.com", query="up == 0", when={"degraded": ">= 0"})
    assert made.read(nothing, NOON).error == "wrong_shape"
    told = made.model_copy(update={"empty": "operational"})
    assert told.read(nothing, NOON).health is Health.OPERATIONAL


def test_a_value_that_is_no_number_is_no_reading() -> None:
    body = captured("prometheus", "vector.json").replace(b'"0.31"', b'"NaN"')
    made = feed("prometheus_value", url="https://p.example.com", query="x", when={"degraded": "> 1"})
    assert (made.read(body, NOON).health, made.read(body, NOON).error) == (None, "wrong_shape")


@pytest.mark.parametrize("written", ["0.5", "> much", "=> 3", 3, None, "> 1 or so", "!= 1"])
def test_what_is_no_condition_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="write one like"):
        feed("prometheus_value", url="https://p.example.com", query="x", when={"degraded": written})


# Elasticsearch


async def test_documents_are_counted_by_bucket_and_an_index_without_any_has_none() -> None:
    gathered, [call] = await sent(feed("elasticsearch"), reply(captured("elasticsearch", "histogram.json")))
    asked = json.loads(call.body)
    assert call.path == "/tickets/_search"
    assert asked["aggs"]["buckets"]["date_histogram"]["fixed_interval"] == "60s"
    assert asked["query"]["bool"]["filter"][0]["range"]["@timestamp"]["lt"] == (NOON.timestamp() - 60) * 1000
    assert numbers(gathered) == {(-4, ""): 5.0, (-3, ""): 0.0, (-2, ""): 212.0}


async def test_documents_are_told_apart_by_a_field_and_the_rest_is_kept() -> None:
    made = feed("elasticsearch", by={"platform": "os.name"})
    gathered, [call] = await sent(made, reply(captured("elasticsearch", "by-platform.json")))
    assert json.loads(call.body)["aggs"]["buckets"]["aggs"]["parts"]["terms"]["field"] == "os.name"
    assert numbers(gathered) == {(-4, ""): 0.0, (-3, ""): 0.0, (-2, "ios"): 6.0, (-2, ""): 4.0}


async def test_an_answer_of_some_shards_is_a_gap() -> None:
    gathered, _ = await sent(feed("elasticsearch"), reply(captured("elasticsearch", "shard-failed.json")))
    assert (gathered.error, gathered.counts) == ("wrong_shape", ())


# SQLite


@pytest.fixture
def shop(tmp_path: Path) -> str:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.execute("create table complaints (at real, country text)")
        at = NOON.timestamp()
        rows = [(at - 239, "DE"), (at - 181, "DE"), (at - 180, "FR"), (at - 61, None), (at - 1, "DE")]
        database.executemany("insert into complaints values (?, ?)", rows)
    database.close()
    return str(path)


SELECT = "select cast(at / 60 as int) * 60, count(*), country as region from complaints where at >= :since and at < :until group by 1, 3"


async def test_rows_are_counted_by_bucket_and_region(shop: str) -> None:
    gathered, _ = await sent(feed("sqlite", path=shop, statement=SELECT))
    assert numbers(gathered) == {(-4, "DE"): 2.0, (-3, "FR"): 1.0, (-2, ""): 1.0}


@pytest.mark.parametrize(
    "statement",
    [
        "delete from complaints",
        "insert into complaints values (1, 'DE')",
        "attach database '/tmp/other.db' as other",
        "pragma query_only = off",
        "drop table complaints",
        "select load_extension('x'), 1",
        "select 1; delete from complaints",
    ],
)
async def test_a_statement_can_do_nothing_but_read(shop: str, statement: str) -> None:
    gathered, _ = await sent(feed("sqlite", path=shop, statement=statement))
    assert gathered.error == "wrong_shape"
    with sqlite3.connect(shop) as database:
        assert database.execute("select count(*) from complaints").fetchone() == (5,)
    database.close()


async def test_a_statement_without_end_is_cut_off(shop: str) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select 1, count(*) from n"
    gathered, _ = await sent(feed("sqlite", path=shop, statement=endless, timeout="0.2s"))
    assert gathered.error == "timeout"


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("select 1", "a time and a number"),
        ("select 'noon', 1", "which is no time"),
        ("select missing, 1", "no such column"),
    ],
)
async def test_a_statement_that_gives_no_counts_says_why(shop: str, statement: str, why: str) -> None:
    gathered, _ = await sent(feed("sqlite", path=shop, statement=statement))
    assert gathered.error == "wrong_shape"
    assert why in gathered.note


async def test_a_file_that_is_not_there_is_no_reading_and_is_not_made(tmp_path: Path) -> None:
    gathered, _ = await sent(feed("sqlite", path=str(tmp_path / "none.db"), statement="select 1, 1"))
    assert gathered.error == "connect"
    assert not (tmp_path / "none.db").exists()


# Whatever goes wrong


@pytest.mark.parametrize("kind", COUNTING)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(b"<!doctype html><title>Sign in</title>"), "unparseable"),
        (reply(b'{"status":"succ'), "unparseable"),
        (reply(b""), "unparseable"),
        (reply(b"[]"), "wrong_shape"),
        (reply(b'{"message": "Forbidden"}'), "wrong_shape"),
        (reply(b"[" * 100_000), "unparseable"),
        (reply(b"gone", status=503), "http_503"),
        (reply(b"{}", status=401), "http_401"),
        (reply(b"", cf_mitigated="challenge"), "blocked"),
        (Unreachable("timeout", "no answer"), "timeout"),
    ],
)
async def test_what_is_no_answer_is_a_gap(kind: str, answer: object, error: str) -> None:
    gathered, _ = await sent(feed(kind), answer)
    assert (gathered.error, gathered.counts, gathered.until) == (error, (), None)
    assert gathered.note


@pytest.mark.parametrize("kind", COUNTING)
async def test_an_answer_cut_anywhere_is_a_gap(kind: str) -> None:
    whole = captured(kind, RIGHT[kind]).rstrip()
    for at in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        gathered, _ = await sent(feed(kind), reply(whole[:at]))
        assert gathered.error, whole[:at]


async def test_a_rate_limit_says_how_long_to_stay_away() -> None:
    gathered, _ = await sent(feed("loki"), reply(b"", status=429, retry_after="70"))
    assert gathered.wait == timedelta(seconds=70)


async def test_a_body_is_sent_over_a_real_connection() -> None:
    web = Web(WallClock())
    async with pages() as server:
        server.script("/api/v1/query_range", page(captured("prometheus", "two-regions.json")))
        made = feed("prometheus", url=server.url, allow_private=True)
        gathered = await made.gather(web, Errand(since=NOON - timedelta(minutes=4), now=NOON, keep=kept_nowhere))
    await web.aclose()
    assert gathered.error == ""
    assert server.asked[0].method == "POST"
    assert b"query=up" in server.asked[0].body


async def kept_nowhere(_: bytes) -> None:
    """For feeds that keep nothing."""
