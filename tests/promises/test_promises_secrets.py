"""R47: a secret of the configuration is in nothing that anybody is shown, whatever goes wrong with what it is for."""

import asyncio
import io
import logging
import re
import subprocess
import sys
import traceback
from typing import get_args

import aiohttp
import structlog
from doubles.program import until

from bot.app import House, Serving
from bot.config.plugins import CHATS, SOURCES
from bot.config.read import read
from bot.fields import Secret
from bot.world.clock import WallClock
from bot.world.voice import legible

SECRETIVE = re.compile(r"(?i)(token|secret|password|api_key)$")
NAMES = (
    *("probe-query", "page-query", "feed-query", "deadman-path"),
    *("hook-alertmanager", "hook-grafana", "hook-standard", "hook-mapped", "hook-old", "hook-new"),
    *("api-ci", "api-boss", "api-reader", "sentry", "prometheus"),
)
CANARY = {name: f"canary{n:02}{name.replace('-', '')}zq" for n, name in enumerate(NAMES)}
CONFIG = """\
web:
  listen: "127.0.0.1:0"
  tokens:
    - {{name: ci, secret: {api-ci}, scopes: [report]}}
    - {{name: boss, secret: {api-boss}, scopes: [admin]}}
    - {{name: reader, secret: {api-reader}, scopes: [report]}}
deadman: {{url: "http://127.0.0.1:9/{deadman-path}"}}
channels: {{wall: {{chat: page}}}}
services:
  shop:
    watch:
      front: {{kind: probe, url: "http://127.0.0.1:9/?token={probe-query}", allow_private: true}}
      page: {{kind: statuspage, url: "http://127.0.0.1:9/?key={page-query}", allow_private: true}}
      news: {{kind: feed, url: "http://127.0.0.1:9/rss?auth={feed-query}", allow_private: true}}
      load: {{kind: prometheus, url: "http://127.0.0.1:9", allow_private: true, query: up, headers: {{Authorization: {prometheus}}}}}
      am: {{kind: alertmanager, secret: [{hook-alertmanager}, {hook-old}, {hook-new}]}}
      gr: {{kind: grafana, secret: {hook-grafana}}}
      st: {{kind: standard_webhooks, secret: {hook-standard}}}
      wh: {{kind: webhook, secret: {hook-mapped}}}
      se: {{kind: sentry, secret: {sentry}}}
"""


def secret_fields():
    """Every field of a plugin that holds a secret, or is called as if it did."""
    for kind, model in [*SOURCES.items(), *CHATS.items()]:
        for name, field in model.model_fields.items():
            holds = Secret in (field.annotation, *get_args(field.annotation)) or "Secret" in str(field.annotation)
            if holds or SECRETIVE.search(name):
                yield kind, model, name, holds


def test_no_plugin_prints_a_secret_that_it_holds(prove):
    wrong, found = [], list(secret_fields())
    for kind, model, name, holds in found:
        made = model.model_construct(**{name: Secret("canary-of-a-plugin")})
        shown = [
            repr(made),
            str(made),
            str(vars(made)),
            str(vars(made)),
            f"{getattr(made, name)!r}",
            f"{getattr(made, name)}",
        ]
        wrong += [f"{kind}.{name} is no Secret"] if not holds else []
        wrong += [f"{kind}.{name}"] if any("canary" in text for text in shown) else []
    prove("R47", len(found), wrong, "fields of plugins that hold a secret, printed in every way")


async def test_the_secrets_of_watches_hooks_and_tokens_are_in_nothing_that_is_shown(tmp_path, prove):
    file = tmp_path / "config.yaml"
    used = {name: canary for name, canary in CANARY.items() if f"{{{name}}}" in CONFIG}
    text = CONFIG
    for name, canary in used.items():
        text = text.replace(f"{{{name}}}", canary)
    file.write_text(text.replace("{{", "{").replace("}}", "}"))
    said = io.StringIO()
    structlog.configure(
        processors=[legible, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(said),
    )
    handler = logging.StreamHandler(said)
    logging.getLogger().addHandler(handler)
    shown = {}
    try:
        settings = read(file, {})
        house = House(settings, WallClock(), tmp_path / "data")
        await house.wake()
        async with Serving(house) as serving:
            running = asyncio.create_task(serving.run())
            await until(lambda: len(house.engine.witnesses.asked) == 4)  # every watch that is asked has failed
            await serving.auditor.audit()
            shown |= await pages(serving)
            running.cancel()
            await asyncio.wait([running])
        await house.aclose()
        shown["a traceback"] = failing(settings)
        shown["doctor"] = cli("doctor", file)
        file.write_text(file.read_text().replace("deadman:", "deadmann:"))
        shown["a mistake"] = cli("check", file)
    finally:
        structlog.reset_defaults()
        logging.getLogger().removeHandler(handler)
    shown["the log"] = said.getvalue()
    shown |= {
        path.name: path.read_bytes().decode("latin-1") for path in (tmp_path / "data").rglob("*") if path.is_file()
    }
    wrong = [f"{name} in {where}" for name, canary in used.items() for where, words in shown.items() if canary in words]
    assert all(shown[where] for where in ("the log", "/metrics", "a traceback", "a mistake"))
    prove("R47", len(used) * len(shown), wrong, "places in which a secret of a watch, hook or token was looked for")


async def pages(serving):
    found = {}
    async with aiohttp.ClientSession(serving.address) as client:
        for path in (
            "/",
            "/metrics",
            "/readyz",
            "/api/v1/status",
            "/api/v1/services/shop",
            "/openapi.json",
            "/nowhere",
        ):
            async with client.get(path, headers={"Authorization": f"Bearer {CANARY['api-boss']}"}) as answer:
                found[path] = await answer.text()
        for hook in ("am", "gr", "st", "wh", "se"):
            async with client.post(f"/hooks/shop/{hook}?key=wrong", data=b"{}", headers={"X-Sig": "wrong"}) as answer:
                found[f"/hooks/{hook}"] = await answer.text()
    return found


def failing(settings):
    """What the log would say if something broke with the secrets in its hands."""
    try:
        int(f"{settings.web.tokens} {settings.services['shop'].watches['am']}")
    except ValueError:
        return traceback.format_exc()


def cli(verb, file):
    command = [sys.executable, "-m", "bot", verb, "-c", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr
