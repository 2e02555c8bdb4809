"""Files that nobody wrote in good faith are refused in one line, quickly, and never with a traceback."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.config.errors import Findings, Misconfigured, Problem
from bot.config.loader import DEPTH, decoded, parse
from bot.config.read import read

SHIPPED = (Path(__file__).parents[2] / "config.yaml").read_bytes()
LOOSE = settings(max_examples=200, deadline=2_000, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refusals(path: Path, data: bytes) -> list[str]:
    path.write_bytes(data)
    with pytest.raises(Misconfigured) as wrong:
        read(path, {})
    return [f"{p.place.line}:{p.place.column} {p.message}" for p in wrong.value.problems]


def laughs(levels: int) -> bytes:
    rows = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(rows).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(laughs(9), "5:45 more than 100000 values, with every alias written out", id="a billion laughs"),
        pytest.param(
            b"a: &a x\nb: [" + b"*a, " * 101 + b"]",
            "2:405 more than 100 aliases; write it out, or use defaults",
            id="aliases",
        ),
        pytest.param(b"[" * 100_000, "1:41 this is nested more than 40 deep", id="brackets"),
        pytest.param(b"{a: " * 100_000, "1:158 this is nested more than 40 deep", id="braces"),
        pytest.param(b"- " * 200_000, "1:81 this is nested more than 40 deep", id="dashes"),
        pytest.param(b"a: [" + b"1," * 300_000 + b"]", "1:199999 more than 100000 values", id="many values"),
        pytest.param(b"data: x\n" + b"#" * 1_000_000, "1:1 this file is larger than 1 MB", id="large"),
        pytest.param("data: x".encode("utf-16"), "1:1 this file is UTF-16; save it as UTF-8", id="utf-16"),
        pytest.param("data: x".encode("utf-16-be"), "1:1 this file is UTF-16; save it as UTF-8", id="utf-16-be"),
        pytest.param("data: x".encode("utf-32-le"), "1:1 this file is UTF-16; save it as UTF-8", id="utf-32"),
        pytest.param(b"data: x\nname: caf\xe9\n", "2:10 this byte is not UTF-8; save the file as UTF-8", id="latin-1"),
        pytest.param(b"data: \xed\xa0\x80\n", "1:7 this byte is not UTF-8; save the file as UTF-8", id="surrogate"),
        pytest.param(b'"\\e[31mred\\n": 1\n', "1:1 unknown key '\\x1b[31mred\\n'; there are", id="terminal escapes"),
    ],
)
@pytest.mark.timeout(20)
def test_a_bomb_is_refused_in_one_line_and_not_unfolded(tmp_path: Path, data: bytes, said: str):
    [first, *_] = refusals(tmp_path / "config.yaml", data)
    assert first.startswith(said)


@pytest.mark.parametrize(
    "line",
    [
        "tick: {}",
        "web: {{listen: '{}:'}}",
        "web: {{public_url: 'https://{}'}}",
        "levels: {{minor: {{alarms: {}}}}}",
        "levels: {{minor: {{reports: {}}}}}",
        "services: {{shop: {{watch: {{page: {{kind: statuspage, url: 'https://{}'}}}}}}}}",
        "services: {{shop: {{maintenance: [{{for: 1h, cron: '{}'}}]}}}}",
        "services: {{shop: {{maintenance: [{{for: 1h, from: '{}'}}]}}}}",
        "services: {{'{}': }}",
        "data: x{}\nnope: 1",
    ],
)
@pytest.mark.parametrize("filling", ["9", "-", "a.", "${", "1,", " "])
@pytest.mark.timeout(20)
def test_an_endless_value_does_not_hang_the_reader(tmp_path: Path, line: str, filling: str):
    path = tmp_path / "config.yaml"
    path.write_text(line.format(filling * (400_000 // len(filling))))
    assert all(len(problem.message) < 500 for problem in _problems(path))


def test_an_alias_counts_with_the_depth_of_what_it_stands_for():
    half = "[" * (DEPTH // 2) + "]" * (DEPTH // 2)
    findings = Findings()
    parse(f"a: &a {half}\nb: {'[' * 25}*a{']' * 25}\n", "config.yaml", findings)
    assert [problem.message for problem in findings.errors] == ["this is nested more than 40 deep"]


def test_a_file_that_is_not_there_is_a_problem_like_any_other(tmp_path: Path):
    with pytest.raises(Misconfigured, match=r"config\.yaml:1:1: this file cannot be read: No such file"):
        read(tmp_path / "config.yaml", {})


def test_a_folder_is_a_problem_like_any_other(tmp_path: Path):
    with pytest.raises(Misconfigured, match="Is a directory"):
        read(tmp_path, {})


@LOOSE
@given(st.binary(max_size=2_000))
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes):
    _read(tmp_path, data)


@LOOSE
@given(st.data())
def test_the_shipped_file_damaged_anyhow_is_read_or_refused(tmp_path: Path, data: st.DataObject):
    text = SHIPPED
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 40))
        text = text[:start] + data.draw(_DAMAGE) + text[end:]
    _read(tmp_path, text)


@LOOSE
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=4)
    ),
    st.data(),
)
def test_any_value_under_any_key_is_read_or_refused(tmp_path: Path, value: object, data: st.DataObject):
    lines = [line for line in SHIPPED.decode().splitlines() if ":" in line and not line.lstrip().startswith("#")]
    line = data.draw(st.sampled_from(lines))
    damaged = line[: line.index(":") + 1] + f" {value!r}"
    _read(tmp_path, SHIPPED.replace(line.encode(), damaged.encode("utf-8", "surrogatepass")))


_DAMAGE = st.binary(max_size=8) | st.sampled_from(
    [
        b"\n",
        b"  ",
        b": ",
        b"- ",
        b"[",
        b"{",
        b"}",
        b"*a",
        b"&a ",
        b"!x ",
        b"'",
        b'"',
        b"${",
        b"no",
        b"010",
        b"\t",
        b"<<: ",
        b"? ",
        b"|",
        b"---\n",
        b"null",
        b"1:30",
    ]
)


def _read(folder: Path, data: bytes) -> None:
    path = folder / "config.yaml"
    path.write_bytes(data)
    problems = _problems(path)
    lines = data.count(b"\n") + 2
    assert all(1 <= problem.place.line <= lines for problem in problems)


def _problems(path: Path) -> tuple[Problem, ...]:
    """Why a file is refused; empty when it is read. Anything but a refusal is a failure."""
    try:
        read(path, {})
    except Misconfigured as wrong:
        return wrong.problems
    return ()


def test_decoding_says_where():
    assert decoded(b"a\nb\xff", "c.yaml")[1][0][0] == ("c.yaml", 2, 2)
