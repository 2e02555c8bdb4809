"""Microsoft 365 is asked with a token, which is kept while it is good and never shown."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from doubles import pages as made
from doubles.clock import ManualClock
from doubles.pages import Pages, pages
from doubles.watches import NOW, captured

from bot.core.model import Health
from bot.sources.m365 import M365
from bot.world import Web

TOKEN = "/example.com/oauth2/v2.0/token"
SERVICES = "/v1.0/admin/serviceAnnouncement/healthOverviews"
ISSUES = "/v1.0/admin/serviceAnnouncement/issues?$filter=isResolved%20eq%20false&$top=100"


@pytest.fixture
async def graph() -> AsyncIterator[Pages]:
    async with pages() as served:
        served.script(TOKEN, made.page(b'{"token_type": "Bearer", "expires_in": 3599, "access_token": "t0k3n"}'))
        served.script(SERVICES, made.page(captured("m365", "services.json")[0]))
        served.script(ISSUES, made.page(captured("m365", "issues.json")[0]))
        yield served


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    web = Web(ManualClock(NOW))
    yield web
    await web.aclose()


def watch(graph: Pages) -> M365:
    address = {"url": graph.url, "login": graph.url, "allow_private": True}
    return M365.model_validate(
        {"kind": "m365", "tenant": "example.com", "client": "app", "secret": "s3cret&", **address}
    )


def paths(graph: Pages) -> list[str]:
    return [asked.path.partition("?")[0].rpartition("/")[2] for asked in graph.asked]


async def test_a_token_is_asked_for_once_and_shown_with_every_look(web: Web, graph: Pages) -> None:
    source = watch(graph)
    first, second = [await source.ask(web, NOW + timedelta(minutes=m)) for m in (0, 5)]
    assert first.health is second.health is Health.DEGRADED
    assert paths(graph) == ["token", "healthOverviews", "issues", "healthOverviews", "issues"]
    assert {asked.headers.get("authorization") for asked in graph.asked[1:]} == {"Bearer t0k3n"}
    assert graph.asked[0].method == "POST"
    assert b"client_secret=s3cret%26&" in graph.asked[0].body


async def test_a_token_is_renewed_before_it_runs_out(web: Web, graph: Pages) -> None:
    source = watch(graph)
    for minute in (0, 54, 56):
        await source.ask(web, NOW + timedelta(minutes=minute))
    assert paths(graph).count("token") == 2


async def test_a_token_that_is_refused_is_asked_for_anew(web: Web, graph: Pages) -> None:
    source = watch(graph)
    graph.script(SERVICES, made.page(b"{}", status=401), made.page(captured("m365", "services.json")[0]))
    refused = await source.ask(web, NOW)
    assert (refused.health, refused.error) == (None, "http_401")
    assert (await source.ask(web, NOW)).health is Health.DEGRADED
    assert paths(graph).count("token") == 2


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (made.page(b'{"error": "invalid_client"}', status=401), "http_401", "invalid_client"),
        (made.page(b"", status=503, Retry_After="60"), "http_503", "503"),
        (made.html(), "http_200", "200"),
        (made.drop(), "connect", ""),
    ],
)
async def test_without_a_token_there_is_no_reading(
    web: Web, graph: Pages, answer: made.Answer, error: str, words: str
) -> None:
    graph.script(TOKEN, answer)
    signal = await watch(graph).ask(web, NOW)
    assert (signal.health, signal.error) == (None, error)
    assert words in signal.note
    assert "s3cret" not in signal.note
    assert "s3cret" not in repr(watch(graph))


async def test_the_secret_follows_no_redirect_to_another_site(web: Web, graph: Pages) -> None:
    async with pages() as elsewhere:
        graph.script(TOKEN, made.redirect(elsewhere.url + "/steal", status=307))
        await watch(graph).ask(web, NOW)
        assert [asked.body for asked in elsewhere.asked] == [b""]
