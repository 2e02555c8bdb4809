"""What each kind of status page says, read from small captures that hold the traps they are known for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from doubles.watches import NOW, PAGES, captured, watch

from bot.core.model import Health, Notice, Signal


def said(kind: str, names: str, now: datetime = NOW, **fields: Any) -> Signal:
    return watch(kind, **fields).read(captured(kind, *names.split(" ")), now)


def opened(signal: Signal) -> tuple[int, int]:
    """How many incidents and how many maintenances are open."""
    planned = [n.maintenance for n in signal.notices if n.open]
    return planned.count(False), planned.count(True)


TABLE = """
incidentio    front-calm.json                            operational    0 0
incidentio    front-incident.json                        partial_outage 1 0
incidentio    front-affected-only.json                   major_outage   0 0
incidentio    front-words-nobody-knows.json              degraded       1 0
incidentio    widget-calm.json                           operational    0 0
incidentio    widget-incident.json                       major_outage   1 1
incidentio    shim-yellow.json                           degraded       0 0 quiet
instatus      up.json                                    operational    0 0
instatus      issues-without-incident.json               degraded       0 0 quiet
instatus      major.json                                 major_outage   1 0
instatus      watched-without-impact.json                operational    1 0
instatus      without-id.json                            partial_outage 1 0
instatus      maintenance.json                           maintenance    0 1
instatus      words-nobody-knows.json                    degraded       0 0 quiet
betterstack   calm.json                                  operational    0 0
betterstack   one-of-eight-down.json                     partial_outage 1 0
betterstack   mostly-down.json                           major_outage   0 0
betterstack   maintenance.json                           maintenance    0 1
betterstack   words-nobody-knows.json                    degraded       0 0 quiet
checkly       calm.json                                  operational    0 0
checkly       medium.json                                partial_outage 1 0
checkly       maintenance.json                           maintenance    0 1
checkly       words-nobody-knows.json                    degraded       1 0
rootly        status-none.json,                          operational    0 0
rootly        status-none.json,incidents.json            major_outage   1 0
rootly        status-critical.json,                      major_outage   0 0
statusio      calm.json                                  operational    0 0
statusio      one-place.json                             partial_outage 1 0
statusio      security.json                              major_outage   0 0
statusio      maintenance.json                           maintenance    0 1
statusio      words-nobody-knows.json                    degraded       0 0 quiet
statuspal     calm.json                                  operational    0 0
statuspal     minor-inside.json                          degraded       1 0
statuspal     major.json                                 major_outage   0 0
statuspal     scheduled.json                             maintenance    0 1
statuspal     words-nobody-knows.json                    degraded       0 0 quiet
sorry         page.json,components.json,                 operational    0 0
sorry         page.json,components-degraded.json,        major_outage   0 0
sorry         page-degraded.json,components.json,        partial_outage 0 0
sorry         page.json,components.json,notices.json     degraded       1 0
sorry         page.json,components.json,no-notices.json  operational    0 0
cachet        components-v1-calm.json,incidents-v1-none.json  operational    0 0
cachet        components-v1.json,incidents-v1.json       partial_outage 1 0
cachet        components-v3.json,incidents-v3.json       major_outage   1 0
slack_status  ok.json,                                   operational    0 0
slack_status  ok.json,history.json                       operational    0 0
slack_status  ok-but-active.json,                        partial_outage 1 0
slack_status  outage.json,                               major_outage   1 0
slack_status  notice.json,                               degraded       1 0
slack_status  planned.json,                              operational    0 0
slack_status  active-without-any.json,                   degraded       0 0 quiet
slack_status  words-nobody-knows.json,                   degraded       1 0
gcp           calm.json                                  operational    0 0
gcp           report-after-the-end.json                  operational    0 0
gcp           two-places.json                            major_outage   2 0
gcp           available-but-open.json                    operational    1 0
gcp           workspace-bare.json                        degraded       1 0
gcp           words-nobody-knows.json                    degraded       1 0
aws           calm.json                                  operational    0 0
aws           degraded.json                              degraded       1 0
aws           disruption-elsewhere.json                  major_outage   1 0
aws           informational.json                         operational    1 0
aws           resolved.json                              operational    0 0
aws           months-old.json                            operational    0 0
aws           words-nobody-knows.json                    degraded       1 0
azure         calm.xml                                   operational    0 0
azure         open.xml                                   degraded       1 0
azure         outage.xml                                 partial_outage 1 0
azure         partly-over.xml                            degraded       2 0
azure         over.xml                                   operational    0 0
apple         calm.json                                  operational    0 0
apple         wrapped.js                                 major_outage   1 0
apple         one-message-two-services.json              degraded       1 0
apple         resolved.json                              operational    0 0
apple         since-2001.json                            degraded       1 0
apple         planned.json                               operational    0 0
apple         without-type.json                          degraded       1 0
salesforce    calm.json                                  operational    0 0
salesforce    major.json                                 major_outage   1 0
salesforce    minor-elsewhere.json                       degraded       1 0
salesforce    resolved.json                              operational    0 0
salesforce    words-nobody-knows.json                    degraded       1 0
salesforce    instance-ok.json                           operational    0 0
salesforce    instance-major.json                        major_outage   0 0
salesforce    instance-wobbly.json                       degraded       0 0 quiet
heroku        green.json                                 operational    0 0
heroku        red.json                                   major_outage   1 0
heroku        blue.json                                  maintenance    0 1
heroku        yellow-without-incident.json               degraded       0 0
heroku        resolved.json                              operational    0 0
heroku        words-nobody-knows.json                    degraded       0 0
uptimekuma    page.json,beats-up.json                    operational    0 0
uptimekuma    page.json,beats-down.json                  major_outage   0 0
uptimekuma    page.json,beats-trying-again.json          operational    0 0
uptimekuma    page.json,beats-still-down-trying-again.json  major_outage 0 0
uptimekuma    page.json,beats-work.json                  maintenance    0 0
uptimekuma    page-v1-incident.json,beats-up.json        degraded       1 0
uptimekuma    page-announcement-and-work.json,beats-up.json  maintenance 1 1
gatus         up.json                                    operational    0 0
gatus         down.json                                  major_outage   0 0
upptime       up.json                                    operational    0 0
upptime       down.json                                  major_outage   0 0
upptime       words-nobody-knows.json                    degraded       0 0
m365          services.json,no-issues.json               operational    0 0
m365          services.json,issues.json                  degraded       1 0
m365          services-interrupted.json,no-issues.json   major_outage   0 0
m365          services-wobbly.json,no-issues.json        degraded       0 0 quiet
feed          german.xml                                 degraded       1 0
feed          severities.xml                             major_outage   1 0
feed          disagreeing-severities.xml                 degraded       1 0
feed          dated-pdt.xml                              degraded       1 0
feed          xhtml.atom                                 degraded       1 0
feed          work-announced.atom                        operational    0 0
feed          zombie-open.atom                           degraded       1 0
feed          zombie-resolved.atom                       operational    0 0
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]}:{row[1]}" for row in ROWS])
def test_a_page_is_graded(row: list[str]) -> None:
    kind, names, level, incidents, maintenances, *quiet = row
    now = NOW + timedelta(hours=1) if "zombie" in names else NOW
    signal = said(kind, names.replace(",", " "), now)
    assert signal.error == "", signal.note
    assert signal.health is not None
    assert (signal.health.word, opened(signal)) == (level, (int(incidents), int(maintenances)))
    assert signal.quiet == bool(quiet)


