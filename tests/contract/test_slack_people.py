"""What people do in Slack reaches the desk, is acknowledged at once, and is answered to them alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from doubles.slack import SlackDouble
from doubles.slack_rig import NOTE, PLACE, PNG, REPORT, RESOLVE, DeskDouble, called, head, line, listening, until

from bot.chats.roles import Roles
from bot.core.model import Answer, Button, Form, Person, Said
from bot.ports import Chat, Retry

ANA = Person(chat="slack", id="T1:U1", name="u1")


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    async with SlackDouble() as double:
        yield double


@pytest.fixture
def desk() -> DeskDouble:
    return DeskDouble()


@pytest.fixture(params=[listening, called], ids=["socket", "http"])
async def chat(request: pytest.FixtureRequest, slack: SlackDouble, desk: DeskDouble) -> AsyncIterator[Chat]:
    """The same desk, whichever way Slack comes to us."""
    async with request.param(slack, desk) as chat:
        yield chat


async def test_a_command_is_acknowledged_at_once_even_when_the_desk_is_slow(
    slack: SlackDouble, desk: DeskDouble, chat: Chat
) -> None:
    desk.gate.clear()
    asked = await slack.slash("/incident", "status twitter")
    await until(lambda: asked.acked_after is not None)
    assert asked.acked_after < 1.0
    assert set(asked.ack) <= {"envelope_id"}, "an acknowledgement without content"
    assert not asked.answers
    desk.gate.set()
    await until(lambda: asked.answers)
    assert asked.answers[0]["text"] == "Noted."
    assert asked.answers[0]["response_type"] == "ephemeral"


async def test_fifty_commands_at_a_stuck_desk_are_all_acknowledged(
    slack: SlackDouble, desk: DeskDouble, chat: Chat
) -> None:
    desk.gate.clear()
    asked = [await slack.slash("/incident", f"note {number}") for number in range(50)]
    await until(lambda: all(a.acked_after is not None for a in asked))
    assert max(a.acked_after or 9 for a in asked) < 1.0
    desk.gate.set()
    await until(lambda: all(a.answers for a in asked))


@pytest.mark.parametrize(
    ("command", "text", "expected"),
    [
        ("/incident", "ack INC-42 on it", {"verb": "", "text": "ack INC-42 on it", "target": ""}),
        ("/incident", "  ", {"verb": "help", "text": "", "target": ""}),
        ("/status", "", {"verb": "status", "text": "", "target": ""}),
        ("/status", "twitter", {"verb": "status", "text": "twitter", "target": ""}),
        ("/report", "twitter no log-in", {"verb": "report", "text": "twitter no log-in", "target": ""}),
    ],
)
async def test_a_command_becomes_a_request(
    slack: SlackDouble, desk: DeskDouble, chat: Chat, command: str, text: str, expected: dict
) -> None:
    asked = await slack.slash(command, text)
    await until(lambda: asked.answers)
    [request] = desk.asked
    assert {name: getattr(request, name) for name in expected} == expected
    assert (request.who, request.channel) == (ANA, "ops")


async def test_short_commands_can_be_switched_off(slack: SlackDouble, desk: DeskDouble) -> None:
    async with listening(slack, desk, short_commands=False):
        asked = await slack.slash("/status", "twitter")
        await until(lambda: asked.answers)
    assert desk.asked == []
    assert "/incident status" in asked.answers[0]["text"]


async def test_an_answer_can_carry_a_head_and_buttons(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    buttons = tuple(
        Button(verb=verb, label=verb.title()) for verb in ("status", "list", "report", "why", "ack", "help")
    )
    desk.reply = Answer(lines=(("What now?",), ("Pick one.",)), head=head(), buttons=buttons)
    asked = await slack.slash("/incident")
    await until(lambda: asked.answers)
    blocks = asked.answers[0]["blocks"]
    rows = [block["elements"] for block in blocks if block["type"] == "actions"]
    assert [[button["action_id"] for button in row] for row in rows] == [
        ["status", "list", "report", "why", "ack"],
        ["help"],
    ]
    assert any(block["type"] == "header" for block in blocks)


async def test_a_button_asks_the_desk_about_its_incident(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    ref = await chat.open(PLACE, "k1", head(), None, None)
    pressed = await slack.press("ack", "INC-42", ts=ref.partition(":")[2])
    await until(lambda: pressed.answers)
    [request] = desk.asked
    assert (request.verb, request.incident, request.who) == ("ack", "INC-42", ANA)
    assert pressed.answers[0]["replace_original"] is False


@pytest.mark.parametrize(
    ("form", "text"), [(NOTE, "it is the login"), (RESOLVE, "rolled back"), (RESOLVE, "the vendor rolled back")]
)
async def test_a_form_that_the_desk_wants_comes_before_any_work(
    slack: SlackDouble, desk: DeskDouble, chat: Chat, form: Form, text: str
) -> None:
    desk.forms[form.verb] = form
    desk.gate.clear()
    pressed = await slack.press(form.verb, "INC-42")
    await until(lambda: pressed.view)
    assert desk.asked == []
    sent = await slack.submit(pressed, {"text": text} if text != "rolled back" else {})
    await until(lambda: sent.acked_after is not None)
    desk.gate.set()
    await until(lambda: pressed.answers)
    [request] = desk.asked
    assert (request.verb, request.incident, request.text, request.who) == (form.verb, "INC-42", text, ANA)


async def test_a_form_says_what_it_will_do_in_words_that_are_inert(
    slack: SlackDouble, desk: DeskDouble, chat: Chat
) -> None:
    desk.forms["resolve"] = RESOLVE
    asked = await slack.slash("/incident", "resolve rolled back")
    await until(lambda: asked.view)
    assert asked.view
    assert asked.view["blocks"][0]["text"]["text"] == "Closes INC-42, by &lt;!channel\u200b&gt;."
    assert asked.view["title"]["text"] == "Resolve: Twitter"


async def test_a_report_is_asked_for_in_a_form_of_choices(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    desk.forms["report"] = REPORT
    asked = await slack.slash("/report")
    await until(lambda: asked.view)
    await slack.submit(asked, {"target": "twitter", "symptom": "login"})
    await until(lambda: asked.answers)
    [request] = desk.asked
    assert (request.verb, request.target) == ("report", "twitter")
    assert (request.symptom, request.platform, request.region) == ("login", "web", "")
    assert request.channel == "ops"


async def test_a_mention_has_no_trigger_so_it_is_answered_without_a_form(
    slack: SlackDouble, desk: DeskDouble, chat: Chat
) -> None:
    desk.forms["resolve"] = RESOLVE
    await slack.mention("resolve rolled back")
    await until(lambda: slack.ephemerals)
    assert [request.text for request in desk.asked] == ["resolve rolled back"]


async def test_add_to_timeline_takes_the_words_with_who_wrote_them(
    slack: SlackDouble, desk: DeskDouble, chat: Chat
) -> None:
    ref = await chat.open(PLACE, "k1", head(), None, None)
    root = ref.partition(":")[2]
    theirs, own = slack.speak("it is the &lt;login&gt;", thread=root), slack.speak("mine", user="U1", thread=root)
    for ts in (theirs, own):
        picked = await slack.pick("note", ts)
        await until(lambda picked=picked: picked.answers)
    assert [(r.verb, r.incident, r.text) for r in desk.asked] == [
        ("note", "INC-42", "u2 wrote: it is the <login>"),
        ("note", "INC-42", "mine"),
    ]


async def test_report_a_problem_from_a_message_asks_which_service(
    slack: SlackDouble, desk: DeskDouble, chat: Chat
) -> None:
    desk.forms["report"] = REPORT
    picked = await slack.pick("report", slack.speak("twitter is down"))
    await until(lambda: picked.view)
    await slack.submit(picked, {"target": "twitter"})
    await until(lambda: picked.answers)
    assert desk.asked[0].target == "twitter"


async def test_the_home_tab_shows_the_board_and_follows_it(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    await slack.come_home()
    await until(lambda: "U1" in slack.homes)
    assert "Noted." in str(slack.homes["U1"])
    desk.reply = Answer(lines=(("Twitter: major, ", Said("<!here>")),))
    await until(lambda: "Twitter: major" in str(slack.homes["U1"]))
    assert "<!here>" not in str(slack.homes["U1"])
    published = len(slack.called("views.publish"))
    await slack.come_home()
    await slack.come_home(tab="messages")
    asked = await slack.slash("/incident", "list")
    await until(lambda: asked.answers)
    assert len(slack.called("views.publish")) == published, "nothing new, nothing sent"


async def test_a_button_at_home_is_answered_in_the_apps_own_messages(
    slack: SlackDouble, desk: DeskDouble, chat: Chat
) -> None:
    await slack.press("help", home=True)
    await until(lambda: slack.direct["U1"])
    assert slack.direct["U1"][0]["text"] == "Noted."


async def test_an_answer_can_show_a_chart(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    desk.reply = Answer(lines=(("Twitter: normal",),), png=PNG, alt="Reports over a day")
    asked = await slack.slash("/incident", "chart twitter")
    await until(lambda: asked.answers)
    [image] = [block for block in asked.answers[0]["blocks"] if block["type"] == "image"]
    assert image["alt_text"] == "Reports over a day"


async def test_a_chart_is_posted_for_everybody_by_a_button(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    desk.reply = Answer(
        lines=(("Twitter: normal",),), png=PNG, buttons=(Button(verb="share", label="Post here", about="twitter"),)
    )
    asked = await slack.slash("/incident", "chart twitter")
    await until(lambda: asked.answers)
    [row] = [block for block in asked.answers[0]["blocks"] if block["type"] == "actions"]
    assert row["elements"][0]["value"] == "|twitter"
    desk.reply = Answer(lines=(("Twitter: normal",),), png=PNG, aloud=True)
    pressed = await slack.press("share", row["elements"][0]["value"], ephemeral=True)
    await until(lambda: pressed.answers)
    assert (desk.asked[-1].verb, desk.asked[-1].target, desk.asked[-1].incident) == ("share", "twitter", "")
    [posted] = pressed.answers
    assert (posted["response_type"], posted["replace_original"]) == ("in_channel", False)
    assert [block["type"] for block in posted["blocks"]] == ["section", "image"]


async def test_what_is_said_aloud_in_a_thread_stays_in_it(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    ref = await chat.open(PLACE, "k1", head(), None, None)
    desk.reply = Answer(lines=(("Twitter: normal",),), aloud=True)
    await slack.mention("share twitter", thread=ref.partition(":")[2])
    await until(lambda: slack.thread(ref.partition(":")[2]))
    assert not slack.ephemerals


async def test_a_chart_that_slack_does_not_take_is_left_out(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    slack.file_lag = 9
    desk.reply = Answer(lines=(("Twitter: normal",),), png=PNG)
    asked = await slack.slash("/incident", "chart twitter")
    await until(lambda: asked.answers)
    assert "Twitter: normal" in str(asked.answers[0])


# Roles


@pytest.mark.parametrize(("user", "right"), [("U1", "act"), ("U2", "admin"), ("U3", "report"), ("U4", "admin")])
async def test_a_persons_right_comes_from_user_groups_and_names(
    slack: SlackDouble, desk: DeskDouble, user: str, right: str
) -> None:
    slack.groups = {"S1": ["U1", "U2"], "S2": ["U2"]}
    async with listening(slack, desk, roles=Roles(act=["S1"], admin=["S2", "U4"])):
        asked = await slack.slash("/incident", "resolve", user=user)
        await until(lambda: asked.answers)
        again = await slack.press("ack", "INC-42", user=user)
        await until(lambda: again.answers)
    assert [request.right for request in desk.asked] == [right, right]
    assert len(slack.called("usergroups.users.list")) == 2, "asked once a group, not once a press"


async def test_without_roles_everybody_may_and_slack_is_not_asked(
    slack: SlackDouble, desk: DeskDouble, chat: Chat
) -> None:
    asked = await slack.slash("/incident", "resolve")
    await until(lambda: asked.answers)
    assert desk.asked[0].right == "admin"
    assert not slack.called("usergroups.users.list")


async def test_a_group_that_slack_does_not_tell_gives_no_right(slack: SlackDouble, desk: DeskDouble) -> None:
    async with listening(slack, desk, roles=Roles(act=["S404"])):
        asked = await slack.slash("/incident", "ack")
        await until(lambda: asked.answers)
    assert desk.asked[0].right == "report"


async def test_i_see_it_too_needs_one_press_only(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    pressed = await slack.press("report", "INC-42")
    await until(lambda: pressed.answers)
    assert (desk.asked[0].verb, desk.asked[0].incident) == ("report", "INC-42")
    assert pressed.view is None


async def test_a_mention_in_a_thread_knows_its_incident_even_after_a_restart(
    slack: SlackDouble, desk: DeskDouble
) -> None:
    async with listening(slack, desk) as before:
        ref = await before.open(PLACE, "k1", head(), None, None)
    async with listening(slack, desk):
        await slack.mention("why", thread=ref.partition(":")[2])
        await until(lambda: slack.ephemerals)
    [request] = desk.asked
    assert (request.text, request.incident, request.who) == ("why", "INC-42", ANA)
    assert slack.ephemerals[0]["thread_ts"] == ref.partition(":")[2]
    assert slack.ephemerals[0]["user"] == "U1"


async def test_an_event_that_slack_repeats_is_heard_once(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    first = await slack.mention("status")
    await until(lambda: slack.ephemerals)
    again = await slack.send("events_api", first.envelope["payload"], retry_attempt=1, retry_reason="timeout")
    await until(lambda: again.acked_after is not None)
    asked = await slack.slash("/incident", "list")
    await until(lambda: asked.answers)
    assert [request.text for request in desk.asked] == ["status", "list"]


async def test_a_used_up_address_falls_back_to_a_message_for_one(
    slack: SlackDouble, desk: DeskDouble, chat: Chat
) -> None:
    desk.gate.clear()
    asked = await slack.slash("/incident", "list")
    asked.answers += [{}] * 5
    desk.gate.set()
    await until(lambda: slack.ephemerals)
    assert slack.ephemerals[0]["user"] == "U1"


@pytest.mark.parametrize("failure", [Retry("the disk is full"), RuntimeError("a fault of ours")])
async def test_a_desk_that_fails_still_answers_and_the_next_is_heard(
    slack: SlackDouble, desk: DeskDouble, chat: Chat, failure: Exception
) -> None:
    desk.fails = failure
    asked = await slack.slash("/incident", "ack")
    await until(lambda: asked.answers)
    assert "try again" in asked.answers[0]["text"]
    assert str(failure) not in str(asked.answers)
    desk.fails = None
    after = await slack.slash("/incident", "ack")
    await until(lambda: after.answers)
    assert after.answers[0]["text"] == "Noted."


@pytest.mark.parametrize("payload", [{}, {"type": "block_actions"}, {"type": "shortcut"}, {"type": "view_submission"}])
async def test_a_payload_it_cannot_read_is_acknowledged_and_forgotten(
    slack: SlackDouble, desk: DeskDouble, chat: Chat, payload: dict
) -> None:
    odd = await slack.send("interactive", dict(payload))
    await until(lambda: odd.acked_after is not None)
    asked = await slack.slash("/incident", "list")
    await until(lambda: asked.answers)
    assert len(desk.asked) == 1


async def test_what_a_stranger_says_is_inert_in_an_answer(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    desk.reply = Answer(lines=(("No service ", Said("<!channel> <https://evil.example|bank>"), "."),), ok=False)
    asked = await slack.slash("/incident", "status <!channel>")
    await until(lambda: asked.answers)
    said = str(asked.answers[0])
    assert "<!" not in said
    assert "<http" not in said


async def test_lines_and_commands_do_not_wait_for_each_other(slack: SlackDouble, desk: DeskDouble, chat: Chat) -> None:
    desk.gate.clear()
    await slack.slash("/incident", "list")
    async with asyncio.timeout(60):
        ref = await chat.open(PLACE, "k1", head(), None, None)
        await chat.reply(PLACE, ref, "k2", line(), None)
    desk.gate.set()
