"""Which addresses a watch may reach: public ones, on ports where web servers live.

The check is made on the address a socket is about to connect to, after every redirect and every look-up, because a
name may mean something else a second later and `127.0.0.1` can be written in dozens of ways.
"""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address

from aiohttp.connector import AddrInfoType

_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10",  # carrier-grade NAT; some clouds serve their metadata here
        "168.63.129.16/32",  # Azure's host service, public by number only
        "192.0.0.0/24",  # protocol assignments; older metadata services
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",  # benchmarks inside one's own network
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocol assignments, Teredo among them: it carries an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
_ISATAP = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")
_WEB_PORTS = (80, 443)
_SYSTEM_PORTS = 1024
_OTHER_TRADES = frozenset(
    {2049, 2375, 2379, 3306, 3389, 5432, 5672, 5900, 6000, 6379, 6443, 9042, 9200, 10250, 11211, 27017}
)


class Inside(OSError):
    """The address leads into a private network, or to a port that serves something other than web pages."""

    def __init__(self) -> None:
        # One text for every address: asyncio keeps the class of the error only when all attempts failed alike.
        super().__init__("this address is not part of the public web")


def guarded_socket(info: AddrInfoType) -> socket.socket:
    """A socket for one resolved address, for `aiohttp.TCPConnector(socket_factory=...)`.

    Raises:
        Inside: the address is not public; nothing was sent to it.
    """
    family, kind, proto, _, address = info
    if not (public(address[0]) and web_port(address[1])):
        raise Inside
    return socket.socket(family, kind, proto)


def public(address: str) -> bool:
    """True for an address of the public internet, given as the numbers a socket uses (a zone such as `%eth0` is allowed).

    IPv6 addresses that carry an IPv4 one are refused (mapped, compatible, 6to4, Teredo, ISATAP), save RFC 6052's
    NAT64 prefix, which IPv6-only networks need and which is judged by the address it carries.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip in _NAT64:
        return public(str(IPv4Address(ip.packed[12:])))
    if isinstance(ip, IPv6Address) and (ip not in _UNICAST or ip.packed[8:12] in _ISATAP):
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC)


def web_port(port: int) -> bool:
    """True for 80, 443 and the high ports that do not belong to databases, queues and remote control."""
    return port in _WEB_PORTS or (port >= _SYSTEM_PORTS and port not in _OTHER_TRADES)