def test_every_kind_of_page_has_its_captures() -> None:
    assert {row[0] for row in ROWS} | {"statuspage"} == set(PAGES)


# Choosing parts and places


CHOICES = [
    ("incidentio", "front-incident.json", {"components": ["API"]}, "operational"),
    ("incidentio", "front-incident.json", {"components": ["Web / Login"]}, "partial_outage"),
    ("incidentio", "front-incident.json", {"components": ["web"]}, "partial_outage"),
    ("incidentio", "front-affected-only.json", {"components": ["Log*"]}, "operational"),
    ("betterstack", "one-of-eight-down.json", {"components": ["Mail"]}, "operational"),
    ("betterstack", "one-of-eight-down.json", {"components": ["Login"]}, "major_outage"),
    ("betterstack", "one-of-eight-down.json", {"components": ["core"]}, "major_outage"),
    ("checkly", "medium.json", {"components": ["Chat"]}, "partial_outage"),
    ("checkly", "medium.json", {"components": ["Search"]}, "operational"),
    ("statusio", "one-place.json", {"components": ["Login"]}, "operational"),
    ("statusio", "one-place.json", {"components": ["Registry"]}, "partial_outage"),
    ("statusio", "one-place.json", {"regions": ["eu-west"]}, "operational"),
    ("statusio", "one-place.json", {"regions": ["us-*"]}, "partial_outage"),
    ("statusio", "one-place.json", {"components": ["Registry"], "regions": ["eu-west"]}, "operational"),
    ("statuspal", "minor-inside.json", {"components": ["API"]}, "operational"),
    ("statuspal", "minor-inside.json", {"components": ["europe"]}, "degraded"),
    ("sorry", "page.json components-degraded.json ", {"components": ["Europe / API"]}, "major_outage"),
    ("cachet", "components-v1.json incidents-v1.json", {"components": ["API"]}, "operational"),
    ("cachet", "components-v1.json incidents-v1.json", {"components": ["2"]}, "partial_outage"),
    ("slack_status", "ok-but-active.json ", {"components": ["Search"]}, "operational"),
    ("slack_status", "outage.json ", {"components": ["Search"]}, "major_outage"),  # it names no part at all
    ("gcp", "two-places.json", {"regions": ["europe-*"]}, "degraded"),  # the one without a place stays
    ("gcp", "two-places.json", {"regions": ["us-central1"]}, "major_outage"),
    ("gcp", "two-places.json", {"regions": ["Iowa"]}, "major_outage"),
    ("gcp", "two-places.json", {"components": ["Another Engine"]}, "operational"),
    ("gcp", "two-places.json", {"components": ["example engine"]}, "major_outage"),
    ("aws", "disruption-elsewhere.json", {"regions": ["eu-*"]}, "operational"),
    ("aws", "disruption-elsewhere.json", {"regions": ["us-east-1"]}, "major_outage"),
    ("aws", "degraded.json", {"components": ["ec2"]}, "degraded"),
    ("aws", "degraded.json", {"components": ["s3"]}, "operational"),
    ("azure", "open.xml", {"regions": ["East US"]}, "operational"),
    ("azure", "open.xml", {"regions": ["East US 2"]}, "degraded"),
    ("azure", "open.xml", {"components": ["Virtual Machines"]}, "degraded"),
    ("azure", "outage.xml", {"regions": ["West Europe"]}, "partial_outage"),  # no place: everywhere
    ("apple", "wrapped.js", {"components": ["iCloud Mail"]}, "operational"),
    ("apple", "one-message-two-services.json", {"components": ["iCloud*"]}, "degraded"),
    ("salesforce", "minor-elsewhere.json", {"regions": ["EU44"]}, "operational"),
    ("salesforce", "minor-elsewhere.json", {"regions": ["NA*"]}, "degraded"),
    ("m365", "services.json issues.json", {"components": ["Exchange Online"]}, "operational"),
    ("m365", "services.json issues.json", {"components": ["*teams"]}, "degraded"),
    ("heroku", "yellow-without-incident.json", {"components": ["data"]}, "operational"),
    ("uptimekuma", "page.json beats-down.json", {"components": ["Web"]}, "operational"),
    ("uptimekuma", "page.json beats-down.json", {"components": ["Alles"]}, "operational"),
    ("uptimekuma", "page.json beats-down.json", {"components": ["Dienste / Mail"]}, "major_outage"),
    ("gatus", "down.json", {"components": ["core_back"]}, "operational"),
    ("gatus", "down.json", {"components": ["core"]}, "major_outage"),
    ("upptime", "down.json", {"components": ["api"]}, "degraded"),
]


