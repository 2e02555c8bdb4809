"""The web as every source gets it: polite, bounded, and with trouble named in the house's words."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from doubles import pages as made
from doubles.certificates import signed
from doubles.pages import Pages, pages

from bot.ports import Http, Unreachable
from bot.world import WallClock, Web


@pytest.fixture
async def page() -> AsyncIterator[Pages]:
    async with pages() as served:
        yield served


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    web = Web(WallClock())
    yield web
    await web.aclose()


async def test_a_whole_answer_comes_back_with_lower_case_headers_and_its_duration(web: Web, page: Pages) -> None:
    http: Http = web
    page.script("/x", made.page(b"fine", Retry_After="30", status=429))
    reply = await http.get(page.url + "/x#part", allow_private=True)
    assert (reply.status, reply.text(), reply.headers["retry-after"]) == (429, "fine", "30")
    assert 0 < reply.elapsed < 5
    assert page.asked[0].headers["user-agent"].startswith("Tocsin/")
    assert page.asked[0].path == "/x"


async def test_a_304_is_answered_from_the_last_body(web: Web, page: Pages) -> None:
    page.script("/x", made.validated(b"long body", 'W/"1"'))
    first = await web.get(page.url + "/x", allow_private=True)
    again = await web.get(page.url + "/x", allow_private=True)
    assert (again.status, again.body, again.url) == (200, first.body, first.url)
    assert page.asked[1].headers["if-none-match"] == 'W/"1"'


async def test_a_changed_page_replaces_what_is_kept(web: Web, page: Pages) -> None:
    page.script("/x", made.validated(b"old", '"1"'), made.validated(b"new", '"2"'))
    bodies = [(await web.get(page.url + "/x", allow_private=True)).body for _ in range(3)]
    assert bodies == [b"old", b"new", b"new"]
    assert page.asked[2].headers["if-none-match"] == '"2"'


async def test_an_error_in_between_does_not_lose_what_is_kept(web: Web, page: Pages) -> None:
    page.script("/x", made.validated(b"body", '"1"'), made.page(b"oops", status=503), made.validated(b"body", '"1"'))
    replies = [await web.get(page.url + "/x", allow_private=True) for _ in range(3)]
    assert [(r.status, r.body) for r in replies] == [(200, b"body"), (503, b"oops"), (200, b"body")]


async def test_different_headers_do_not_share_a_kept_answer(web: Web, page: Pages) -> None:
    page.script("/x", made.validated(b"body", '"1"'))
    await web.get(page.url + "/x", allow_private=True, headers={"Authorization": "one"})
    await web.get(page.url + "/x", allow_private=True, headers={"Authorization": "two"})
    assert "if-none-match" not in page.asked[1].headers


async def test_a_probe_asks_unconditionally(web: Web, page: Pages) -> None:
    page.script("/x", made.validated(b"body", '"1"'))
    for _ in range(2):
        await web.get(page.url + "/x", allow_private=True, conditional=False)
    assert "if-none-match" not in page.asked[1].headers


async def test_compressed_bodies_are_unpacked(web: Web, page: Pages) -> None:
    page.script("/x", made.zipped(b"hello" * 1000))
    assert (await web.get(page.url + "/x", allow_private=True)).body == b"hello" * 1000


TROUBLES = {
    "nothing within the time allowed": (made.hang(), "timeout"),
    "one byte at a time": (made.slow(), "timeout"),
    "a body that never stops": (made.endless(), "too_large"),
    "a bomb of 1 to 1000": (made.bomb(50_000_000), "too_large"),
    "half a body": (made.truncated(b"x" * 1000), "connect"),
    "no answer": (made.drop(), "connect"),
    "not HTTP": (made.raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "connect"),
    "headers without end": (made.raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000), "connect"),
    "a broken encoding": (made.page(b"not zipped", Content_Encoding="gzip"), "connect"),
}


@pytest.mark.parametrize(("answer", "kind"), TROUBLES.values(), ids=TROUBLES.keys())
async def test_trouble_is_named(web: Web, page: Pages, answer: made.Answer, kind: str) -> None:
    page.script("/x", answer)
    with pytest.raises(Unreachable) as caught:
        await web.get(page.url + "/x", allow_private=True, timeout=0.4, limit=100_000)
    assert caught.value.kind == kind
    assert "127.0.0.1" in str(caught.value)


async def test_a_bomb_costs_little_memory(web: Web, page: Pages) -> None:
    page.script("/x", made.bomb(200_000_000))
    before = _resident()
    with pytest.raises(Unreachable, match="more than 5,000,000 bytes"):
        await web.get(page.url + "/x", allow_private=True, limit=5_000_000)
    assert _resident() - before < 32_000_000


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def test_a_closed_port_is_no_connection(web: Web) -> None:
    with pytest.raises(Unreachable) as caught:
        await web.get("http://127.0.0.1:1/", allow_private=True)
    assert caught.value.kind == "connect"


async def test_one_request_at_a_time_per_host(web: Web, page: Pages) -> None:
    page.script("/x", made.page(b"fine"))
    await asyncio.gather(*(web.get(page.url + "/x", allow_private=True) for _ in range(10)))
    assert (len(page.asked), page.at_once) == (10, 1)


async def test_waiting_for_the_turn_is_not_charged_to_the_one_who_waits(web: Web, page: Pages) -> None:
    page.script("/slow", made.hang())
    page.script("/x", made.page(b"fine"))
    slow = asyncio.create_task(web.get(page.url + "/slow", allow_private=True, timeout=0.5))
    await asyncio.sleep(0.1)
    reply = await web.get(page.url + "/x", allow_private=True, timeout=0.3)
    assert reply.status == 200
    with pytest.raises(Unreachable):
        await slow


async def test_three_redirects_are_followed_and_a_fourth_is_not(web: Web, page: Pages) -> None:
    for n in range(4):
        page.script(f"/{n}", made.redirect(f"/{n + 1}"))
    page.script("/4", made.page(b"there"))
    assert (await web.get(page.url + "/1", allow_private=True)).body == b"there"
    with pytest.raises(Unreachable, match="redirects more than 3 times"):
        await web.get(page.url + "/0", allow_private=True)


async def test_a_loop_of_redirects_ends(web: Web, page: Pages) -> None:
    page.script("/x", made.redirect("/x"))
    with pytest.raises(Unreachable) as caught:
        await web.get(page.url + "/x", allow_private=True)
    assert caught.value.kind == "connect"
    assert len(page.asked) == 4


async def test_without_redirects_allowed_the_redirect_is_the_answer(web: Web, page: Pages) -> None:
    page.script("/x", made.redirect("/y"))
    reply = await web.get(page.url + "/x", allow_private=True, redirects=0)
    assert (reply.status, reply.headers["location"]) == (302, "/y")


async def test_headers_stay_within_the_origin(web: Web, page: Pages) -> None:
    async with pages() as other:
        page.script("/x", made.redirect("/near"))
        page.script("/near", made.redirect(other.url + "/far"))
        other.script("/far", made.page(b"there"))
        await web.get(page.url + "/x", allow_private=True, headers={"Authorization": "Bearer t", "X-Key": "k"})
        near, far = page.asked[1].headers, other.asked[0].headers
    assert (near["authorization"], near["x-key"]) == ("Bearer t", "k")
    assert not {"authorization", "x-key"} & far.keys()


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://[::1", "http://u:p@127.0.0.1/", "mailto:a@b.c"]
)
async def test_a_redirect_to_something_else_than_a_web_page_is_refused(web: Web, page: Pages, to: str) -> None:
    page.script("/x", made.redirect(to))
    with pytest.raises(Unreachable) as caught:
        await web.get(page.url + "/x", allow_private=True)
    assert caught.value.kind == "blocked"


async def test_a_certificate_tells_how_long_it_lasts(tmp_path: Path) -> None:
    served_with, trusting = signed(tmp_path, days=12)
    async with pages(tls=served_with) as page:
        web = Web(WallClock(), tls=trusting)
        page.script("/x", made.page(b""))
        reply = await web.get(page.url + "/x", allow_private=True, method="HEAD")
        await web.aclose()
    assert reply.certificate_days == pytest.approx(12, abs=0.1)


async def test_https_never_falls_back_to_http(tmp_path: Path, page: Pages) -> None:
    served_with, trusting = signed(tmp_path, days=12)
    async with pages(tls=served_with) as secure:
        web = Web(WallClock(), tls=trusting)
        secure.script("/x", made.redirect(page.url + "/x"))
        with pytest.raises(Unreachable, match="from https to http"):
            await web.get(secure.url + "/x", allow_private=True)
        await web.aclose()
    assert page.asked == []


@pytest.mark.parametrize(("days", "trusted"), [(12, False), (-1, True)], ids=["a stranger's", "an expired"])
async def test_a_certificate_that_does_not_hold_is_tls_trouble(tmp_path: Path, days: int, *, trusted: bool) -> None:
    served_with, trusting = signed(tmp_path, days=days)
    async with pages(tls=served_with) as page:
        web = Web(WallClock(), tls=trusting if trusted else None)
        with pytest.raises(Unreachable) as caught:
            await web.get(page.url + "/x", allow_private=True)
        await web.aclose()
    assert caught.value.kind == "tls"
