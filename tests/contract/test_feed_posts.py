"""What people say in public: found by words, each post once, and nothing is asked more often or costs more than allowed."""

import json
from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest
from doubles.feeds import NOON, Call, captured, feed, numbers, reply, sent

from bot.core.mentions import Mentions
from bot.core.posts import MOST_NAMED
from bot.core.telling import tell
from bot.ports import Gathered, Reply, Unreachable
from bot.sources.bluesky import read as overheard

HOUR = NOON - timedelta(hours=1)
POSTING = {"hackernews": "hits.json", "mastodon": "tag.json"}


def ids(gathered: Gathered) -> list[str]:
    return [post.id for post in gathered.posts]


# Hacker News


async def test_stories_and_comments_are_found_by_what_they_or_their_story_name() -> None:
    gathered, [call] = await sent(feed("hackernews"), reply(captured("hackernews", "hits.json")), since=HOUR)
    assert call.query["query"] == "github down"
    assert call.query["numericFilters"] == f"created_at_i>={int(HOUR.timestamp())}"
    assert ids(gathered) == ["47000001", "47000002", "47000003"]
    assert [tell(post.text).counts for post in gathered.posts] == [True, True, False]
    assert gathered.posts[1].text == "Down for me in Berlin too.\nPushes fail with 503."


async def test_the_words_of_the_service_serve_where_a_feed_has_none() -> None:
    made = feed("hackernews", words=[])
    _, calls = await sent(made, reply(captured("hackernews", "hits.json")), words=["gitlab down", "gitlab outage"])
    assert [call.query["query"] for call in calls] == ["gitlab down", "gitlab outage"]
    gathered, calls = await sent(made)
    assert (gathered.error, calls) == ("wrong_shape", [])
    assert "no words" in gathered.note


async def test_listening_without_hearing_anything_is_a_zero_and_not_a_gap() -> None:
    nothing = reply(b'{"hits": [], "nbHits": 0}')
    gathered, _ = await sent(feed("hackernews"), nothing, now=NOON + timedelta(seconds=40))
    [heard] = gathered.counts
    assert (heard.since, heard.until, heard.count) == (NOON - timedelta(minutes=4), NOON, 0.0)
    assert gathered.until == NOON


# Mastodon


async def test_a_tag_is_followed_from_the_last_post_on_without_robots_and_boosts() -> None:
    gathered, [call] = await sent(feed("mastodon"), reply(captured("mastodon", "tag.json")))
    assert "min_id" not in call.query
    assert ids(gathered) == ["116000000000000004", "116000000000000002"]
    assert all(tell(post.text).counts for post in gathered.posts)
    _, [call] = await sent(feed("mastodon"), reply(b"[]"), memory=gathered.memory)
    assert int(call.query["min_id"]) >> 16 == (116000000000000004 >> 16) - 5 * 60_000  # some come late


async def test_a_full_page_of_a_tag_is_followed_by_the_next_one() -> None:
    [status] = json.loads(captured("mastodon", "tag.json"))[:1]
    full = [{**status, "id": str(int(status["id"]) + n)} for n in range(40)]
    gathered, calls = await sent(feed("mastodon"), reply(json.dumps(full).encode()), reply(b"[]"))
    assert len(gathered.posts) == 40
    assert [call.query.get("min_id") for call in calls] == [None, str(int(status["id"]) + 39)]


async def test_a_server_at_its_limit_is_left_alone() -> None:
    gathered, _ = await sent(feed("mastodon"), reply(b"[]", x_ratelimit_remaining="2"))
    assert gathered.wait == timedelta(minutes=5)


async def test_a_memory_that_cannot_be_read_is_no_memory() -> None:
    gathered, [call] = await sent(feed("mastodon"), reply(b"[]"), memory=b"\xff{")
    assert (gathered.error, "min_id" in call.query) == ("", False)


# Reddit


def desk(listing: bytes, tokens: list[str], refused: int = 0) -> Any:
    """Reddit or Downdetector: gives tokens, and takes the last one only."""

    def answer(call: Call) -> Reply:
        nonlocal refused
        if "token" in call.path:
            tokens.append(f"t{len(tokens)}")
            return reply(json.dumps({"access_token": tokens[-1], "expires_in": 3600}).encode())
        if refused and refused >= len(tokens):
            return reply(b'{"error": true, "message": "Invalid or expired token"}', status=401)
        assert call.headers["Authorization"] == f"Bearer {tokens[-1]}"
        return reply(listing)

    return answer


