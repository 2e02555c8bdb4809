"""Files that a replay reads."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.commands.history import read
from bot.commands.records import Unreadable
from bot.core.reports import RawCount, RawReport

T = datetime(2022, 11, 4, 7, tzinfo=UTC)
S = T.timestamp()


@pytest.fixture
def write(tmp_path: Path):
    def file(text: str | bytes, name: str = "in.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return file


def problems(path: Path) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        read([path])
    return [problem.replace(f"{path.parent}/", "") for problem in caught.value.problems]


def test_a_csv_of_reports_gives_reports(write) -> None:
    path = write(
        'at,service,reporter,region,platform,symptom,text\n2022-11-04T07:00:00Z,twitter,ann,GB,web,login,"no, nothing"\n'
    )
    assert read([path]).reports == [
        RawReport(
            service="twitter", at=S, reporter="ann", region="GB", platform="web", symptom="login", text="no, nothing"
        )
    ]


def test_a_csv_of_counts_gives_counts_that_last_until_the_next_row(write) -> None:
    path = write("at,service,count,reporters\n2022-11-04T07:00:00Z,x,5,4\n2022-11-04T07:05:00Z,x,6,\n")
    assert read([path]).counts == [
        RawCount(service="x", since=S, until=S + 300, count=5.0, reporters=4.0),
        RawCount(service="x", since=S + 300, until=S + 600, count=6.0),
    ]


def test_json_lines_may_mix_reports_and_counts(write) -> None:
    path = write(
        '{"at": 1667545200, "service": "x", "text": "down"}\n\n{"at": "2022-11-04T07:00:00Z", "service": "x", "count": 3, "region": "GB"}\n',
        "in.ndjson",
    )
    history = read([path])
    assert history.reports == [RawReport(service="x", at=S, text="down")]
    assert history.counts == [RawCount(service="x", since=S, until=S + 60, count=3.0, region="GB")]


@pytest.mark.parametrize(
    "written", ["2022-11-04T07:00:00Z", "2022-11-04T08:00:00+01:00", "2022-11-04 07:00", "1667545200", "1667545200.0"]
)
def test_a_time_may_be_written_in_many_ways(write, written: str) -> None:
    assert read([write(f"at,service\n{written},x\n")]).reports[0].at == S


def test_a_gzipped_file_is_read_like_a_plain_one(write) -> None:
    text = b"at,service,count\n1667545200,x,3\n"
    assert read([write(gzip.compress(text), "in.csv.gz")]) == read([write(text)])


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(write) -> None:
    plain = read([write("at,service,count\n1667545200,x,3\n")])
    assert read([write("\ufeffat,service,count\r\n1667545200,x,3\r\n")]) == plain
    assert read([write('\ufeff{"at": 1667545200, "service": "x", "count": 3}\r\n')]) == plain


def test_several_files_become_one_history_in_order_of_time(write) -> None:
    later, earlier = write(f"at,service\n{S + 9},x\n{S + 3},x\n", "a.csv"), write(f"at,service\n{S + 6},x\n", "b.csv")
    assert [row.at for row in read([later, earlier]).reports] == [S + 3, S + 6, S + 9]


def test_a_missing_row_stays_missing(write) -> None:
    path = write(f"at,service,count\n{S},x,1\n{S + 60},x,1\n{S + 240},x,1\n")
    assert [(row.since, row.until) for row in read([path]).counts] == [
        (S, S + 60),
        (S + 60, S + 120),
        (S + 240, S + 300),
    ]


def test_each_service_has_its_own_spacing(write) -> None:
    path = write(f"at,service,count\n{S},x,1\n{S},y,1\n{S + 60},x,1\n{S + 3600},y,1\n")
    history = read([path])
    assert {row.service: row.until - row.since for row in history.counts} == {"x": 60.0, "y": 3600.0}
    assert history.spacing == 60.0


def test_what_is_wrong_is_said_with_file_line_and_reason(write) -> None:
    path = write(
        "at,service,count\n1667545200,x,3\nyesterday,x,3\n1667545260,,3\n1667545320,x,many\n1667545380,x,-1\n1667545440,x\n1667545500000,x,1\n1667545500,x,nan\n"
    )
    assert problems(path) == [
        "in.csv:3: at 'yesterday' is no time; write it like 2022-11-04T07:05:00Z",
        "in.csv:4: the service is missing",
        "in.csv:5: count 'many' is not a number from 0 up",
        "in.csv:6: count '-1' is not a number from 0 up",
        "in.csv:7: 2 values where the header names 3",
        "in.csv:8: at '1667545500000' is no time; write RFC 3339 or Unix seconds (not milliseconds)",
        "in.csv:9: count 'nan' is not a number from 0 up",
    ]


def test_what_is_wrong_in_json_is_said_with_the_line(write) -> None:
    path = write(
        '{"at": 1, "service": "x"}\n{"at": 1}\n{"at": 1, "service": 5}\n{nonsense\n{"at": 1, "service": "x", "colour": 1}\n'
    )
    told = problems(path)
    assert [problem.split(": ")[0] for problem in told] == ["in.csv:2", "in.csv:3", "in.csv:4", "in.csv:5"]
    assert told[0] == "in.csv:2: Object missing required field service"
    assert told[1] == "in.csv:3: Expected str, got int, in service"


def test_lenient_leaves_the_bad_rows_out_and_remembers_them(write) -> None:
    history = read([write("at,service,count\n1667545200,x,3\nyesterday,x,3\n")], lenient=True)
    assert [row.count for row in history.counts] == [3.0]
    assert len(history.problems) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the first line must name the columns"),
        ("1667545200,x,3\n", "the first line must name the columns"),
        ("at,service,colour\n", "unknown column 'colour'"),
        ("at,service,at\n", "a column is named twice"),
    ],
)
def test_a_file_without_a_proper_first_line_is_refused_even_leniently(write, text: str, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        read([write(text)], lenient=True)


def test_a_file_that_is_not_there_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"nowhere\.csv: cannot be read"):
        read([tmp_path / "nowhere.csv"])


def test_a_torn_gzip_is_a_sentence_and_not_a_traceback(write) -> None:
    torn = gzip.compress(b"at,service,count\n" + b"1667545200,x,3\n" * 5000)[:60]
    with pytest.raises(Unreadable, match="cannot be read"):
        read([write(torn, "in.csv.gz")])


def test_uneven_counts_are_a_finding(write) -> None:
    path = write(f"at,service,count\n{S},x,1\n{S + 60},x,1\n{S + 150},x,1\n")
    assert problems(path) == ["x: its counts are not evenly spaced, see 2022-11-04T07:02:30Z"]


def test_endless_problems_are_told_in_part(write) -> None:
    told = problems(write("at,service\n" + "never,x\n" * 500))
    assert len(told) == 201
    assert told[-1] == "and 300 more like these"


def test_bytes_that_are_no_text_and_a_huge_field_spoil_only_their_row(write) -> None:
    path = write(b"at,service,text\n1667545200,x,caf\xe9\n1667545201,x," + b"a" * 200_000 + b"\n1667545202,x,fine\n")
    history = read([path], lenient=True)
    assert [row.text for row in history.reports] == ["caf\ufffd", "fine"]
    assert len(history.problems) == 1


def test_counts_arrive_when_their_window_is_over_and_reports_in_the_second_they_are_sent(write) -> None:
    counts = write(f"at,service,count\n{S},x,1\n{S + 60},x,2\n", "a.csv")
    reports = write(f"at,service\n{S + 59.2},x\n{S + 60},x\n", "b.csv")
    arrivals = [
        (a.at.timestamp() - S, len(a.reports), [c.count for c in a.counts]) for a in read([counts, reports]).arrivals()
    ]
    assert arrivals == [(60, 1, [1.0]), (61, 1, []), (120, 0, [2.0])]


def test_progress_is_told_up_to_the_end(write) -> None:
    heard: list[float] = []
    rows = "".join(f"{S + 60 * index},x,1\n" for index in range(50_000))
    read([write("at,service,count\n" + rows)], progress=lambda _, share: heard.append(share))
    assert heard == sorted(heard)
    assert len(heard) == 3
    assert heard[-1] == 1.0
