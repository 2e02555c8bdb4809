"""Acting through the desk, on a real engine and store: every act leaves a line with who, where and why."""

import asyncio
from datetime import timedelta

import pytest
from doubles.living import ANNA, BEN, CONFIG, NOON, Living, said, words
from msgspec.structs import replace
from structlog.testing import capture_logs

from bot.config.read import read
from bot.core.model import Kind, State
from bot.ports import Refused


@pytest.fixture
async def life(tmp_path):
    async with Living(tmp_path) as living:
        yield living


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("ack", "Anna acknowledged, from slack."),
        ("ack on it", "Anna acknowledged, from slack: on it"),
        ("take", "Anna took it, from slack."),
        ("note twitter is back in Iowa", "Anna noted, from slack: is back in Iowa"),
        ("mute 2h deploying", "Anna muted it until 2026-01-05 14:03 UTC, from slack: deploying"),
        ("mute until recovery", "Anna muted it until it recovers, from slack."),
        ("mute until 13:30", "Anna muted it until 2026-01-05 13:30 UTC, from slack."),
        ("silence for half an hour", "Anna muted it until 2026-01-05 12:33 UTC, from slack."),
        ("mute", "Anna muted it until it recovers, from slack."),
        ("real", "Anna said that it was real, from slack."),
    ],
)
async def test_an_act_leaves_a_line_with_who_where_and_why(life, typed, line):
    await life.broken()
    assert (await life.say(typed)).ok
    assert (await life.timeline())[-1] == line


@pytest.mark.parametrize(
    ("typed", "why", "how"),
    [
        ("resolve fixed by vendor", "Anna resolved it, from slack: fixed by vendor", "resolve"),
        ("close x fixed by vendor", "Anna resolved it, from slack: fixed by vendor", "resolve"),
        ("false-alarm our own probe", "Anna called it a false alarm, from slack: our own probe", "false-alarm"),
    ],
)
async def test_an_act_that_ends_it_says_so_and_closes(life, typed, why, how):
    await life.broken()
    assert (await life.say(typed)).ok
    lines = await life.timeline()
    assert lines[-2] == why
    assert lines[-1].startswith("Over after")
    assert (life.incident().state, life.incident().closed_why) == (State.CLOSED, how)


async def test_what_was_said_can_be_taken_back(life):
    await life.broken()
    for verb in ("ack", "unack", "mute", "unmute"):
        assert (await life.say(verb)).ok, verb
    assert life.incident().acked_by == ""
    assert not life.incident().muted
    assert said(await life.say("unack")) == f"Nobody has acknowledged {life.incident().id}."
    assert said(await life.say("unmute")) == f"{life.incident().id} is not muted."


@pytest.mark.parametrize("typed", ["mute 8d", "mute 0m", "mute 9999w", "mute until 2020-01-01 08:00"])
async def test_a_mute_that_makes_no_sense_is_refused_with_what_does(life, typed):
    await life.broken()
    answer = await life.say(typed)
    assert not answer.ok
    assert "at most 7 days" in said(answer)
    assert not life.incident().muted


async def test_a_mute_ends_by_itself_on_recovery_and_the_close_is_aloud(life):
    await life.broken()
    await life.say("mute 2h")
    await life.beat(1, reports=60)
    worse = (await life.house.store.entries(life.incident().id))[-1]
    assert (worse.kind, worse.loud) == (Kind.RAISED, False)
    await life.beat(30)
    entries = await life.house.store.entries(life.incident().id)
    assert (entries[-1].kind, entries[-1].loud) == (Kind.CLOSED, True)
    assert not life.incident().muted


async def test_a_mute_ends_when_its_time_is_up(life):
    await life.broken()
    await life.say("mute 2m")
    await life.beat(3, reports=12)
    assert not life.incident().muted


async def test_an_old_incident_is_not_taken_for_the_one_that_came_after_it(life):
    old = await life.broken()
    await life.say("resolve")
    await life.beat(90)
    new = await life.broken()
    assert new.id != old.id
    for verb in ("resolve", "false-alarm", "real", "ack"):
        answer = await life.press(verb, incident=old.id)
        assert not answer.ok
        assert said(answer) == f"{old.id} is past; {new.id} is the latest of Twitter.", verb
    assert life.incident() == new