async def test_reddit_is_searched_by_words_and_told_who_asks() -> None:
    tokens: list[str] = []
    gathered, calls = await sent(feed("reddit"), desk(captured("reddit", "listing.json"), tokens))
    enter, search = calls
    assert b64decode(enter.headers["Authorization"].removeprefix("Basic ")) == b"me:hush"
    assert enter.body == b"grant_type=client_credentials"
    assert all("by /u/somebody" in call.headers["User-Agent"] for call in calls)
    assert (search.path, search.query["q"], search.query["sort"]) == ("/search", "(discord down)", "new")
    assert ids(gathered) == ["t3_aaa1"]


async def test_in_a_services_own_subreddit_a_post_need_not_name_it() -> None:
    made = feed("reddit", subreddits=["discordapp"], own=True, words=[])
    gathered, calls = await sent(made, desk(captured("reddit", "listing.json"), []))
    assert calls[-1].path == "/r/discordapp/new"
    assert ids(gathered) == ["t3_aaa1", "t3_aaa2"]


async def test_a_right_to_ask_is_used_until_it_ends_and_got_again_when_it_is_taken_back() -> None:
    tokens: list[str] = []
    made = feed("reddit")
    for minutes in (0, 10, 50):
        await sent(made, desk(captured("reddit", "listing.json"), tokens), now=NOON + timedelta(minutes=minutes))
    assert len(tokens) == 2
    gathered, calls = await sent(made, desk(captured("reddit", "listing.json"), tokens, refused=2))
    assert (gathered.error, len(tokens), len(calls)) == ("", 3, 3)
    gathered, _ = await sent(made, desk(b"", tokens, refused=9))
    assert gathered.error == "http_401"


async def test_an_allowance_that_is_used_up_is_waited_for() -> None:
    listing = captured("reddit", "listing.json")

    def answer(call: Call) -> Reply:
        if "token" in call.path:
            return reply(captured("reddit", "token.json"))
        return reply(listing, x_ratelimit_remaining="1.0", x_ratelimit_reset="212")

    gathered, _ = await sent(feed("reddit"), answer)
    assert gathered.wait == timedelta(seconds=212)


# Downdetector


async def test_quarters_are_counted_when_they_are_whole() -> None:
    made = feed("downdetector", region="us")
    since, now = NOON - timedelta(minutes=50), NOON + timedelta(seconds=30)
    gathered, calls = await sent(made, desk(captured("downdetector", "reports.json"), []), since=since, now=now)
    assert calls[0].path == "/v2/tokens"
    assert calls[0].method == "POST"
    assert (calls[1].path, calls[1].query["startdate"]) == ("/v2/slugs/teams/reports", "2026-03-01T11:00:00Z")
    assert numbers(gathered) == {(-45, "US"): 12.0, (-30, "US"): 250.0}
    assert gathered.until == NOON - timedelta(minutes=15)


async def test_reports_are_shared_out_by_the_problems_that_people_chose() -> None:
    made = feed("downdetector", company=38018)

    def answer(call: Call) -> Reply:
        name = "token" if "tokens" in call.path else "indicators" if "indicators" in call.path else "reports"
        return reply(captured("downdetector", f"{name}.json"))

    gathered, _ = await sent(made, answer, since=NOON - timedelta(minutes=30), now=NOON + timedelta(minutes=2))
    assert numbers(gathered) == {
        (-30, "login"): 144.0, (-30, "connection"): 72.0, (-30, "other"): 24.0, (-30, ""): 10.0,
        (-15, "login"): 54.0, (-15, "connection"): 27.0, (-15, "other"): 9.0, (-15, ""): 10.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (captured("downdetector", "error.json"), "Invalid or expired token"),
        (b'[{"point_in_time": "soon", "total": 1}]', "no time"),
        (b"[1, 2]", "no answer"),
        (b'"danger"', "no answer"),
    ],
)
async def test_what_is_no_series_of_reports_is_a_gap(body: bytes, words: str) -> None:
    gathered, _ = await sent(feed("downdetector"), desk(body, []), since=HOUR)
    assert (gathered.error, gathered.counts) == ("wrong_shape", ())
    assert words in gathered.note


# X


async def test_the_minutes_of_x_are_counted_without_the_one_that_is_cut() -> None:
    gathered, [call] = await sent(feed("x"), reply(captured("x", "counts.json")), now=NOON + timedelta(seconds=31))
    assert call.query["query"] == '(("github" "down")) -is:retweet'
    assert (call.query["start_time"], call.query["end_time"]) == ("2026-03-01T11:56:00Z", "2026-03-01T12:00:00Z")
    assert numbers(gathered) == {(-4, ""): 3.0, (-3, ""): 0.0, (-2, ""): 41.0}


async def test_no_posts_at_all_are_zeros() -> None:
    gathered, _ = await sent(feed("x"), reply(captured("x", "none.json")))
    assert set(numbers(gathered).values()) == {0.0}


