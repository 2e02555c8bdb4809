"""No way of writing an address leads a watch inside: not one connection is made."""

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType
from doubles import pages as made
from doubles.pages import Pages, pages
from hypothesis import given
from hypothesis import strategies as st

from bot.ports import Unreachable
from bot.world import WallClock, Web
from bot.world.addresses import guarded_socket, public, web_port


class Names(AbstractResolver):
    """Name look-up from a table, each name's answers in turn and the last for ever; numbers as the system reads them."""

    def __init__(self, table: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._table = {name: list(answers) for name, answers in table.items()}

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        answers = self._table.get(host) or [[_number(host)]]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [_result(host, address, port) for address in addresses]

    async def close(self) -> None:
        pass


def _number(host: str) -> str:
    found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    return str(found[0][4][0])


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)


NAMES = {
    "localhost": [["127.0.0.1", "::1"]],
    "localhost.": [["127.0.0.1"]],
    "inside.test": [["127.0.0.1"]],
    "many.test": [["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1"]],
    "metadata.google.internal": [["169.254.169.254"]],
    "six.test": [["::1"]],
    "mapped.test": [["::ffff:127.0.0.1"]],
    "xn--bcher-kva.test": [["127.0.0.1"]],
    "nat.test": [["64:ff9b::7f00:1"]],
}

