"""Every promise has a row in docs/promises.md, or a reason why it has none."""

import ast
import re
from pathlib import Path

from promises.report import NAMES, UNTRIED, page

ROOT = Path(__file__).parents[2]


def counted():
    """The promises that the tests count, by reading their code: what `prove` is called with."""
    found = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "prove":
                words = [n.value for n in ast.walk(call.args[0]) if isinstance(n, ast.Constant)]
                found |= {word for word in words if re.fullmatch(r"R\d+", str(word))}
    return found


def test_every_promise_is_counted_or_says_why_not():
    silent = NAMES.keys() - counted() - UNTRIED.keys()
    assert not silent, f"nothing counts {sorted(silent)}, and report.UNTRIED does not say why"
    assert not counted() & UNTRIED.keys(), "these are counted: take them out of report.UNTRIED"
    assert counted() <= NAMES.keys(), "these have no name in report.NAMES"
    assert list(NAMES) == [f"R{n}" for n in range(1, 57)]


def test_the_page_has_every_promise():
    text = (ROOT / "docs" / "promises.md").read_text("utf-8")
    assert not [name for name in NAMES if f"| {name} " not in text], "run make promises"


def test_the_page_sums_the_parameters_of_a_test_and_keeps_deep_counts_apart():
    row = {"promise": "R1", "trials": 20, "violations": 0, "what": "things", "on": "2026-01-01"}
    fast = [{**row, "test": f"a.py::test_it[{n}]", "deep": False} for n in range(2)]
    deep = {**row, "test": "a.py::test_it[deep]", "deep": True, "violations": 1, "on": "2026-01-02"}
    text = page([*fast, deep])
    assert "| R1 Nothing that was committed is lost | 40 things | 0 | ≤ 7.5 % | it |" in text
    assert "| 20 things (*deep*) | 1 | - | it |" in text
    assert "Quick run: 2026-01-01. Deep run: 2026-01-02." in text
    assert "| R2 One thread per incident, each line once, killed anywhere | Not tried in the last run. |" in text
