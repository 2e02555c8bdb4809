"""What a configuration becomes: complete settings, with every layer put in and every line remembered."""

import time
from datetime import UTC, datetime, timedelta
from datetime import time as of_day
from pathlib import Path

import pytest

from bot.config.errors import Misconfigured
from bot.config.read import read
from bot.config.settings import Channel, Route, Settings, Window
from bot.core.model import Policy
from bot.core.quiet import Quiet
from bot.fields import Secret

ROOT = Path(__file__).parents[2]
WHOLE = """\
data: ./state
web:
  listen: "[::1]:9090"
  public_url: https://status.example.org/
  tokens: [{name: ci, secret: "${TOKEN}", scopes: [report, read]}]
tick: 1s
chats:
  page: {kind: page}
  slack: {kind: slack, bot_token: "${TOKEN}", app_token: !file token.txt, api_url: "http://127.0.0.1:1/"}
channels:
  wall: {chat: page}
  ops: {chat: slack, channel: C0123ABCD, mention: {critical: "<!subteam^S1>"}}
levels:
  minor: {reports: 10, within: 15m, times: 2, alarms: 1/week}
  critical:
    reports: "${MANY}"
    within: 5m
policy: {open_at: minor, confirm_for: 2m, quiet_for: 10m}
defaults:
  tell: [wall]
  one_voice: 45m
  policy: {quiet_for: 20m}
  levels: {minor: {reports: 20}}
services:
  twitter:
    name: Twitter
    aliases: [x, twitter.com]
    words: [twitter down]
    levels: {critical: {reports: 500}}
    policy: {confirm_for: 0s}
    watch:
      page: {kind: statuspage, url: "https://status.example.com"}
    tell: [wall, {channel: ops, from: critical}]
    depends_on: [github]
    maintenance: [{from: 2026-12-01T22:00Z, for: 2h}, {cron: 0 3 * * SUN, for: 1h30m}]
  github: {catalogue: github, watch: {page: {every: 5m}}}
  plain:
"""