FORMS = (
    # one address, written in every way the system's own reader takes
    *("http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/", "http://2130706433:{port}/"),
    *("http://0x7f000001:{port}/", "http://0x7f.0.0.1:{port}/", "http://0x7f.1:{port}/", "http://017700000001:{port}/"),
    *(
        "http://0177.0.0.1:{port}/",
        "http://0177.1:{port}/",
        "http://127.0.0.01:{port}/",
        "http://0x7F.0x0.0x0.0x1:{port}/",
    ),
    *("http://00000177.0.0.01:{port}/", "http://127.000.000.001:{port}/", "http://127.255.255.254:{port}/"),
    *("http://0.0.0.0:{port}/", "http://0:{port}/", "http://0x0:{port}/", "http://000.0.0.0:{port}/"),
    *("http://①②⑦.⓪.⓪.①:{port}/", "http://127。0。0。1:{port}/", "http://127.0.0.1:{port}/"),
    # IPv6, plain and carrying an IPv4 address
    *(
        "http://[::1]:{port}/",
        "http://[0:0:0:0:0:0:0:1]:{port}/",
        "http://[::]:{port}/",
        "http://[::127.0.0.1]:{port}/",
    ),
    *("http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[0:0:0:0:0:ffff:7f00:1]:{port}/"),
    *("http://[64:ff9b::127.0.0.1]:{port}/", "http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b:1::7f00:1]:{port}/"),
    *("http://[2002:7f00:1::]:{port}/", "http://[2001:0:7f00:1::]:{port}/", "http://[2a00::5efe:7f00:1]:{port}/"),
    *(
        "http://[fe80::1]:{port}/",
        "http://[fe80::1%25lo]:{port}/",
        "http://[fc00::1]:{port}/",
        "http://[fd00:ec2::254]/",
    ),
    *("http://[fec0::1]:{port}/", "http://[ff02::1]:{port}/", "http://[2001:db8::1]:{port}/"),
    # private, shared, link-local, metadata, multicast, broadcast
    *("http://10.0.0.1:{port}/", "http://172.16.0.1:{port}/", "http://172.31.255.255:{port}/", "http://192.168.0.1/"),
    *("http://100.64.0.1/", "http://100.100.100.200/latest/meta-data/", "http://169.254.169.254/latest/meta-data/"),
    *("http://2852039166/", "http://0xa9fea9fe/", "http://168.63.129.16/", "http://192.0.0.192/", "http://224.0.0.1/"),
    *("http://255.255.255.255/", "http://198.18.0.1/", "http://192.88.99.1/", "http://240.0.0.1/"),
    # names that lead inside
    *(
        "http://localhost:{port}/",
        "http://localhost.:{port}/",
        "http://LOCALHOST:{port}/",
        "http://inside.test:{port}/",
    ),
    *("http://many.test:{port}/", "http://metadata.google.internal/", "http://six.test:{port}/", "http://nat.test/"),
    *("http://mapped.test:{port}/", "http://bücher.test:{port}/", "https://127.0.0.1:{port}/"),
    # a user name that looks like the host, other schemes, no address at all
    *("http://example.com@127.0.0.1:{port}/", "http://example.com:80@127.0.0.1:{port}/", "http://u:p@inside.test/"),
    *(
        "http://127.0.0.1:{port}#@example.com/",
        "http:\\\\127.0.0.1:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
    ),
    *("unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "ftp://127.0.0.1/", "//127.0.0.1/"),
    *("http://[::1", "http://", "http://127.0.0.1:99999/", "", "data:text/html,hi", "http://127.0.0.1:0/"),
    # other trades on public addresses
    *("http://8.8.8.8:22/", "http://8.8.8.8:25/", "http://8.8.8.8:6379/", "http://8.8.8.8:2375/", "http://8.8.8.8:53/"),
)


@pytest.fixture
async def page() -> AsyncIterator[Pages]:
    async with pages() as served:
        served.script("/", made.page(b"the inside"))
        yield served


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    web = Web(WallClock(), resolver=Names(NAMES))
    yield web
    await web.aclose()


@pytest.mark.parametrize("form", FORMS)
async def test_no_form_of_an_address_leads_inside(web: Web, page: Pages, form: str, prove: Any) -> None:
    with pytest.raises(Unreachable) as caught:
        await web.get(form.replace("{port}", str(page.port)))
    assert caught.value.kind == "blocked"
    prove("R46", 1, [form] if page.connections else [], "ways to write an address that leads inside")


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f000001", "0x7f.1", "①②⑦.⓪.⓪.①", "inside.test", "many.test"])
async def test_the_same_forms_do_lead_there_when_the_watch_allows_it(web: Web, page: Pages, host: str) -> None:
    reply = await web.get(f"http://{host}:{page.port}/", allow_private=True)
    assert reply.body == b"the inside"


async def test_a_connection_one_watch_may_have_is_not_lent_to_another(web: Web, page: Pages) -> None:
    await web.get(page.url, allow_private=True)
    with pytest.raises(Unreachable) as caught:
        await web.get(page.url)
    assert (caught.value.kind, page.connections) == ("blocked", 1)


def _as_if_public(port: int) -> type[socket.socket]:
    """Sockets that come out at a loopback port whatever public address they are sent to."""

    class Diverted(socket.socket):
        def connect(self, _: object) -> None:
            super().connect(("127.0.0.1", port))

    return Diverted


@pytest.fixture
async def outside(page: Pages) -> AsyncIterator[Web]:
    """A web in which public addresses lead to the page double; the guard is the real one."""
    diverted = _as_if_public(page.port)

    def open_socket(info: AddrInfoType) -> socket.socket:
        guarded_socket(info).close()
        return diverted(info[0], info[1], info[2])

    names = Names({**NAMES, "good.test": [["93.184.215.14"]], "flips.test": [["93.184.215.14"], ["127.0.0.1"]]})
    web = Web(WallClock(), resolver=names, open_socket=open_socket)
    yield web
    await web.aclose()


async def test_a_public_page_is_reached(outside: Web, page: Pages) -> None:
    page.script("/", made.page(b"public"))
    assert (await outside.get("http://good.test/")).body == b"public"


@pytest.mark.parametrize("form", [form for form in FORMS if form.startswith("http") and "99999" not in form][:60])
async def test_no_redirect_leads_inside(outside: Web, page: Pages, form: str) -> None:
    async with pages() as inner:
        to = form.replace("{port}", str(inner.port))
        page.script("/", made.raw(f"HTTP/1.1 302 Go\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()))
        with pytest.raises(Unreachable) as caught:
            await outside.get("http://good.test/")
        assert (caught.value.kind, inner.connections, page.connections) == ("blocked", 0, 1)


async def test_a_name_that_changes_its_meaning_is_checked_each_time(outside: Web, page: Pages) -> None:
    page.script("/", made.redirect(f"http://flips.test:{page.port}/"))
    with pytest.raises(Unreachable) as caught:
        await outside.get("http://flips.test/")
    assert (caught.value.kind, page.connections) == ("blocked", 1)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv6_address_that_carries_an_ipv4_one_is_never_laxer(address: object) -> None:
    inner = public(str(address))
    assert not public(f"::ffff:{address}")
    assert not public(f"::{address}")
    assert public(f"64:ff9b::{address}") == inner


@given(st.text())
def test_what_is_not_an_address_is_not_public(text: str) -> None:
    assert isinstance(public(text), bool)


def test_web_ports_are_the_usual_two_and_the_high_ones() -> None:
    assert [port for port in (21, 22, 25, 53, 80, 110, 443, 587, 3000, 6379, 8080, 8443, 11211) if web_port(port)] == [
        80,
        443,
        3000,
        8080,
        8443,
    ]
