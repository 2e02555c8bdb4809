"""A connection at the hatch, without a network: when it waits, when it stops reading, and when it hands over."""

from __future__ import annotations

import asyncio

import pytest

from bot.web.line import MOST, Line, Plain

HEAD = b"plain\r\n\r\n"


class Pipe(asyncio.Transport):
    """What a line writes to; says what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed, self.aborted, self.reading = b"", False, False, True
        self.protocol: asyncio.BaseProtocol | None = None

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("192.0.2.1", 5) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


class Desk:
    """Takes every head that says `plain`, with four bytes of body."""

    def __init__(self) -> None:
        self.lines: set[Line] = set()
        self.bodies: list[bytes] = []

    def look(self, peer: str, head: bytes) -> Plain | None:
        assert peer == "192.0.2.1"
        return Plain(False, 4) if head == b"plain" else None

    def take(self, line: Line, body: bytes, *, lines: bool) -> None:
        assert not lines
        self.bodies.append(body)

    def opened(self, line: Line) -> None:
        self.lines.add(line)

    def closed(self, line: Line) -> None:
        self.lines.discard(line)


class Long(asyncio.Protocol):
    """Where odd connections go."""

    def __init__(self) -> None:
        self.came = b""

    def data_received(self, data: bytes) -> None:
        self.came += data


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
async def line(desk: Desk, pipe: Pipe) -> Line:
    line = Line(desk, Long)
    line.connection_made(pipe)
    return line


def handed_over(pipe: Pipe) -> bytes | None:
    return pipe.protocol.came if isinstance(pipe.protocol, Long) else None


def test_one_request_is_taken_at_a_time(desk: Desk, pipe: Pipe, line: Line) -> None:
    line.data_received(HEAD + b"1111" + HEAD + b"2222")
    assert desk.bodies == [b"1111"]
    line.answer(b"one")
    assert desk.bodies == [b"1111", b"2222"]
    assert pipe.written == b"one"


def test_what_is_odd_is_handed_over_with_what_came_behind_it(desk: Desk, pipe: Pipe, line: Line) -> None:
    line.data_received(HEAD + b"1111" + b"odd\r\n\r\nmore")
    assert handed_over(pipe) is None
    line.answer(b"one")
    assert handed_over(pipe) == b"odd\r\n\r\nmore"
    assert not desk.lines


def test_no_more_is_read_than_one_request_while_one_is_answered(pipe: Pipe, line: Line) -> None:
    line.data_received(HEAD + b"1111")
    line.data_received(b"x" * (MOST + 1))
    assert not pipe.reading
    line.answer(b"one")
    assert pipe.reading


def test_nothing_is_taken_from_who_does_not_read_the_answers(desk: Desk, pipe: Pipe, line: Line) -> None:
    line.pause_writing()
    line.data_received(HEAD + b"1111")
    assert desk.bodies == []
    line.resume_writing()
    assert desk.bodies == [b"1111"]


def test_who_never_reads_is_let_go(pipe: Pipe, line: Line) -> None:
    line.pause_writing()
    line._tire()
    assert pipe.aborted


def test_the_slow_and_the_silent_meet_the_patience_of_the_long_way(pipe: Pipe, line: Line) -> None:
    line.data_received(HEAD + b"11")
    line._tire()
    assert handed_over(pipe) == HEAD + b"11"


async def test_the_busy_stay(desk: Desk, pipe: Pipe, line: Line) -> None:
    line.data_received(HEAD + b"1111")
    line._tire()
    line.answer(b"one")
    line._tire()
    assert handed_over(pipe) is None
    line._tire()
    assert handed_over(pipe) == b""


def test_the_end_waits_for_the_answer(desk: Desk, pipe: Pipe, line: Line) -> None:
    line.data_received(HEAD + b"1111" + HEAD + b"2222")
    line.end()
    assert not pipe.closed
    line.answer(b"one")
    assert (pipe.written, pipe.closed, desk.bodies) == (b"one", True, [b"1111"])


def test_the_end_of_an_idle_line_is_at_once(desk: Desk, pipe: Pipe, line: Line) -> None:
    line.end()
    assert pipe.closed
    line.connection_lost(None)
    assert not desk.lines


def test_who_left_hears_nothing(desk: Desk, pipe: Pipe, line: Line) -> None:
    line.data_received(HEAD + b"1111")
    pipe.close()
    line.answer(b"one")
    assert pipe.written == b""