async def test_a_closed_incident_can_be_judged_noted_and_reopened(life):
    incident = await life.broken()
    await life.say("resolve")
    assert (await life.press("real", incident=incident.id)).ok
    assert life.incident().verdict == "real"
    assert (await life.press("note", incident=incident.id, text="bill of 3 h")).ok
    assert (await life.press("reopen", incident=incident.id)).ok
    assert (await life.timeline())[-2] == "Anna reopened it, from slack."
    assert life.incident().state is State.OPEN
    assert said(await life.press("reopen", incident=incident.id)) == f"{incident.id} is open already."


async def test_a_declaration_opens_at_the_level_and_with_the_words_that_were_said(life):
    answer = await life.say("declare x major: nobody can log in")
    assert answer.ok
    assert answer.head is not None
    assert (life.incident().level, life.incident().declared_by) == ("major", "Anna")
    assert (await life.timeline())[0] == "Declared: major. By Anna, from slack: nobody can log in"


async def test_a_second_declaration_leads_to_the_open_incident(life):
    incident = await life.broken()
    answer = await life.say("declare twitter it is down")
    assert not answer.ok
    assert said(answer).startswith(f"{incident.id} is already open.")
    assert answer.head is not None
    assert answer.head.incident == incident.id
    assert len(await life.house.store.incidents()) == 1


async def test_twenty_people_who_declare_at_once_open_one(life):
    await asyncio.gather(*(life.say(f"declare twitter {n}", who=BEN if n % 2 else ANNA) for n in range(20)))
    assert len(await life.house.store.incidents()) == 1


async def test_merging_closes_one_and_says_so_in_both(life):
    twitter, cloud = await life.broken("twitter"), await life.broken("cloud")
    answer = await life.say(f"merge {twitter.id} into gcp")
    assert answer.ok
    assert (life.incident("twitter").state, life.incident("twitter").closed_why) == (State.CLOSED, "merge")
    assert f"Anna merged it, from slack: into {cloud.id}" in await life.timeline("twitter")
    assert f"Anna noted, from slack: {twitter.id} (Twitter) is part of this." in await life.timeline("cloud")
    assert life.incident("cloud").alive


@pytest.mark.parametrize("typed", ["merge", "merge into nothing", "merge into twitter", "merge twitter into twitter"])
async def test_a_merge_into_nothing_or_itself_changes_nothing(life, typed):
    twitter = await life.broken("twitter")
    await life.broken("cloud")
    answer = await life.say(typed, incident="" if "twitter into" in typed else twitter.id)
    assert not answer.ok
    assert "into <id>" in said(answer)
    assert life.incident("twitter").alive


async def test_reports_are_answered_with_what_the_others_say(life):
    await life.beat(1, reports=7)
    first = await life.say("report x cannot log in", who=BEN)
    assert said(first) == "Thank you, counted. Twitter: 7 others in the last 15 min."
    again = await life.say("report twitter", who=BEN)
    await life.beat(1)
    after = await life.say("report twitter", who=BEN)
    assert said(again).startswith("Counted already: one person is one voice.")
    assert said(after) == "Counted already, 1 min ago: one person is one voice. Twitter: 7 others in the last 15 min."


async def test_the_first_to_report_is_told_so(life):
    assert said(await life.say("report calm")) == "Thank you, counted. Nobody else reported Calm in the last 15 min."


async def test_i_see_it_too_is_a_report_of_that_service(life):
    incident = await life.broken()
    assert (await life.press("report", incident=incident.id, who=BEN)).ok
    await life.beat(1)
    assert life.incident().numbers.count == incident.numbers.count + 1


async def test_works_for_me_is_counted_once_a_person_and_shown_on_the_head(life):
    incident = await life.broken()
    for who in (ANNA, ANNA, BEN):
        answer = await life.press("works", who=who, incident=incident.id)
    assert said(answer) == "Thank you, kept. Twitter works for 2 who said so."
    shown = (await life.say("show")).head
    assert [fact.value[0] for fact in shown.facts if fact.label == "Works for"] == ["2 people who said so"]
    await life.press("report", who=BEN, incident=incident.id)
    assert len(life.incident().fine) == 1
    assert "Anna" not in str(life.incident().fine)
    assert await life.timeline() == (await life.timeline())[:1]


async def test_works_for_me_without_an_incident_is_good_to_hear(life):
    assert said(await life.say("works calm")) == "Good to hear. Calm has no open incident."


async def test_planned_work_keeps_things_from_opening_until_it_is_ended(life):
    assert (await life.say("maintenance add twitter 2h database move")).ok
    await life.beat(3, reports=20)
    assert life.house.board.living("twitter") is None
    listed = said(await life.say("maintenance list"))
    assert listed == "#1 Twitter, 2026-01-05 12:00 UTC to 2026-01-05 14:00 UTC (2 h), by Anna: database move"
    assert (await life.say("maintenance end 1")).ok
    await life.beat(2, reports=20)
    assert life.house.board.living("twitter") is not None
    assert said(await life.say("maintenance")) == "No planned work."


