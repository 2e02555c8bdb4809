"""Looking through the desk, on a real engine and store: private answers, and never silence in the wrong place."""

import numpy as np
import pytest
from doubles.living import CONFIG, Living, said

from bot.config.read import read
from bot.core.speech import VERBS
from bot.ports import Retry


@pytest.fixture
async def life(tmp_path):
    async with Living(tmp_path) as living:
        yield living


async def test_with_nothing_wrong_it_says_so(life):
    assert said(await life.say("status")) == "3 services look normal."
    assert said(await life.say("list")) == "No open incidents."


async def test_the_worst_comes_first_and_the_rest_is_counted(life):
    await life.broken("cloud")
    await life.beat(1, reports=80)
    lines = said(await life.say("status")).splitlines()
    assert lines[0].startswith("Twitter: major since")
    assert lines[1].startswith("Google Cloud: minor since")
    assert lines[2] == "1 service looks normal."


async def test_a_service_is_found_by_any_of_its_names_and_shows_its_incident(life):
    incident = await life.broken("cloud")
    for words in ("status gcp", "status Google Cloud", "google cloud", f"status {incident.id}"):
        answer = await life.say(words)
        assert answer.head is not None
        assert answer.head.incident == incident.id


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("status twiter", "Did you mean twitter?"),
        ("status zzzzz", "Status lists the services I watch."),
        ("stauts", "Did you mean status?"),
        ("qqqq", "Try help."),
        ("chart nowhere", "Status lists the services"),
        ("chart", "Which service?"),
        ("declare", "Which service?"),
        ("report", "Which service?"),
        ("show", "There is no open incident."),
        ("why twitter-20200101-0000", "There is no open incident of twitter-20200101-0000."),
        ("ack", "There is no open incident."),
        ("mute 2h", "There is no open incident."),
        ("resolve", "There is no open incident."),
        ("note hello", "There is no open incident."),
        ("merge", "There is no open incident."),
        ("replay", "There is no open incident."),
        ("test", "Channels: wall, ops."),
        ("test nowhere", "Channels: wall, ops."),
        ("maintenance dance", "maintenance add <service> 2h"),
        ("maintenance add 2h", "Which service?"),
        ("maintenance add twitter", "For how long?"),
        ("maintenance end 7", "no such planned work"),
        ("config dance", "config audit"),
    ],
)
async def test_in_the_wrong_place_it_says_what_to_do(life, words, hint):
    answer = await life.say(words)
    assert not answer.ok
    assert hint in said(answer)


async def test_with_several_open_it_asks_which_and_in_a_thread_it_knows(life):
    twitter, cloud = await life.broken("twitter"), await life.broken("cloud")
    answer = await life.say("ack")
    assert not answer.ok
    assert twitter.id in said(answer)
    assert cloud.id in said(answer)
    assert (await life.say("ack", incident=cloud.id)).ok
    assert life.incident("cloud").acked_by == "Anna"
    assert life.incident("twitter").acked_by == ""


async def test_show_tells_the_timeline_and_says_how_much_it_left_out(life):
    await life.broken()
    for n in range(20):
        await life.say(f"note number {n}")
    lines = said(await life.say("show")).splitlines()
    assert len(lines) == 16
    assert lines[0] == "6 earlier lines stand in the thread."
    assert "number 19" in lines[-1]


async def test_show_of_a_past_incident_links_the_draft_of_its_post_mortem(life):
    life.house.public_url = "https://status.example.org"
    incident = await life.broken()
    assert "postmortem.md" not in said(await life.say("show"))
    await life.say("resolve vendor fixed it")
    told = said(await life.say("show", incident=incident.id))
    assert f"/incident/{incident.id}/postmortem.md" in told


async def test_why_names_the_rule_and_its_line(life):
    await life.broken()
    told = said(await life.say("why"))
    assert "at least 10 reports within 15 min" in told
    assert "config.yaml:5" in told


async def test_why_says_between_which_times_it_began_where_that_is_in_doubt(life):
    await life.beat(15, reports=1)
    assert "began about 12:10 UTC (between 12:00 UTC and 12:10 UTC)." in said(await life.say("why"))
    printed = await life.house.board.incident(life.incident().id)
    assert printed["started_between"] == {"early": "2026-01-05T12:00:00Z", "late": "2026-01-05T12:10:00Z"}


async def test_why_of_a_calm_service_says_that_there_is_no_incident(life):
    await life.broken("cloud")
    assert said(await life.say("why calm")).startswith("Calm: no incident.")