def written(folder: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    path = folder / "config.yaml"
    path.write_text(text)
    return read(path, environ or {})


@pytest.fixture
def whole(tmp_path: Path) -> Settings:
    (tmp_path / "token.txt").write_text("xapp-secret\n")
    return written(tmp_path, WHOLE, {"TOKEN": "hush", "MANY": "200"})


def test_the_house_is_as_written(whole: Settings, tmp_path: Path):
    assert whole.data == tmp_path / "state"
    assert (whole.web.listen_host, whole.web.listen_port) == ("::1", 9090)
    assert whole.web.public_url == "https://status.example.org"
    [token] = whole.web.tokens
    assert (token.name, token.secret, token.scopes) == ("ci", Secret("hush"), {"read", "report"})
    assert whole.tick == timedelta(seconds=1)
    assert whole.levels == ("minor", "critical")


def test_chats_are_the_plugins_themselves(whole: Settings):
    slack = whole.chats["slack"]
    assert (slack.kind, slack.api_url) == ("slack", "http://127.0.0.1:1/")
    assert slack.bot_token.reveal() == "hush"
    assert slack.app_token.reveal() == "xapp-secret"
    assert whole.channels["ops"] == Channel(chat="slack", channel="C0123ABCD", mention={"critical": "<!subteam^S1>"})


def test_overrides_go_deep_from_the_base_through_the_defaults_to_the_service(whole: Settings):
    minor, critical = whole.services["twitter"].levels
    assert (minor.reports, minor.within, minor.times) == (20, timedelta(minutes=15), 2.0)
    assert (critical.reports, critical.within, critical.times) == (500, timedelta(minutes=5), None)
    assert whole.services["plain"].levels[1].reports == 200
    assert whole.services["twitter"].policy == Policy(
        name="Twitter",
        levels=("minor", "critical"),
        open_at="minor",
        confirm_for=timedelta(0),
        quiet_for=timedelta(minutes=20),
        reopen_for=timedelta(hours=1),
    )


def test_a_level_knows_the_line_that_had_the_last_word(whole: Settings):
    assert [rule.line for rule in whole.services["twitter"].levels] == ["config.yaml:23", "config.yaml:29"]
    assert [rule.line for rule in whole.services["plain"].levels] == ["config.yaml:23", "config.yaml:15"]


def test_a_budget_of_alarms_is_counted_in_months_of_thirty_days(whole: Settings):
    minor, critical = whole.services["plain"].levels
    assert minor.alarms_per_month == pytest.approx(30 / 7)
    assert critical.alarms_per_month is None


def test_a_service_has_everything(whole: Settings):
    twitter = whole.services["twitter"]
    assert (twitter.id, twitter.name, twitter.aliases, twitter.words) == (
        "twitter",
        "Twitter",
        ("x", "twitter.com"),
        ("twitter down",),
    )
    assert twitter.tell == (Route(channel="wall", from_level=""), Route(channel="ops", from_level="critical"))
    assert twitter.one_voice == timedelta(minutes=45)
    assert twitter.depends_on == ("github",)
    assert twitter.maintenance == (
        Window(start=datetime(2026, 12, 1, 22, tzinfo=UTC), cron="", lasts=timedelta(hours=2)),
        Window(start=None, cron="0 3 * * sun", lasts=timedelta(minutes=90)),
    )
    assert twitter.watches["page"].kind == "statuspage"


def test_a_service_of_which_nothing_is_said_is_counted_all_the_same(whole: Settings):
    plain = whole.services["plain"]
    assert (plain.name, plain.watches, plain.tell) == ("plain", {}, (Route(channel="wall", from_level=""),))


def test_the_catalogue_lies_beneath_what_is_said_of_a_service(whole: Settings):
    github = whole.services["github"]
    assert github.name == "GitHub"
    assert (github.watches["page"].kind, github.watches["page"].every) == ("statuspage", timedelta(minutes=5))


def test_another_kind_replaces_the_watch_of_the_catalogue(tmp_path: Path):
    text = "services: {github: {catalogue: github, watch: {page: {kind: probe, url: 'https://github.com'}}}}\n"
    assert written(tmp_path, text).services["github"].watches["page"].kind == "probe"


def test_no_secret_is_printed(whole: Settings):
    assert "hush" not in repr(whole)
    assert "xapp-secret" not in repr(whole)


def test_settings_are_frozen(whole: Settings):
    with pytest.raises(AttributeError):
        whole.tick = timedelta(minutes=1)
    with pytest.raises(TypeError):
        whole.services["new"] = whole.services["plain"]


def test_every_file_that_was_looked_at_is_known(whole: Settings, tmp_path: Path):
    assert whole.files == (tmp_path / "config.yaml", tmp_path / "token.txt")


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "services:\n", "levels: {}\nchats:\n"])
def test_an_empty_file_has_the_page_a_wall_and_a_ladder(tmp_path: Path, text: str):
    settings = written(tmp_path, text)
    assert (list(settings.chats), list(settings.channels)) == (["page"], ["wall"])
    assert settings.levels == ("minor", "major", "critical")
    assert (settings.tick, settings.web.listen_port, settings.services) == (timedelta(minutes=1), 8080, {})


def test_a_ladder_of_ones_own_replaces_the_built_in_one(tmp_path: Path):
    settings = written(tmp_path, "levels: {low: {reports: 3}, high: {times: 4}}\nservices: {shop: }\n")
    assert settings.levels == ("low", "high")
    assert settings.services["shop"].policy.open_at == "low"


def test_the_built_in_ladder_is_cited_as_such(tmp_path: Path):
    settings = written(tmp_path, "services: {shop: {levels: {major: {reports: 60}}}}\n")
    assert [rule.line for rule in settings.services["shop"].levels] == ["built in", "config.yaml:1", "built in"]


def test_a_service_that_names_no_channel_is_told_to_all(tmp_path: Path):
    settings = written(
        tmp_path, "channels: {a: {chat: page}, b: {chat: page}}\nservices: {shop: , quiet: {tell: []}}\n"
    )
    assert [route.channel for route in settings.services["shop"].tell] == ["a", "b"]
    assert settings.services["quiet"].tell == ()


def test_other_chats_than_the_page_bring_no_wall(tmp_path: Path):
    settings = written(tmp_path, "chats: {slack: {kind: slack, bot_token: a, app_token: b}}\n")
    assert settings.channels == {}


