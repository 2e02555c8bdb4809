"""How well complaints are told from the rest, per language: `python -m bench.telling [--wrong]`.

The figures are for the lines in `tests/captures/telling`, each part on its own: the rules were written with `dev` before
the eyes, `held` was kept apart.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from bot.core.telling import tell

LABELLED = Path(__file__).parent.parent / "tests/captures/telling"


@dataclass
class Score:
    """Right and wrong answers to: does this text count?"""

    hits: int = 0
    false: int = 0
    missed: int = 0
    named: int = 0
    symptoms: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.hits / max(self.hits + self.false, 1)

    @property
    def recall(self) -> float:
        return self.hits / max(self.hits + self.missed, 1)

    @property
    def symptom(self) -> float:
        """The share of labelled symptoms that were found, among complaints that were."""
        return self.named / max(self.symptoms, 1)


def labelled(part: str) -> Iterator[tuple[str, str, str, str]]:
    """Every line of a part: language, kind, symptom (or nothing), text."""
    for file in sorted(LABELLED.glob("*.yaml")):
        for label, texts in yaml.safe_load(file.read_text(encoding="utf-8"))[part].items():
            kind, _, symptom = label.partition(" ")
            yield from ((file.stem, kind, symptom, text) for text in texts)


def scores(part: str) -> dict[str, Score]:
    """The score of each language, and of all together under `all`."""
    found: dict[str, Score] = {}
    for language, kind, symptom, text in labelled(part):
        for name in (language, "all"):
            judge(found.setdefault(name, Score()), kind, symptom, text)
    return found


def judge(score: Score, kind: str, symptom: str, text: str) -> None:
    """Put one line to the rules."""
    told, counts = tell(text), kind in ("complaint", "question")
    score.hits += told.counts and counts
    score.false += told.counts and not counts
    score.missed += counts and not told.counts
    if told.counts != counts:
        score.wrong.append(f"{kind}, read as {told.kind}: {text}")
    elif symptom:
        score.symptoms += 1
        score.named += told.symptom == symptom
        if told.symptom != symptom:
            score.wrong.append(f"{symptom}, read as {told.symptom or 'nothing'}: {text}")


def main() -> None:
    """Print a line per language and part; with `--wrong` also every line that was misread."""
    for part in ("dev", "held"):
        print(f"{part:<6}  precision  recall  symptom")
        for language, score in sorted(scores(part).items()):
            print(f"  {language:<4}  {score.precision:>9.3f}  {score.recall:>6.3f}  {score.symptom:>7.3f}")
            if language != "all" and "--wrong" in sys.argv:
                print("".join(f"        {line}\n" for line in score.wrong), end="")


if __name__ == "__main__":
    main()