async def test_planned_work_outlives_a_restart(tmp_path):
    async with Living(tmp_path, tmp_path / "data") as life:
        await life.say("maintenance add gcp from 13:00 for 3h move")
        await life.say("maintenance add twitter 1h")
        await life.say("maintenance end twitter")
    async with Living(tmp_path, tmp_path / "data") as life:
        assert "#1 Google Cloud, 2026-01-05 13:00 UTC to 2026-01-05 16:00 UTC" in said(await life.say("maintenance"))
        windows = life.house.services["cloud"].windows
        assert [(w.start, w.lasts) for w in windows] == [(NOON.replace(hour=13), timedelta(hours=3))]
        trail = said(await life.say("config audit")).splitlines()
        assert [line.partition(": ")[2] for line in trail] == [
            "maintenance add gcp from 13:00 for 3h move",
            "maintenance add twitter 1h",
            "maintenance end twitter",
        ]
        assert "Anna (T1:U1, slack)" in trail[0]


async def test_planned_work_outlives_a_new_configuration(life, tmp_path):
    await life.say("maintenance add twitter 1h")
    file = tmp_path / "config.yaml"
    file.write_text(
        CONFIG.replace("  calm: {name: Calm}", '  calm: {name: Calm, maintenance: [{cron: "0 3 * * *", for: 1h}]}')
    )
    await life.house.adopt(read(file, {}))
    assert [window.lasts for window in life.house.services["twitter"].windows] == [timedelta(hours=1)]
    assert "Calm: whenever 0 3 * * * (UTC), for 1 h, in the config." in said(await life.say("maintenance"))
    assert (await life.say("maintenance end twitter")).ok
    assert life.house.services["twitter"].windows == ()


async def test_planned_work_during_an_incident_is_told_in_its_thread(life):
    await life.broken()
    await life.say("maintenance add twitter 1h")
    assert (await life.timeline())[-1] == "Anna noted, from slack: planned work for 1 h"


@pytest.mark.parametrize(
    "typed", ["maintenance add twitter 60d", "maintenance add twitter from 2020-01-01 08:00 for 1h"]
)
async def test_planned_work_that_makes_no_sense_is_refused(life, typed):
    assert "at most 30 days" in said(await life.say(typed))


async def test_a_test_goes_from_open_to_close_in_the_chosen_channel_and_calls_nobody(life):
    answer = await life.say("test ops")
    assert said(answer) == "The test in ops went through: opened, updated and closed."
    assert life.chat.calls == ["open", "reply", "edit", "reply", "close"]
    [heads] = life.chat.heads.values()
    assert all(head.push.startswith("TEST") and head.title.startswith("TEST") for head in heads)
    assert all(head.buttons == () for head in heads)
    assert life.chat.loud == []
    assert await life.house.store.incidents() == []
    assert "test ops" in said(await life.say("config audit"))


async def test_a_test_that_fails_says_where_and_why(life):
    life.chat.faults.append(Refused("the bot is not in the channel: invite it"))
    answer = await life.press("test", channel="wall")
    assert not answer.ok
    assert said(answer) == "The test in wall failed: the bot is not in the channel: invite it."


async def test_a_replayed_thread_is_told_from_the_start_in_the_channel_it_was_asked_from(life):
    incident = await life.broken()
    told = {t.channel: t for t in await life.house.store.threads(incident.id)}
    await life.house.store.mark(replace(told["ops"], ref="ref9", heard=1, shown=9))
    await life.house.store.mark(replace(told["wall"], ref="ref8", heard=1, shown=9))
    assert not (await life.say(f"replay {incident.id}")).ok
    assert (await life.say(f"replay {incident.id}", channel="ops")).ok
    told = {t.channel: (t.ref, t.heard) for t in await life.house.store.threads(incident.id)}
    assert told == {"ops": ("", 0), "wall": ("ref8", 1)}


async def test_a_thread_that_died_is_the_one_that_is_replayed(life):
    incident = await life.broken()
    for thread in await life.house.store.threads(incident.id):
        dead = "the channel is archived" if thread.channel == "wall" else ""
        await life.house.store.mark(replace(thread, ref="r", heard=1, dead=dead))
    answer = await life.say(f"replay {incident.id}")
    assert "built in wall" in said(answer)
    waiting = await life.house.store.behind("wall")
    assert [thread.incident for thread, _ in waiting] == [incident.id]


