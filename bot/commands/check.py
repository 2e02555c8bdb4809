"""Say whether a configuration can be used, and if not, everything that is wrong with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from bot.config.errors import Misconfigured, Problem
from bot.config.read import read
from bot.config.settings import Settings

FINE = 0
MISCONFIGURED = 78
"""The exit code of sysexits.h for a configuration that cannot be used."""


def check(path: Path, *, as_json: bool = False, environ: Mapping[str, str] | None = None) -> int:
    """Print the problems of a configuration: lines, or with `as_json` a list of `{file, line, column, message}`.

    Warnings and the summary go to stderr; they do not change the exit code, 0 for fine and 78 for wrong.
    """
    try:
        settings = read(path, environ)
    except Misconfigured as wrong:
        _print(wrong.problems, as_json=as_json)
        return MISCONFIGURED
    _print((), as_json=as_json)
    for warning in settings.warnings:
        sys.stderr.write(f"{warning.place}: warning: {warning.message}\n")
    sys.stderr.write(f"{path} is fine: {_summary(settings)}\n")
    return FINE


def _print(problems: Iterable[Problem], *, as_json: bool) -> None:
    if as_json:
        rows = [{**p.place._asdict(), "message": p.message} for p in problems]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{problem}\n" for problem in problems)


def _summary(settings: Settings) -> str:
    watches = sum(len(service.watches) for service in settings.services.values())
    counts = ((len(settings.services), "service"), (watches, "watch"), (len(settings.channels), "channel"))
    return ", ".join(f"{count} {_plural(count, word)}" for count, word in counts)


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}es" if word.endswith("ch") else f"{word}s"