async def test_the_budget_is_spread_over_the_day_and_written_down_before_it_is_spent() -> None:
    kept: list[bytes] = []
    gathered, _ = await sent(feed("x", budget=0.5), reply(captured("x", "counts.json")), kept=kept)
    assert json.loads(kept[0]) == {"day": "2026-03-01", "requests": 1}
    assert gathered.wait == timedelta(hours=12) / 99
    lavish, _ = await sent(feed("x", budget=100.0), reply(captured("x", "counts.json")))
    assert lavish.wait == timedelta(minutes=5)


async def test_an_answer_that_never_comes_is_paid_for_all_the_same() -> None:
    kept: list[bytes] = []
    memory = b'{"day": "2026-03-01", "requests": 7}'
    gathered, _ = await sent(feed("x"), Unreachable("timeout", "no answer"), kept=kept, memory=memory)
    assert gathered.error == "timeout"
    assert json.loads(kept[0])["requests"] == 8


async def test_a_spent_budget_asks_nothing_until_the_next_day() -> None:
    memory = b'{"day": "2026-03-01", "requests": 200}'
    gathered, calls = await sent(feed("x", budget=1.0), memory=memory)
    assert (calls, gathered.until, gathered.error) == ([], None, "")
    assert gathered.wait == timedelta(hours=12)
    assert "00:00 UTC" in gathered.note
    _, calls = await sent(feed("x", budget=1.0), reply(captured("x", "none.json")), memory=memory.replace(b"01", b"02"))
    assert len(calls) == 1


async def test_a_query_is_never_longer_than_x_takes() -> None:
    made = feed("x", words=[f'service number {n} is "down" again' for n in range(20)], languages=["en", "ja"])
    query = made.query(made.words)
    assert 300 < len(query) <= 512
    assert query.endswith(" (lang:en OR lang:ja) -is:retweet")


async def test_a_limit_of_x_is_waited_for() -> None:
    limit = reply(captured("x", "too-many.json"), status=429, x_rate_limit_reset=str(int(NOON.timestamp()) + 3_000))
    gathered, _ = await sent(feed("x", budget=100.0), limit)
    assert (gathered.error, gathered.wait) == ("http_429", timedelta(seconds=3_000))


# Bluesky


def test_posts_are_read_out_of_the_stream_and_the_rest_only_moves_the_cursor() -> None:
    heard = [overheard(line) for line in captured("bluesky", "events.jsonl").splitlines()]
    assert all(heard)
    texts = [post.text for one in heard if one for post in one.posts]
    assert texts == [
        "is twitter down for anyone else",
        "ツイッター落ちてる😭",
        "down with github discord slack and twitter, all broken",
        "twitter still down wtf",
    ]
    assert heard[0] is not None
    assert heard[0].at == NOON - timedelta(seconds=5)  # and not the time that its author claims


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{}",
        b"null",
        b"[1]",
        b'{"did": 7, "time_us": 1}',
        b'{"did": "a", "time_us": 1e40}',
        b"[" * 100_000,
        b'{"did":"a","time_us":1772366400000000,"commit":{"record":{"text":7}}}',
        b"\xff\xfe",
        b'{"did":"a","time_us":12}',
    ],
)
def test_what_is_no_event_is_passed_over(message: bytes) -> None:
    assert overheard(message) is None


def test_a_post_that_names_many_services_is_about_none() -> None:
    names = Mentions({name: [name] for name in ("github", "discord", "slack", "twitter")})
    assert len(names.find("down with github discord slack and twitter, all broken")) > MOST_NAMED


# Whatever goes wrong


@pytest.mark.parametrize("kind", POSTING)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(b"<!doctype html><title>Sign in</title>"), "unparseable"),
        (reply(b""), "unparseable"),
        (reply(b"{}"), "wrong_shape"),
        (reply(b"[[]]"), "wrong_shape"),
        (reply(b"[" * 100_000), "unparseable"),
        (reply(b"", status=503), "http_503"),
        (reply(b'{"error": "This method requires an authenticated user"}', status=422), "http_422"),
        (Unreachable("dns", "no such name"), "dns"),
    ],
)
async def test_what_is_no_answer_is_a_gap(kind: str, answer: Any, error: str) -> None:
    gathered, _ = await sent(feed(kind), answer)
    assert (gathered.error, gathered.counts, gathered.posts, gathered.until) == (error, (), (), None)


@pytest.mark.parametrize("kind", POSTING)
async def test_an_answer_cut_anywhere_is_a_gap(kind: str) -> None:
    whole = captured(kind, POSTING[kind]).rstrip()
    for at in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        gathered, _ = await sent(feed(kind), reply(whole[:at]))
        assert gathered.error, whole[:at]


async def test_secrets_are_never_shown() -> None:
    for kind in ("reddit", "downdetector", "x"):
        assert "hush" not in repr(feed(kind)) + feed(kind).model_dump_json()
