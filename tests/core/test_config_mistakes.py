"""Every mistake that people make, and the place and words that they get for it (tests/mistakes/*.yaml)."""

from pathlib import Path

import pytest
import yaml

from bot.config.errors import Misconfigured
from bot.config.read import read

MISTAKES = Path(__file__).parents[1] / "mistakes"
ENVIRON = {"EMPTY": "", "WORD": "hush-hush", "NUMBER": "10", "TOKEN": "s3cret-value"}
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['what']}")
    for file in sorted(MISTAKES.glob("*.yaml"))
    for case in yaml.safe_load(file.read_text())
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "word.txt").write_text("hush-hush\n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "long.txt").write_text("x" * 70_000)
    return tmp_path


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_explained_where_it_stands(case, folder: Path):
    for name, text in {"config.yaml": case["config"], **case.get("files", {})}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(text.encode())
    with pytest.raises(Misconfigured) as wrong:
        read(Path("config.yaml"), ENVIRON)
    said = [str(problem).removeprefix("config.yaml:").replace(": ", " ", 1) for problem in wrong.value.problems]
    for line, expected in zip(said, case["expect"], strict=True):
        start, unfinished, _ = expected.partition(" ...")  # what follows grows with every plugin
        assert line.startswith(start) if unfinished else line == expected
    assert not any(secret in line for line in said for secret in ("hush-hush", "s3cret-value"))


def test_there_are_enough_of_them():
    assert len(CASES) >= 200
