"""A configuration that somebody or something has garbled: settings, or problems with a place, and never anything else."""

import random
from pathlib import Path

import pytest

from bot.config.errors import Misconfigured
from bot.config.read import read

SHIPPED = (Path(__file__).parents[2] / "config.yaml").read_text(encoding="utf-8")
PIECES = ("null", "[]", "{}", "-1", "1e999", "true", "'x'", "? a", "&a *a", "!file /etc/shadow", "${HOME}", "\u2028", "\t", "- ", ": ",
          "{", "]", "<<: *a", "0x10", "2026-13-45", "12:30", "|", ">", "'", '"', "\0", "é" * 300)  # fmt: skip


def garbled(chance):
    """The shipped file with up to five changes."""
    lines = SHIPPED.split("\n")
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(lines))
        how = chance.randrange(5)
        if how == 0:
            del lines[at]
        elif how == 1:
            lines.insert(at, lines[chance.randrange(len(lines))])
        elif how == 2:
            key, colon, _ = lines[at].partition(":")
            lines[at] = f"{key}{colon} {chance.choice(PIECES)}"
        elif how == 3:
            lines[at] = " " * chance.randint(0, 9) + lines[at].strip()
        else:
            cut = chance.randint(0, len(lines[at]))
            lines[at] = lines[at][:cut] + chance.choice(PIECES) + lines[at][cut:]
        lines = lines or [""]
    return "\n".join(lines)


def tried(path, count, seed):
    chance = random.Random(seed)
    odd = []
    for _ in range(count):
        text = garbled(chance)
        (path / "config.yaml").write_text(text, encoding="utf-8")
        try:
            read(path / "config.yaml", {})
        except Misconfigured as wrong:
            odd += (
                []
                if all(str(p).startswith(str(path)) or ":" in str(p) for p in wrong.problems) and wrong.problems
                else [text]
            )
        except Exception as exc:  # noqa: BLE001 - whatever else comes is what is looked for
            odd.append(f"{exc!r}\n{text}")
    return odd


@pytest.mark.parametrize("nothing", ["", "~", "null", "{}"])
def test_a_service_with_nothing_beneath_it_has_all_the_defaults(tmp_path, nothing):
    (tmp_path / "config.yaml").write_text(f"services:\n  a: {nothing}\n")
    settings = read(tmp_path / "config.yaml", {})
    assert [level.name for level in settings.services["a"].levels] == ["minor", "major", "critical"]


def test_a_garbled_configuration_is_read_or_explained(tmp_path):
    assert tried(tmp_path, 150, seed=1) == []


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_ten_thousand_garbled_configurations_are_read_or_explained(tmp_path):
    assert tried(tmp_path, 10_000, seed=2) == []