@pytest.mark.parametrize(
    ("holidays", "unsure"),
    [("01-05", "5 January is a holiday: the usual is taken as less sure."), ("01-06", ""), ("", "")],
)
async def test_why_says_that_a_holiday_makes_the_usual_less_sure_from_the_reload_that_names_it(
    life, tmp_path, holidays, unsure
):
    file = tmp_path / "config.yaml"
    file.write_text(f"holidays: [{holidays}]\n{CONFIG}")
    life.house.engine.crowd.surge.teach(np.full(3, 60.0, np.float32))
    await life.house.adopt(read(file, {}))
    await life.beat(20, reports=1)
    calm = said(await life.say("why twitter"))
    await life.broken()
    for told in (calm, said(await life.say("why"))):
        assert "is a holiday" not in told if not unsure else unsure in told


async def test_an_incident_that_is_over_can_still_be_shown(life):
    incident = await life.broken()
    await life.say("resolve")
    answer = await life.say(f"show {incident.id}")
    assert answer.head is not None
    assert answer.head.state == "closed"


async def test_a_chart_comes_with_its_words(life):
    async def draw(service):
        return b"png of " + service.encode()

    life.desk.reach({}, draw)
    answer = await life.say("chart x")
    assert answer.png == b"png of twitter"
    assert "Twitter" in answer.alt


async def test_a_chart_can_be_posted_for_everybody_with_the_name_of_who_wanted_it(life):
    async def draw(service):
        return b"png of " + service.encode()

    life.desk.reach({}, draw)
    [button] = (await life.say("chart x")).buttons
    assert (button.verb, button.about, button.label) == ("share", "twitter", "Post here")
    pressed = await life.press(button.verb, target=button.about)
    assert pressed.aloud
    assert pressed.png == b"png of twitter"
    assert "Asked for by Anna" in said(pressed)
    assert not pressed.buttons


async def test_a_chart_there_is_not_is_told_to_nobody_else(life):
    for asked in ("share x", "share nonsense"):
        assert not (await life.say(asked)).aloud


async def test_a_chart_that_cannot_be_drawn_is_explained(life):
    async def draw(_service):
        raise Retry("the helper died")

    life.desk.reach({}, draw)
    answer = await life.say("chart x")
    assert not answer.ok
    assert "the helper died" in said(answer)


async def test_help_lists_every_verb_and_explains_one(life):
    told = said(await life.say("help"))
    assert [line.partition(":")[0] for line in told.splitlines()] == list(VERBS)
    assert said(await life.say("help mute")) == f"mute: {VERBS['mute']}"


async def test_config_says_the_levels_in_words_with_file_line_and_age(life):
    told = said(await life.say("config show"))
    assert "config.yaml, read 2026-01-05 12:00 UTC." in told
    assert "minor: at least 10 reports within 15 min (config.yaml:5)" in told
    of_one = said(await life.say("config show gcp"))
    assert "Opens at minor" in of_one
    assert "Told: wall, ops." in of_one


async def test_config_says_why_a_later_reading_failed(life):
    life.house.misread("config.yaml:3:1: unknown key 'levls'")
    told = said(await life.say("config show"))
    assert "The last try to read it again failed: config.yaml:3:1: unknown key 'levls'" in told
    life.house.misread("")
    assert "failed" not in said(await life.say("config show"))


async def test_looking_leaves_no_trace(life):
    await life.broken()
    before = await life.timeline()
    for words in ("status", "list", "show", "why", "chart twitter", "config show", "help", "maintenance list"):
        assert (await life.say(words)).ok, words
    assert await life.timeline() == before
    assert said(await life.say("config audit")).startswith("Nothing was changed")


@pytest.mark.parametrize("what", ["service", "incident", "symptom", "region", "platform", "level", "span", "channel"])
async def test_what_is_typed_is_completed_those_that_begin_alike_first(life, what):
    await life.broken()
    offered = life.desk.suggest(what, "")
    assert 0 < len(offered) <= 25
    value, label = offered[-1]
    assert (value, label) in life.desk.suggest(what, label[:4])
    assert life.desk.suggest(what, "no such thing at all") == []


@pytest.mark.parametrize("verb", VERBS)
async def test_no_words_of_a_stranger_break_the_desk(life, verb):
    await life.broken()
    for text in ("", " ", "\x00", "until", "into", "add", "<!channel>" * 500, "٣h", "2h " * 300, "@everyone"):
        answer = await life.say(f"{verb} {text}")
        assert answer.lines
        life.form(f"{verb} {text}")