@pytest.mark.parametrize(
    ("typed", "logged", "kept"),
    [
        ("ack", True, False),
        ("test ops", True, True),
        ("replay twitter", True, True),
        ("maintenance add cloud 1h", True, True),
        ("maintenance list", False, False),
        ("config show", False, False),
        ("report twitter", False, False),
        ("show", False, False),
        ("unmute", False, False),
    ],
)
async def test_who_changed_what_is_logged_with_an_id_and_kept_where_no_timeline_tells_it(life, typed, logged, kept):
    await life.broken()
    with capture_logs() as logs:
        await life.press("", text=typed, channel="ops")
    acted = [(log["verb"], log["who"]) for log in logs if log["event"] == "a person acted"]
    assert acted == ([(typed.split()[0], "T1:U1")] if logged else [])
    assert (typed in said(await life.say("config audit"))) is kept


RIGHTS = {"read": 1, "report": 2, "act": 3, "admin": 4}


@pytest.mark.parametrize("right", ["", "read", "report", "act", "admin"])
@pytest.mark.parametrize(
    ("typed", "needs"),
    [
        ("status", "read"),
        ("report twitter", "report"),
        ("works twitter", "report"),
        ("ack", "act"),
        ("mute 1h", "act"),
        ("declare cloud", "act"),
        ("resolve", "act"),
        ("note hello", "act"),
        ("false-alarm", "act"),
        ("maintenance add twitter 1h", "admin"),
        ("test ops", "admin"),
        ("config show", "admin"),
        ("replay twitter ops", "admin"),
    ],
)
async def test_who_may_not_is_told_so_and_changes_nothing(life, right, typed, needs):
    before = await life.broken()
    answer = await life.say(typed, right=right)
    allowed = RIGHTS.get(right, 0) >= RIGHTS[needs]
    assert answer.ok is allowed
    if not allowed:
        assert f"needs the right '{needs}'" in said(answer)
        assert life.incident() == before
        assert life.form(typed, right=right) is None
        assert life.chat.calls == []


# Forms


async def test_resolve_and_mute_show_what_they_will_do_before_they_do_it(life):
    incident = await life.broken()
    resolve, mute = life.form("resolve fixed by vendor"), life.form("mute 2h deploying")
    assert resolve.title == "Resolve: Twitter"
    assert f"Closes {incident.id}: minor since" in words(resolve.about)
    assert "36 reports in 15 min" in words(resolve.about)
    assert [field.value for field in resolve.fields] == ["fixed by vendor"]
    assert "calls nobody" in words(mute.about)
    assert [field.value for field in mute.fields] == ["until 2026-01-05 14:03", "deploying"]
    span = mute.fields[0]
    sent = await life.press("mute", incident=mute.incident, span=span.value, text="deploying")
    assert sent.ok
    assert life.incident().muted_until == NOON.replace(hour=14, minute=3)


async def test_until_recovery_is_the_first_choice_of_a_mute(life):
    await life.broken()
    [span, _] = life.form("mute").fields
    assert (span.value, span.options[0]) == ("until recovery", ("until recovery", "until it recovers"))
    for value, _ in span.options:
        assert (await life.press("mute", incident=life.incident().id, span=value)).ok


async def test_with_several_open_a_form_asks_which_one(life):
    twitter, cloud = await life.broken("twitter"), await life.broken("cloud")
    for typed in ("resolve", "mute 1h", "note seen by all"):
        which = life.form(typed).fields[0]
        assert (which.name, {value for value, _ in which.options}) == ("target", {twitter.id, cloud.id})


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("note", ["text"]),
        ("declare", ["target", "level", "text"]),
        ("declare twitter", ["target", "level", "text"]),
        ("report", ["target", "symptom", "platform", "text"]),
    ],
)
async def test_missing_words_are_asked_for(life, typed, fields):
    await life.broken("cloud")
    form = life.form(typed)
    assert [field.name for field in form.fields] == fields


@pytest.mark.parametrize(
    "typed", ["note it is the login", "declare twitter cannot log in", "report twitter", "ack", "status", "why", "list"]
)
async def test_what_says_enough_needs_no_form(life, typed):
    await life.broken("cloud")
    assert life.form(typed) is None


async def test_without_an_incident_there_is_no_form_about_one(life):
    for typed in ("resolve", "mute", "note", "merge", "resolve calm"):
        assert life.form(typed) is None
