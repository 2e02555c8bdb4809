"""What each kind of hook makes of what its senders really send."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from doubles.senders import NEXT, NOW, SECRET, capture, heard, letter, packed, signature, watch
from doubles.senders import NoWeb as Web

from bot.core.model import Evidence, Health
from bot.ports import Forbidden, Hook, Letter, Source

DOWN, PARTIAL, BAD, FINE = Health.MAJOR_OUTAGE, Health.PARTIAL_OUTAGE, Health.DEGRADED, Health.OPERATIONAL
GOOGLE = {
    "key": "incident.incident_id",
    "state": "incident.state",
    "title": "incident.summary",
    "url": "incident.url",
    "started": "incident.started_at",
}
SEVERAL = {
    "each": "items[*]",
    "key": "id",
    "state": "status",
    "title": "host",
    "firing": ["down"],
    "resolved": ["up"],
    "means": "partial_outage",
}

TABLE: list[tuple[str, dict[str, Any], str, list[tuple[str, Health, str]]]] = [
    ("alertmanager", {}, "alertmanager/two-of-three-fire.json", [
        ("c0ffee0000000001", DOWN, "Checkout answers 500 to every fifth request"),
        ("c0ffee0000000002", BAD, "CheckoutSlow"),
        ("c0ffee0000000003", FINE, "No cart was filled"),
    ]),
    ("alertmanager", {"labels": {"alertname": "CheckoutSlow"}}, "alertmanager/two-of-three-fire.json", [
        ("c0ffee0000000002", BAD, "CheckoutSlow"),
    ]),
    ("alertmanager", {"means": "major_outage"}, "alertmanager/same-labels-two-fingerprints.json", [
        ("aa", DOWN, "Lag"), ("bb", DOWN, "Lag"), ("dd", DOWN, "Odd"),
    ]),
    ("grafana", {}, "grafana/one-fires.json", [("f1", PARTIAL, "Orders wait for more than a minute")]),
    ("grafana", {}, "grafana/old-alerting.json", [("rule 7", BAD, "CPU of the shop")]),
    ("grafana", {}, "grafana/old-ok.json", [("rule 7", FINE, "CPU of the shop")]),
    ("uptimekuma_hook", {}, "uptimekuma/down.json", [("monitor 3", DOWN, "Shop front: connect ECONNREFUSED")]),
    ("uptimekuma_hook", {}, "uptimekuma/up.json", [("monitor 3", FINE, "Shop front: 200 - OK")]),
    ("uptimekuma_hook", {}, "uptimekuma/pending.json", []),
    ("uptimekuma_hook", {}, "uptimekuma/maintenance.json", [("monitor 3", Health.MAINTENANCE, "Shop front: connect ECONNREFUSED")]),
    ("uptimekuma_hook", {}, "uptimekuma/test-button.json", []),
    ("gatus_hook", {}, "gatus/triggered.json", [("shop / front", DOWN, "shop / front: context deadline exceeded")]),
    ("gatus_hook", {}, "gatus/triggered-broken-by-quotes.json", [
        ("shop / front", DOWN, 'shop / front: Get "https://shop.example.com": dial tcp: lookup "shop", no such host'),
    ]),
    ("gatus_hook", {}, "gatus/resolved.json", [("shop / front", FINE, "shop / front")]),
    ("datadog", {}, "datadog/triggered.json", [("cycle 110233", PARTIAL, "[Triggered] Checkout is slow")]),
    ("datadog", {}, "datadog/recovered.json", [("cycle 110233", FINE, "[Triggered] Checkout is slow")]),
    ("datadog", {}, "datadog/no-data.json", [("cycle 110233", BAD, "[Triggered] Checkout is slow")]),
    ("datadog", {}, "datadog/other-names-recovered.json", [("monitor 42", FINE, "Checkout is slow")]),
    ("sentry", {}, "sentry/metric-critical.json", [("metric 9", DOWN, "Critical: Checkout failures")]),
    ("sentry", {}, "sentry/metric-resolved.json", [("metric 9", FINE, "Resolved: Checkout failures")]),
    ("sentry", {}, "sentry/issue-created.json", [("issue 118", BAD, "KeyError: price")]),
    ("sentry", {}, "sentry/issue-resolved.json", [("issue 118", FINE, "KeyError: price")]),
    ("sentry", {}, "sentry/issue-assigned.json", []),
    ("sentry", {}, "sentry/event-alert.json", [("issue 118", BAD, "Many new errors - KeyError: price")]),
    ("pagerduty", {}, "pagerduty/triggered.json", [("PGR0VU2", DOWN, "A little bump in the road")]),
    ("pagerduty", {"means": "partial_outage"}, "pagerduty/acknowledged.json", [("PGR0VU2", PARTIAL, "A little bump in the road")]),
    ("pagerduty", {}, "pagerduty/resolved.json", [("PGR0VU2", FINE, "A little bump in the road")]),
    ("pagerduty", {}, "pagerduty/ping.json", []),
    ("opsgenie", {}, "opsgenie/create.json", [("70413a06", DOWN, "Payments are refused")]),
    ("opsgenie", {}, "opsgenie/create-number.json", [("70413a06", BAD, "Payments are refused")]),
    ("opsgenie", {}, "opsgenie/close.json", [("70413a06", FINE, "Payments are refused")]),
    ("opsgenie", {}, "opsgenie/note.json", []),
    ("statusgator", {}, "statusgator/early-warning.json", [("M1x early warning", BAD, "Shop: Log-in issues")]),
    ("statusgator", {}, "statusgator/warn.json", [("M1x", BAD, "Shop: Elevated errors")]),
    ("statusgator", {}, "statusgator/up.json", [("M1x", FINE, "Shop: All good"), ("M1x early warning", FINE, "Shop:")]),
    ("standard_webhooks", {}, "standard/opened.json", [("inc_1", PARTIAL, "Payments are refused")]),
    ("standard_webhooks", {}, "standard/resolved.json", [("inc_1", FINE, "Payments are refused")]),
    ("webhook", {}, "webhook/plain.json", [("disk", BAD, "The disk is nearly full")]),
    ("webhook", GOOGLE, "webhook/google.json", [("f2e0", BAD, "CPU of web-85 is above 90 %")]),
    ("webhook", GOOGLE, "webhook/google-closed.json", [("f2e0", FINE, "CPU of web-85 is above 90 %")]),
    ("webhook", SEVERAL, "webhook/several.json", [("1", PARTIAL, "a"), ("2", FINE, "b")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "fields", "name", "expected"), TABLE, ids=[f"{row[2]}-{n}" for n, row in enumerate(TABLE)]
)
async def test_a_delivery_says_which_alerts_fire(
    kind: str, fields: dict[str, Any], name: str, expected: list[Any]
) -> None:
    found = await heard(watch(kind, **fields), capture(name))
    assert [(a.key, a.health, a.title) for a in found.alerts] == expected
    assert not found.ask


async def test_every_hook_is_a_hook_and_no_source() -> None:
    kinds = {row[0] for row in TABLE} | {"cloudevents", "statuspage_hook"}
    for kind in kinds:
        assert isinstance(watch(kind), Hook)
        assert not isinstance(watch(kind), Source)


def test_a_monitor_of_others_is_a_probe_and_an_alert_is_an_alert() -> None:
    assert {watch(kind).evidence for kind in ("uptimekuma_hook", "gatus_hook")} == {Evidence.PROBE}
    assert {watch(kind).evidence for kind in ("alertmanager", "datadog", "statusgator")} == {Evidence.ALERT}


# Details that the table leaves out


async def test_alertmanager_tells_since_when_to_the_microsecond_and_where_to_look() -> None:
    [first, second, _] = (await heard(watch("alertmanager"), capture("alertmanager/two-of-three-fire.json"))).alerts
    assert first.started == datetime(2026, 3, 1, 11, 52, 10, 123456, UTC)
    assert second.started == datetime(2026, 3, 1, 11, 55, 0, 500000, UTC)
    assert first.url == "http://prometheus.example.net/graph?g0.expr=errors"


async def test_kuma_may_post_a_form() -> None:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\nno\r\n'
        b'--x\r\nContent-Disposition: form-data; name="data"\r\n\r\n'
        + capture("uptimekuma/down.json")
        + b"\r\n--x--\r\n"
    )
    found = await heard(watch("uptimekuma_hook"), form, headers={"content-type": 'multipart/form-data; boundary="x"'})
    assert [a.health for a in found.alerts] == [DOWN]


async def test_kuma_tells_the_same_beat_once_and_in_utc() -> None:
    [down] = (await heard(watch("uptimekuma_hook"), capture("uptimekuma/down.json"))).alerts
    [up] = (await heard(watch("uptimekuma_hook"), capture("uptimekuma/up.json"))).alerts
    assert [down.id, up.id] == ["3 2026-03-01 11:58:30.250 0", "3 2026-03-01 12:03:00.100 1"]
    assert down.at == datetime(2026, 3, 1, 11, 58, 30, 250000, UTC)


async def test_opsgenie_counts_in_milliseconds_and_nanoseconds() -> None:
    [alert] = (await heard(watch("opsgenie"), capture("opsgenie/create.json"))).alerts
    assert alert.started == alert.at == datetime(2026, 3, 1, 11, 58, tzinfo=UTC)


async def test_a_statuspage_is_believed_nothing_and_looked_at() -> None:
    for name in ("statuspage/incident.json", "statuspage/component.json"):
        found = await heard(watch("statuspage_hook"), capture(name))
        assert found.ask
        assert found.alerts == ()


EVENT = json.loads(capture("cloudevents/firing.json"))
STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


async def test_an_event_may_come_in_json_in_headers_or_in_a_batch() -> None:
    hook = watch("cloudevents")
    whole = (await heard(hook, packed(EVENT), headers=STRUCTURED)).alerts
    attributes = {f"ce-{name}": value for name, value in EVENT.items() if isinstance(value, str)}
    headers = {**attributes, "ce-subject": "check%6Fut", "content-type": "application/json"}
    binary = (await heard(hook, packed(EVENT["data"]), headers=headers)).alerts
    coded = {name: value for name, value in EVENT.items() if name != "data"}
    coded["data_base64"] = base64.b64encode(packed(EVENT["data"])).decode()
    assert whole == binary == (await heard(hook, packed(coded), headers=STRUCTURED)).alerts
    assert [(a.key, a.health, a.title, a.id) for a in whole] == [
        ("checkout", DOWN, "Check-out fails", "/shop/checkout e-1")
    ]
    both = packed([EVENT, json.loads(capture("cloudevents/resolved.json"))])
    assert [a.health for a in (await heard(hook, both, headers=BATCH)).alerts] == [DOWN, FINE]


async def test_an_event_of_no_interest_counts_for_nothing() -> None:
    assert (await heard(watch("cloudevents"), capture("cloudevents/other.json"), headers=STRUCTURED)).alerts == ()


@pytest.mark.parametrize("missing", ["id", "source", "type", "specversion"])
async def test_an_event_without_what_every_event_has_is_refused(missing: str) -> None:
    event = {name: value for name, value in EVENT.items() if name != missing}
    with pytest.raises(ValueError, match=f"it has no '{missing}'"):
        await heard(watch("cloudevents"), packed(event), headers=STRUCTURED)


async def test_words_for_how_bad_it_is_may_be_told() -> None:
    hook = watch("webhook", severities={"Purple": "major_outage", "grey": "ignore"})
    for word, expected in (("purple", [DOWN]), ("GREY", []), ("critical", [DOWN]), ("heliotrope", [BAD]), ("info", [])):
        body = packed({"key": "k", "state": "firing", "severity": word})
        assert [a.health for a in (await heard(hook, body)).alerts] == expected, word


WRONG = {
    "alertmanager, own template": ("alertmanager", {}, b'{"text": "it burns"}', "payload template"),
    "alertmanager, a list": ("alertmanager", {}, b"[]", "JSON object"),
    "datadog, not filled in": ("datadog", {}, capture("datadog/not-filled-in.json"), r"\$ALERT_TRANSITION"),
    "datadog, no monitor": ("datadog", {}, b'{"transition": "Triggered"}', r"\$ALERT_ID"),
    "gatus, other words": ("gatus_hook", {}, b'{"endpoint": "a", "state": "maybe"}', "ALERT_TRIGGERED_OR_RESOLVED"),
    "kuma, own template": ("uptimekuma_hook", {}, b'{"text": "down"}', "heartbeat"),
    "opsgenie, no alert": ("opsgenie", {}, b'{"action": "Create"}', "alertId"),
    "pagerduty, version 2": ("pagerduty", {}, b'{"messages": []}', "version 3"),
    "statusgator, old": ("statusgator", {}, b'{"service": {}}', "version 3"),
    "statuspage, something": ("statuspage_hook", {}, b'{"a": 1}', "Statuspage"),
    "webhook, no state": ("webhook", {}, b'{"key": "a"}', "path `state`"),
    "webhook, odd state": ("webhook", {}, b'{"key": "a", "state": "Purple"}', "'purple' is in neither"),
    "webhook, no JSON": ("webhook", {}, b"it burns", "not JSON"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_body_that_cannot_be_meant_is_refused_in_words(case: str) -> None:
    kind, fields, body, words = WRONG[case]
    with pytest.raises(ValueError, match=words):
        await heard(watch(kind, **fields), body)


# Proofs


@pytest.mark.parametrize("way", ["bearer", "basic", "header", "key", "secret", "token"])
async def test_a_secret_may_come_in_several_ways(way: str) -> None:
    body = capture("webhook/plain.json")
    headers = {
        "bearer": {"authorization": f"bearer  {SECRET}"},
        "basic": {"authorization": "Basic " + base64.b64encode(f"any:{SECRET}".encode()).decode()},
        "header": {"x-tocsin-key": SECRET},
    }.get(way, {})
    query = {} if headers else {way: SECRET}
    found = await watch("webhook").hear(Letter(at=NOW, body=body, headers=headers, query=query), Web())
    assert len(found.alerts) == 1


async def test_while_a_secret_is_replaced_both_are_good() -> None:
    body = capture("pagerduty/triggered.json")
    both = watch("pagerduty", secret=[NEXT, SECRET])
    old, new = signature(body), signature(body, NEXT)
    for given in (f"v1={old}", f"v1={new}", f"v1={new},v1={old}", f"v1=junk, v1={old}"):
        await both.hear(Letter(at=NOW, body=body, headers={"x-pagerduty-signature": given}), Web())
    with pytest.raises(Forbidden):
        await watch("pagerduty", secret=NEXT).hear(letter("pagerduty", body), Web())


async def test_pagerduty_signs_as_its_documentation_shows() -> None:
    """HMAC-SHA256, hex, over the raw bytes: a key and a text whose code RFC 4231 gives (test case 2)."""
    body, code = b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    hook = watch("pagerduty", secret="Jefe")
    with pytest.raises(ValueError, match="not JSON"):
        await hook.hear(Letter(at=NOW, body=body, headers={"x-pagerduty-signature": f"v1={code}"}), Web())
    with pytest.raises(Forbidden):
        await hook.hear(Letter(at=NOW, body=body, headers={"x-pagerduty-signature": f"v1={code.upper()}"}), Web())


async def test_standard_webhooks_are_signed_with_the_bytes_behind_whsec() -> None:
    """The example of the specification's own libraries: id, timestamp, body and key are theirs."""
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = datetime.fromtimestamp(1614265330, UTC)
    await watch("standard_webhooks", secret=key).hear(
        Letter(at=at, body=b'{"test": 2432232314}', headers=headers), Web()
    )


