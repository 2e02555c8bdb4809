"""The other press: it works for me. Open to everybody, one voice a visitor, as a report is."""

import re

import pytest
from doubles.house import INCIDENT
from doubles.served import Served, serving


@pytest.fixture
async def served():
    async with serving() as found:
        yield found


async def test_works_for_me_is_one_press_on_the_page(served: Served) -> None:
    async with served.browser() as browser:
        async with browser.get("/") as answer:
            [seal, *_] = re.findall(r'name="seal" value="(\w+)"', await answer.text())
        async with browser.post(f"/incident/{INCIDENT}/works", data={"seal": seal}) as answer:
            assert answer.status == 200
    [asked] = served.desk.asked
    assert (asked.verb, asked.target, asked.incident) == ("works", "twitter", INCIDENT)


async def test_without_our_own_pages_seal_nothing_is_kept(served: Served) -> None:
    async with served.browser() as browser, browser.post(f"/incident/{INCIDENT}/works", data={}) as answer:
        assert answer.status == 403
    assert served.desk.asked == []