@pytest.mark.parametrize(("kind", "names", "fields", "level"), CHOICES)
def test_only_what_is_chosen_counts(kind: str, names: str, fields: dict[str, Any], level: str) -> None:
    signal = said(kind, names, **fields)
    assert signal.health is not None, signal.note
    assert signal.health.word == level


@pytest.mark.parametrize(
    ("kind", "names", "fields"),
    [
        ("incidentio", "front-calm.json", {"components": ["Billing"]}),
        ("betterstack", "mostly-down.json", {"components": ["Old"]}),  # nobody measures it
        ("statusio", "calm.json", {"components": ["Billing"]}),
        ("apple", "calm.json", {"components": ["Billing"]}),
        ("gatus", "down.json", {"components": ["new"]}),
        ("gatus", "never-checked.json", {}),
        ("uptimekuma", "page.json beats-stopped.json", {}),
        ("uptimekuma", "page.json beats-up.json", {"components": ["Wiki"]}),
        ("feed", "empty.xml", {}),
        ("feed", "german.xml", {"title": "Example status"}),
    ],
)
def test_what_nobody_measures_is_no_reading(kind: str, names: str, fields: dict[str, Any]) -> None:
    signal = said(kind, names, **fields)
    assert (signal.health, signal.error) == (None, "wrong_shape")
    assert signal.note


