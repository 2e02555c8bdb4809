"""Writes the reference pages of this folder from the code they describe: `make docs`."""
# ruff: noqa: INP001 - a script beside the pages it writes, not a package

from __future__ import annotations

import asyncio
import json
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

from writing.keys import configuration
from writing.routes import http, measures
from writing.verbs import commands
from writing.watches import sources

from bot.app import House, Serving
from bot.commands.faults import page as faults
from bot.commands.parity import page as parity
from bot.config.read import read
from bot.config.schema import schema
from bot.world.clock import WallClock

HERE = Path(__file__).parent
_MARK = "<!-- Written by docs/generate.py from the code; change the code, then run `make docs`. -->\n\n"


def pages() -> dict[str, str]:
    """Every generated page, by file name."""
    api, families = asyncio.run(_served())
    written = {
        "configuration.md": configuration(schema()),
        "sources.md": sources(schema()["$defs"]),
        "commands.md": commands(),
        "http.md": http(api),
        "metrics.md": measures(families),
    }
    return {name: _MARK + "".join(parts) for name, parts in written.items()}


async def _served() -> tuple[dict[str, Any], list[Any]]:
    """What a running house says of its own routes and measures."""
    settings = read(HERE.parent / "config.yaml")
    web = replace(settings.web, listen_host="127.0.0.1", listen_port=0)
    house = House(replace(settings, web=web), WallClock(), None)
    try:
        async with Serving(house) as serving:
            document = await asyncio.to_thread(_fetched, f"{serving.address}/openapi.json")
            return document, list(serving.metrics.registry.collect())
    finally:
        await house.aclose()


def _fetched(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=10) as reply:  # noqa: S310 - the address is our own
        return dict(json.load(reply))


def main() -> None:
    """Write the pages that changed, and say which."""
    for name, text in {**pages(), "faults.md": faults(), "parity.md": parity()}.items():
        page = HERE / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
            sys.stderr.write(f"{page.name} written\n")


if __name__ == "__main__":
    main()
