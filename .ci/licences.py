"""Prints the licence of every package that is shipped, one a line; exits 1 where one is missing or not known to be fine.

.venv/bin/python .ci/licences.py
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

LOCK = Path(__file__).parents[1] / "uv.lock"
FINE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Unlicense|0BSD|Zlib|CC0", re.IGNORECASE
)
"""Licences that let a program be shipped with these packages as they are."""
_MIT = "Permission is hereby granted, free of charge, to any person obtaining"


def shipped(lock: Path = LOCK) -> list[str]:
    """The names of everything that is installed without the development tools, from the lock file."""
    packages = {package["name"]: package for package in tomllib.loads(lock.read_text())["package"]}
    found: set[str] = set()
    waiting = ["tocsin"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [needed["name"] for needed in packages[name].get("dependencies", ())]
    return sorted(found - {"tocsin"})


def licence(name: str) -> str:
    """What a package says of its licence; empty where it says nothing, or is not installed on this platform."""
    try:
        said = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed here"
    classes = [row.rpartition(" :: ")[2] for row in said.get_all("Classifier", []) if row.startswith("License")]
    return said["License-Expression"] or ", ".join(classes) or (said["License"] or "").partition("\n")[0] or _read(name)


def _read(name: str) -> str:
    """The licence by the text that comes with a package which names none."""
    made = importlib.metadata.distribution(name)
    texts = [made.locate_file(file) for file in made.files or () if "/licenses/" in str(file)]
    granted = any(_MIT in Path(str(text)).read_text() for text in texts)
    return "MIT, by its text" if granted else ""


def listed() -> Iterator[tuple[str, str, bool]]:
    """Each package, its licence, and whether that is known to be fine."""
    for name in shipped():
        words = licence(name)
        yield name, words, bool(FINE.search(words)) or words == "not installed here"


if __name__ == "__main__":
    rows = list(listed())
    for name, words, _ in rows:
        print(f"{name}: {words}")
    sys.exit(1 if not all(fine for *_, fine in rows) else 0)