def test_an_empty_feed_is_good_news_only_where_the_configuration_says_so() -> None:
    assert said("feed", "empty.xml", empty_is_healthy=True).health is Health.OPERATIONAL


# What the notices say


def only(signal: Signal) -> Notice:
    [notice] = (n for n in signal.notices if n.open)
    return notice


def clock(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 3, 1, hour, minute, second, tzinfo=UTC)


TOLD = [
    ("incidentio", "front-incident.json", "01INC", "identified", clock(11), clock(11, 20), "Sign-in from the web fails for some.\nWe are on it."),
    ("instatus", "major.json", "inst1", "identified", clock(11, 5, 50), clock(11, 20), ""),
    ("betterstack", "one-of-eight-down.json", "91", "investigating", clock(11), clock(11, 30), "We found it."),
    ("checkly", "medium.json", "c1", "identified", clock(11), clock(11, 10), "Found."),
    ("rootly", "status-none.json incidents.json", "r1", "investigating", clock(11), clock(11, 5), ""),
    ("statusio", "one-place.json", "i1", "identified", clock(11), clock(11, 20), "Found"),
    ("statuspal", "minor-inside.json", "77", "identified", clock(11), clock(11, 15), "It is slow."),
    ("sorry", "page.json components.json notices.json", "5", "identified", clock(11), clock(11, 30), "Found."),
    ("cachet", "components-v1.json incidents-v1.json", "9", "identified", clock(11), clock(11, 20), "We **found** it."),
    ("slack_status", "ok-but-active.json ", "1001", "investigating", clock(11), clock(11, 30), "We are still looking.\n\nMore soon & here."),
    ("gcp", "available-but-open.json", "calmer", "monitoring", clock(10), clock(11, 30), "Better."),
    ("aws", "degraded.json", "AWS_EC2_TROUBLE_2", "investigating", clock(10), clock(11), "We have found it."),
    ("azure", "open.xml", "a1", "investigating", clock(10), clock(10), "We are looking & working."),
    ("apple", "since-2001.json", "700", "investigating", clock(10), clock(10), "Users cannot sign in."),
    ("salesforce", "major.json", "555", "investigating", clock(9, 55), clock(11), "We are looking."),
    ("heroku", "red.json", "2500", "investigating", clock(10), clock(11), "We are looking."),
    ("uptimekuma", "page-v1-incident.json beats-up.json", "3", "investigating", clock(11), clock(11), "Wir untersuchen **das**."),
    ("feed", "german.xml", "1", "investigating", clock(9), clock(9), "Aktuell gibt es Probleme mit Server 42."),
    ("feed", "dated-pdt.xml", "9", "investigating", clock(11, 30), clock(11, 30), "We are looking."),
    ("feed", "xhtml.atom", "urn:x:1", "investigating", clock(11), clock(11), "We are looking.\n\nMore soon."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "names", "key", "phase", "started", "updated", "words"), TOLD)
def test_an_incident_is_told_with_its_own_times_and_words(
    kind: str, names: str, key: str, phase: str, started: datetime, updated: datetime, words: str
) -> None:
    notice = only(said(kind, names))
    assert (notice.key, notice.phase, notice.words) == (key, phase, words)
    assert (notice.started_at, notice.updated_at) == (started, updated)