async def test_grafana_without_a_signature_must_bring_the_secret() -> None:
    body = capture("grafana/one-fires.json")
    await watch("grafana").hear(Letter(at=NOW, body=body, headers={"authorization": f"Bearer {SECRET}"}), Web())
    await watch("grafana").hear(
        Letter(at=NOW, body=body, headers={"x-grafana-alerting-signature": signature(body)}), Web()
    )
    with pytest.raises(Forbidden):
        await watch("grafana").hear(Letter(at=NOW, body=body), Web())


async def test_a_body_may_be_signed_as_github_does() -> None:
    body = capture("webhook/plain.json")
    hook = watch("webhook", signature_header="X-Hub-Signature-256")
    await hook.hear(Letter(at=NOW, body=body, headers={"x-hub-signature-256": f"sha256={signature(body)}"}), Web())
    for headers in ({"x-hub-signature-256": signature(body)}, {"authorization": f"Bearer {SECRET}"}, {}):
        with pytest.raises(Forbidden):
            await hook.hear(Letter(at=NOW, body=body, headers=headers), Web())


async def test_pagerduty_older_than_what_is_remembered_is_refused() -> None:
    body = capture("pagerduty/triggered.json").replace(b"2026-03-01T11:58", b"2026-02-28T11:58")
    with pytest.raises(Forbidden, match="behind ours"):
        await heard(watch("pagerduty"), body)