@pytest.mark.parametrize(
    ("scalar", "folder"),
    [
        ("${HOME}/x", "/home/bot/x"),
        ("${NOWHERE:-/srv}/x", "/srv/x"),
        ("${EMPTY:-/srv}", "/srv"),
        ("/srv${NOWHERE:-}", "/srv"),
        ("/a$$b", "/a$b"),
        ("/$${HOME}", "/${HOME}"),
        ("/a$b", "/a$b"),
        ("'/${HOME}'", "/" + "/home/bot"),
        ("${SLY}", "/x: [y] # z"),
        ("!file where.txt", "/from a file"),
        ("!file ${WHERE}.txt", "/from a file"),
    ],
)
def test_variables_and_files_are_put_in_after_the_yaml_is_read(tmp_path: Path, scalar: str, folder: str):
    (tmp_path / "where.txt").write_text("/from a file\n")
    environ = {"HOME": "/home/bot", "EMPTY": "", "SLY": "/x: [y] # z", "WHERE": "where"}
    assert str(written(tmp_path, f"data: {scalar}\n", environ).data) == str(Path(folder))


def test_a_number_may_come_from_a_variable_or_a_file_and_a_name_stays_text(tmp_path: Path):
    (tmp_path / "ten.txt").write_text("10\n")
    text = """
levels: {minor: {reports: !file ten.txt, times: "${TIMES}"}}
services: {shop: {name: "${DIGITS}", watch: {page: {kind: statuspage, url: "https://example.com", allow_private: "${YES}"}}}}
"""
    settings = written(tmp_path, text, {"TIMES": "2.5", "DIGITS": "0123", "YES": "true"})
    [rule] = settings.services["shop"].levels
    assert (rule.reports, rule.times) == (10, 2.5)
    assert settings.services["shop"].name == "0123"
    assert settings.services["shop"].watches["page"].allow_private is True


def test_included_files_are_joined_in_the_order_of_their_names(tmp_path: Path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "b.yaml").write_text("services:\n  b: {levels: {minor: {reports: 3}}}\n")
    (tmp_path / "more" / "a.yaml").write_text("services: {a: {tell: [second]}}\nchannels: {second: {chat: page}}\n")
    (tmp_path / "more" / "notes.txt").write_text("not: read: at: all")
    settings = written(tmp_path, "include: [more/*.yaml]\nservices: {main: }\nchannels: {wall: {chat: page}}\n")
    assert list(settings.services) == ["main", "a", "b"]
    assert list(settings.channels) == ["wall", "second"]
    assert settings.services["b"].levels[0].line == "more/b.yaml:2"
    assert settings.files == tuple(tmp_path / name for name in ("config.yaml", "more", "more/a.yaml", "more/b.yaml"))


def test_an_anchor_may_be_used_again(tmp_path: Path):
    settings = written(tmp_path, "services:\n  a: &shared {levels: {minor: {reports: 3}}}\n  b: *shared\n")
    assert settings.services["a"].levels == settings.services["b"].levels


@pytest.mark.parametrize("moment", ["2026-12-01T23:00+01:00", '"2026-12-01 22:00"', "2026-12-01T22:00:00Z"])
def test_a_time_becomes_utc(tmp_path: Path, moment: str):
    settings = written(tmp_path, f"services: {{shop: {{maintenance: [{{from: {moment}, for: 1h}}]}}}}\n")
    assert settings.services["shop"].maintenance[0].start == datetime(2026, 12, 1, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data: xoxb-1234567890-abcdefgh\n", "1:7: this looks like a Slack token"),
        ("data: xapp-1-A012345-678-abcdef\n", "1:7: this looks like a Slack app token"),
        (
            "data: MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789AB\n",
            "1:7: this looks like a Discord token",
        ),
        ("data: whsec_0123456789abcdef\n", "1:7: this looks like a webhook secret"),
        ("chats: {disco: {kind: discord, token: t, guild: 1}}\n", "1:9: 'disco' has no roles: everybody"),
        ("levels: {a: {reports: 9}, b: {reports: 5}}\n", "1:27: 'b' needs fewer reports than 'a' before it"),
    ],
)
def test_what_should_be_seen_to_is_a_warning_and_stops_nothing(tmp_path: Path, text: str, words: str):
    [warning] = written(tmp_path, text).warnings
    assert f"config.yaml:{words}" in str(warning)
    assert "0123456789" not in warning.message