def test_links_lead_to_pages_for_people() -> None:
    urls = {notice.url for notice in said("gcp", "two-places.json").notices}
    assert urls == {f"https://status.cloud.google.com/incidents/{name}" for name in ("iowa", "everywhere")}
    assert only(said("feed", "xhtml.atom")).url == "https://status.example.com/incidents/1"
    assert only(said("azure", "open.xml")).url == "https://azure.status.microsoft/en-us/status"
    assert said("statuspal", "calm.json").url == "https://status.example.com"


def test_an_incident_without_an_id_is_known_by_its_address() -> None:
    first, later = (only(said("instatus", "without-id.json", NOW + timedelta(hours=h))) for h in (0, 1))
    assert first.key == later.key


def test_parts_in_trouble_are_named_and_others_are_not() -> None:
    assert said("upptime", "down.json").note == "not well: Web, API"
    assert said("gatus", "down.json", components=["core_back"]).note == ""
    assert said("uptimekuma", "page.json beats-down.json").note == "not well: Mail"


def test_one_message_under_several_services_is_one_incident() -> None:
    assert opened(said("apple", "one-message-two-services.json")) == (1, 0)


def test_what_a_vendor_forgot_is_stale() -> None:
    [notice] = said("aws", "months-old.json").notices
    assert (notice.stale, notice.open) == (True, False)


def test_the_year_of_an_update_is_the_one_before_when_its_month_is_later() -> None:
    [notice] = said("feed", "new-year.atom", datetime(2026, 1, 1, 1, tzinfo=UTC)).notices
    assert notice.started_at == datetime(2025, 12, 31, 23, 50, tzinfo=UTC)
    assert notice.updated_at == datetime(2026, 1, 1, 0, 30, tzinfo=UTC)


def test_work_announced_in_a_feed_has_its_planned_start() -> None:
    [notice] = said("feed", "work-announced.atom").notices
    assert (notice.phase, notice.started_at) == ("scheduled", clock(13))


@pytest.mark.parametrize(
    ("kind", "fields", "addresses"),
    [
        ("instatus", {}, ["/summary.json"]),
        ("instatus", {"components": ["API"]}, ["/summary.json", "/v2/components.json"]),
        ("checkly", {"slug": "ex/ample"}, ["/api/status-page/ex%2Fample/unresolved-incidents"]),
        ("checkly", {}, ["/api/status-page/status/unresolved-incidents"]),
        ("statuspal", {"url": "https://status.example.com"}, ["/api/v2/status_pages/example/summary"]),
        ("gcp", {"url": "https://status.example.com"}, ["/incidents.json"]),
        ("aws", {"url": "https://status.example.com/health/status"}, ["/public/currentevents"]),
        ("azure", {"url": "https://status.example.com/en-us/status"}, ["/en-us/status/feed/"]),
        ("apple", {"url": "https://status.example.com", "developer": True}, ["/data/developer/system_status_en_US.js"]),
        ("salesforce", {"url": "https://status.example.com", "instance": "eu44"}, ["/v1/instances/EU44/status"]),
        ("uptimekuma", {"url": "https://status.example.com/status/Main"}, ["/api/status-page/main", "/api/status-page/heartbeat/main"]),
        ("upptime", {}, ["/history/summary.json"]),
    ],
)  # fmt: skip
def test_a_page_is_asked_at_the_addresses_of_its_kind(kind: str, fields: dict[str, Any], addresses: list[str]) -> None:
    assert list(watch(kind, **fields).addresses()) == [f"https://status.example.com{path}" for path in addresses]


def test_a_repository_at_github_is_read_from_where_its_files_are() -> None:
    [address] = watch("upptime", url="https://github.com/example/uptime").addresses()
    assert address == "https://raw.githubusercontent.com/example/uptime/HEAD/history/summary.json"


@pytest.mark.parametrize("wrong", ["(", "[z-a]", "(?P<a>x)(?P<a>y)"])
def test_a_pattern_that_cannot_work_is_refused_in_the_configuration(wrong: str) -> None:
    with pytest.raises(ValueError, match="regular expression"):
        watch("feed", resolved=wrong)
