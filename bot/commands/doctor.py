"""`tocsin doctor`: what this machine and this configuration lack, each with one line that mends it."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.config.errors import Misconfigured
from bot.config.read import read
from bot.config.settings import Settings

FINE, FINDINGS = 0, 1
_ROOM = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at; `mend` is empty when it is well."""

    what: str
    seen: str
    mend: str = ""


def doctor(path: Path, *, as_json: bool = False, environ: Mapping[str, str] | None = None) -> int:
    """Look at everything that can be looked at without posting; `test-alert` tries the chats themselves."""
    findings = list(_findings(path, environ))
    if as_json:
        sys.stdout.write(json.dumps([asdict(f) for f in findings], indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{'ok ' if not f.mend else 'NO '} {f.what}: {f.seen}{_arrow(f)}\n" for f in findings)
    return FINDINGS if any(f.mend for f in findings) else FINE


def _arrow(finding: Finding) -> str:
    return f"\n    -> {finding.mend}" if finding.mend else ""


def _findings(path: Path, environ: Mapping[str, str] | None) -> Iterator[Finding]:
    yield Finding(what="Python", seen=".".join(map(str, sys.version_info[:3])))
    yield Finding(what="SQLite", seen=sqlite3.sqlite_version)
    try:
        settings = read(path, environ)
    except Misconfigured as wrong:
        count = len(wrong.problems)
        yield Finding(
            what="configuration", seen=f"{count} problems in {path}", mend="tocsin check says each with its place"
        )
        return
    yield Finding(what="configuration", seen=f"{path}, {len(settings.services)} services")
    yield _folder(settings.data)
    yield _port(settings)
    yield from _names(settings)
    yield from _chats(settings)


def _folder(data: Path) -> Finding:
    what = "data folder"
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data):
            free = shutil.disk_usage(data).free
    except OSError as exc:
        mend = f"make {data} a folder that this user may write to, or name another under data:"
        return Finding(what=what, seen=f"{data}: {exc.strerror}", mend=mend)
    room = f"{data}, {free / 1e9:.1f} GB free"
    return Finding(what=what, seen=room, mend="" if free > _ROOM else "free at least 1 GB there, or move the folder")


def _port(settings: Settings) -> Finding:
    where = f"{settings.web.listen_host}:{settings.web.listen_port}"
    family = socket.AF_INET6 if ":" in settings.web.listen_host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.web.listen_host, settings.web.listen_port))
        except OSError as exc:
            mend = "if that is not Tocsin itself, change web.listen"
            return Finding(what="page", seen=f"{where}: {exc.strerror}", mend=mend)
    return Finding(what="page", seen=f"{where} is free")


def _names(settings: Settings) -> Iterator[Finding]:
    """Every host that is asked, looked up once."""
    urls = (getattr(w, "url", "") for s in settings.services.values() for w in s.watches.values())
    for host in sorted({urlsplit(str(url)).hostname or "" for url in urls} - {""}):
        try:
            socket.getaddrinfo(host, None)
        except OSError as exc:
            mend = "check the name, and that this machine reaches a DNS server"
            yield Finding(what=f"name {host}", seen=f"cannot be looked up: {exc.strerror}", mend=mend)


def _chats(settings: Settings) -> Iterator[Finding]:
    for name, channel in settings.channels.items():
        kind = getattr(settings.chats[channel.chat], "kind", "")
        seen = "the built-in page" if kind == "page" else f"{kind} {channel.channel}; tocsin test-alert {name} tries it"
        yield Finding(what=f"channel {name}", seen=seen)