def test_a_server_whose_roles_are_named_is_no_open_door(tmp_path: Path):
    text = "chats: {disco: {kind: discord, token: t, guild: 1, roles: {act: [7]}}, page: {kind: page}}\n"
    assert written(tmp_path, text).warnings == ()


def test_the_shipped_configuration_runs_without_any_account():
    settings = read(ROOT / "config.yaml", {})
    assert settings.warnings == ()
    assert {chat.kind for chat in settings.chats.values()} == {"page"}
    assert [name for name, service in settings.services.items() if not service.watches] == ["twitter"]
    assert all(service.tell for service in settings.services.values())


def test_what_the_shipped_configuration_shows_in_comments_works_too():
    text = (ROOT / "config.yaml").read_text()
    for example in ("slack:", "disco:", "ops:", "community:", "public_url:", "tokens:"):
        text = text.replace(f"  # {example}", f"  {example}")
    shop = [line.removeprefix("  # ") for line in text.splitlines() if line.startswith(("  # shop", "  #   "))]
    text = text.replace("\n# More files", "\n" + "\n".join(f"  {line}" for line in shop) + "\n# More files")
    path = ROOT / "config.yaml"
    names = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "DISCORD_TOKEN", "TOCSIN_TOKEN")
    settings = _as_if(path, text, dict.fromkeys(names, "x"))
    assert list(settings.channels) == ["wall", "ops", "community"]
    assert list(settings.services["shop"].watches) == ["front", "page"]


def _as_if(path: Path, text: str, environ: dict[str, str]) -> Settings:
    """The settings of a file beside the shipped one, with another text."""
    other = path.with_name(f".{path.stem}-{time.time_ns()}.yaml")
    other.write_text(text)
    try:
        return read(other, environ)
    finally:
        other.unlink()


@pytest.mark.timeout(60)
def test_a_thousand_services_are_read(tmp_path: Path):
    rows = "".join(
        f"  s{n}:\n    name: Service {n}\n    aliases: [a{n}]\n    levels: {{critical: {{reports: {n + 500}}}}}\n"
        f"    watch: {{page: {{kind: statuspage, url: https://s{n}.example.com}}}}\n    tell: [wall]\n"
        for n in range(1_000)
    )
    settings = written(tmp_path, f"defaults: {{one_voice: 20m}}\nservices:\n{rows}")
    assert len(settings.services) == 1_000


@pytest.mark.timeout(60)
def test_four_thousand_mistakes_are_all_explained(tmp_path: Path):
    rows = "".join(f"  s{n}: {{nam: x, tel: [wall], depends_on: [zz{n}], one_voice: soon}}\n" for n in range(1_000))
    with pytest.raises(Misconfigured) as wrong:
        written(tmp_path, f"services:\n{rows}")
    assert len(wrong.value.problems) == 4_000


def test_a_file_is_included_once_and_never_by_itself(tmp_path: Path):
    (tmp_path / "more.yaml").write_text("services: {more: }\n")
    settings = written(tmp_path, "include: ['*.yaml', more.yaml]\nservices: {main: }\n")
    assert list(settings.services) == ["main", "more"]


def test_a_channel_may_have_quiet_hours_one_or_several(tmp_path: Path):
    channels = written(
        tmp_path,
        "channels:\n"
        '  one: {chat: page, quiet: {from: "22:00", to: "7:00", zone: Europe/Berlin, days: [mon, fri], unless: major}}\n'
        '  several: {chat: page, quiet: [{from: "22:00", to: "06:30"}, {from: "00:00", to: "24:00", days: [sun]}]}\n'
        "  none: {chat: page, quiet: }\n",
        {},
    ).channels
    assert channels["one"].quiet == (
        Quiet(start=of_day(22), end=of_day(7), zone="Europe/Berlin", days=frozenset({0, 4}), unless="major"),
    )
    assert channels["several"].quiet == (
        Quiet(start=of_day(22), end=of_day(6, 30)),
        Quiet(start=of_day(0), end=of_day(0), days=frozenset({6})),
    )
    assert channels["none"].quiet == ()
