"""Services that break together are told as one, each stays a case of its own, and nothing is told twice or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from doubles.living import said, words
from doubles.town import Town

from bot.config.read import read
from bot.core.model import Evidence, Health
from bot.core.phrases import plain
from bot.detectors.graded import Watched

CONFIG = """\
channels:
  ops: {chat: page}
levels:
  minor: {reports: 10}
  major: {reports: 50}
  critical: {reports: 200}
policy: {confirm_for: 0s, quiet_for: 5m, reopen_for: 1h}
grouping: {services: 3, within: 5m}
services:
  github: {name: GitHub, depends_on: [cloudflare]}
  npm: {depends_on: [cloudflare]}
  vercel: {name: Vercel, depends_on: [cloudflare]}
  cloudflare: {name: Cloudflare}
  reddit: {name: Reddit}
  steam: {name: Steam}
  zoom: {name: Zoom}
"""


@pytest.fixture
async def town(tmp_path: Path):
    async with Town(tmp_path, CONFIG) as town:
        yield town


async def test_three_that_break_within_minutes_are_one_thread_from_then_on(town: Town):
    await town.minute(reddit=12)
    await town.minute(steam=12)
    assert len(town.heads) == 2, "two are chance"
    await town.minute(zoom=12)
    await town.minute(2)
    assert len(town.heads) == 3, "two of their own, and one for all"
    assert town.group.title == "3 services in trouble: Reddit, Steam and Zoom"
    assert "Together: 3 services broke within 1 min. Reddit (minor), Steam (minor) and Zoom (minor)." in town.lines[0]
    assert "Zoom. Opened: minor" in "\n".join(town.lines), "what has no thread of its own is told in full"
    reddit = town.incident("reddit")
    assert "Part of something larger" in town.threads[reddit.id][-1]
    facts = {fact.label: plain(fact.value) for fact in next(h for h in town.heads if h.incident == reddit.id).facts}
    assert facts["Part of"] == town.group.incident


async def test_those_that_need_the_same_service_are_a_group_of_two_and_it_is_named(town: Town):
    await town.minute(github=12)
    await town.minute(npm=12)
    assert town.group.title == "2 services in trouble: GitHub and npm"
    assert plain(town.group.sentence) == (
        "2 services broke within 1 min. Likely cause: Cloudflare. Most of them depend on it."
    )


async def test_the_common_cause_joins_and_is_named_even_if_it_breaks_last(town: Town):
    await town.minute(github=12)
    await town.minute(npm=12)
    await town.minute(cloudflare=12)
    assert "Likely cause: Cloudflare, which has an open incident." in town.lines[-2]
    assert "Cloudflare. Opened: minor" in town.lines[-1]
    assert "Likely cause: Cloudflare, which has an open incident. Most of them depend on it." in plain(
        town.group.sentence
    )


async def test_strangers_that_break_far_apart_stay_alone(town: Town):
    for service in ("reddit", "steam", "zoom", "github"):
        await town.minute(**{service: 12})
        await town.minute(6, **{service: 1})
    assert town.group is None


async def test_people_are_called_for_what_is_worse_and_only_once(town: Town):
    await town.minute(reddit=12)
    await town.minute(steam=12)
    await town.minute(zoom=12)
    assert town.told.mentions == ["<@minor>"] * 3, "two that stood alone, and the group"
    await town.minute(github=12)
    await town.minute(2, npm=12)
    assert town.told.mentions == ["<@minor>"] * 3, "what is no worse is told and calls nobody"
    await town.minute(zoom=250)
    assert town.told.mentions[3:] == ["<@critical>"]
    assert town.group.level == "critical"
    assert "Zoom. Worse: critical" in town.lines[-1]
    await town.minute(reddit=250)
    assert town.told.mentions[4:] == [], "a second critical one in the same group calls nobody again"


async def test_a_critical_one_that_joins_is_never_hidden(town: Town):
    await town.minute(reddit=12, steam=12, zoom=12)
    before = len(town.told.mentions)
    await town.minute(github=250)
    assert town.told.mentions[before:] == ["<@critical>"]


async def test_the_group_closes_with_the_last_of_them_and_each_is_told_as_it_goes(town: Town):
    await town.minute(reddit=12, steam=12, zoom=12)
    await town.minute(24, zoom=1)
    assert "Reddit. Over" in "\n".join(town.lines)
    assert town.group.state in {"open", "easing"}
    await town.minute(30)
    assert town.group.state == "closed"
    assert town.lines[-1].startswith("All over after")
    assert town.group.title.startswith("Reddit, Steam and Zoom: over after")
    assert all(town.incident(s).state == "closed" for s in ("reddit", "steam", "zoom"))
    assert len(town.told.closed) == len(town.heads)
    assert town.house.together.alive == {}


async def test_one_that_comes_back_while_the_group_lives_comes_back_in_it(town: Town):
    await town.minute(reddit=12, steam=12, zoom=12)
    await town.minute(24, zoom=12)
    assert town.incident("reddit").state == "closed"
    await town.minute(reddit=12)
    assert "Reddit. Reopened: minor" in town.lines[-1]
    assert town.incident("reddit").part_of == town.group.incident


async def test_one_that_comes_back_alone_has_a_thread_of_its_own(town: Town):
    await town.minute(reddit=12, steam=12, zoom=12)
    await town.minute(30)
    assert town.group.state == "closed"
    before = len(town.heads)
    await town.minute(zoom=12)
    assert len(town.heads) == before + 1
    assert town.incident("zoom").part_of == ""


async def test_an_act_on_the_group_is_done_to_each_and_told_in_one_line(town: Town):
    await town.minute(reddit=12, steam=12, zoom=12)
    answer = await town.say("ack on it", incident=town.group.incident)
    assert answer.ok, answer
    await town.tell()
    assert {town.incident(s).acked_by for s in ("reddit", "steam", "zoom")} == {"Anna"}
    assert town.lines[-1] == "Reddit, Steam and Zoom. Anna acknowledged, from slack: on it"


async def test_members_are_listed_and_can_be_acted_on_alone(town: Town):
    await town.minute(reddit=12, steam=12, zoom=12)
    listed = "\n".join(plain(line) for line in (await town.say("list")).lines)
    assert listed.count(f"part of {town.group.incident}") == 3
    assert (await town.say("resolve zoom rebooted")).ok
    await town.tell()
    assert "Zoom. Over" in town.lines[-1]
    assert "1 of them is over." in plain(town.group.sentence)


async def test_a_storm_is_a_handful_of_messages(town: Town, tmp_path: Path):
    many = "".join(f"  s{n}: {{}}\n" for n in range(100))
    await town.house.aclose()
    town.adopt(tmp_path, CONFIG + many)
    await town.house.wake()
    await town.minute(**{f"s{n}": 12 for n in range(100)})
    assert len(town.heads) == 1
    assert town.group.title == "100 services in trouble: s0, s1, s10 and 97 more"
    assert sum(map(len, town.threads.values())) < 12, "lines are told together"
    assert town.told.mentions == ["<@minor>"]


async def test_a_restart_in_the_middle_forgets_and_repeats_nothing(tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    town = Town(tmp_path, CONFIG, folder)
    await town.house.wake()
    await town.minute(reddit=12, steam=12, zoom=12)
    group, lines = town.group.incident, list(town.lines)
    await town.house.aclose()
    town.adopt(tmp_path, CONFIG, folder)
    await town.house.wake()
    await town.tell()
    assert town.lines == lines
    await town.minute(zoom=250)
    assert town.group.incident == group
    assert "Zoom. Worse" in town.lines[-1]
    await town.minute(40)
    assert town.group.state == "closed"
    await town.house.aclose()


@pytest.mark.parametrize("dies_at", range(1, 9))
async def test_a_process_killed_at_any_write_ends_with_one_group_that_tells_all(tmp_path: Path, dies_at: int):
    folder = tmp_path / "data"
    folder.mkdir()
    town = Town(tmp_path, CONFIG, folder)
    await town.house.wake()
    await town.minute(reddit=12, steam=12)
    saves, save = iter(range(1, 100)), town.house.store.save

    async def mortal(*args):
        if next(saves) == dies_at:
            raise KeyboardInterrupt
        return await save(*args)

    town.house.store.save = mortal
    with suppress(KeyboardInterrupt):
        await town.minute(zoom=12)
        await town.minute(3, zoom=250, github=12)
    assert next(saves) > dies_at, "it died"
    town.house.store.save = save
    await town.house.aclose()
    town.adopt(tmp_path, CONFIG, folder)
    await town.house.wake()
    await town.minute(2, zoom=12, github=12)
    await town.minute(45)
    groups = [head for head in town.heads if head.incident.startswith("together-")]
    assert len(groups) == 1
    assert groups[0].state == "closed"
    everything = "\n".join(town.lines)
    assert everything.count("Zoom. Opened") + everything.count("Zoom (") >= 1
    assert everything.count("All over") == 1
    assert all(incident.state == "closed" for incident in await town.house.store.incidents())
    await town.house.aclose()


async def test_without_the_key_everything_is_told_alone(town: Town, tmp_path: Path):
    await town.house.aclose()
    town.adopt(tmp_path, CONFIG.replace("grouping: {services: 3, within: 5m}\n", ""))
    await town.house.wake()
    await town.minute(reddit=12, steam=12, zoom=12, github=12, npm=12)
    assert len(town.heads) == 5
    assert town.group is None


async def test_the_page_of_the_one_that_all_need_is_quoted(town: Town):
    watched = {("cloudflare", "page"): Watched(health=Health.PARTIAL_OUTAGE, quiet=True)}
    town.house.watches["cloudflare"] = {"page": Page()}
    town.house.engine.witnesses.watched.update(watched)
    await town.minute(github=12)
    await town.minute(npm=12)
    assert "Likely cause: Cloudflare, whose page says partial outage." in plain(town.group.sentence)


class Page:
    evidence = Evidence.VENDOR


async def test_a_form_says_which_incidents_an_act_on_the_group_is_done_to(town: Town):
    await town.minute(reddit=12, steam=12, zoom=12)
    form = town.form("resolve", incident=town.group.incident)
    assert form.title == "Resolve: 3 services"
    assert words(form.about).startswith("Closes 3 incidents: Reddit, Steam and Zoom.")
    assert words(town.form("mute", incident=town.group.incident).about).startswith("Mutes 3 incidents")
    assert (await town.press("resolve", incident=town.group.incident, text="it was us")).ok
    await town.tell()
    assert town.group.state == "closed"


@pytest.mark.parametrize("verb", ["why", "show", "chart", "status", "note", "reopen", "merge", "real"])
async def test_every_verb_has_an_answer_in_the_thread_of_a_group(town: Town, verb: str):
    await town.minute(reddit=12, steam=12, zoom=12)
    answer = await town.say(verb, incident=town.group.incident)
    assert answer.lines or answer.head
    assert "Error" not in said(answer)


async def test_one_whose_service_is_taken_out_of_the_configuration_does_not_keep_the_group_open(
    town: Town, tmp_path: Path
):
    await town.minute(reddit=12, steam=12, zoom=12)
    for service in ("reddit", "steam"):
        await town.say(f"resolve {service}")
    assert town.house.together.alive
    (tmp_path / "config.yaml").write_text(CONFIG.replace("  zoom: {name: Zoom}\n", ""))
    await town.house.adopt(read(tmp_path / "config.yaml", {}))
    await town.tell()
    assert town.group.state == "closed", "the last of them went with its service"


async def test_a_group_shown_on_the_page_is_its_head_and_its_lines(town: Town):
    await town.minute(reddit=12, steam=12, zoom=12)
    head = await town.house.board.head(town.group.incident)
    assert head is not None
    assert head.title == town.group.title
    assert len(await town.house.board.timeline(town.group.incident)) == 2
