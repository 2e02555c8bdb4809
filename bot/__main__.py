"""The front door: the command line. Thin; every verb lives in commands/."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, TextIO, cast

import structlog
import typer

from bot.commands import backup as backup_command
from bot.commands import catalogue as catalogue_command
from bot.commands import check as check_command
from bot.commands import client, discord_invite, slack_manifest
from bot.commands import demo as demo_command
from bot.commands import doctor as doctor_command
from bot.commands import forget as forget_command
from bot.commands import init as init_command
from bot.commands import postmortem as postmortem_command
from bot.commands import probe as probe_command
from bot.commands import replay as replay_command
from bot.commands import retry as retry_command
from bot.commands import run as run_command
from bot.commands import schema as schema_command
from bot.commands import sources as sources_command
from bot.commands import trial as trial_command
from bot.commands import tune as tune_command
from bot.commands.judged import verdicts
from bot.config.errors import Misconfigured
from bot.config.fields import alarms
from bot.config.read import read
from bot.config.settings import Settings
from bot.fields import duration
from bot.ports import Refused
from bot.world.clock import WallClock
from bot.world.voice import Voice, legible

WRONG_CONFIGURATION = 78

app = typer.Typer(
    help="Counts what people report, listens to what machines say, and keeps one living thread per incident.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
Url = Annotated[str, typer.Option("--url", help="Where a running Tocsin answers.", envvar="TOCSIN_URL")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_HERE = Path("config.yaml")
_LOCAL = "http://127.0.0.1:8080"


@app.command()
def run(config: Config = _HERE) -> None:
    """Start the bot."""
    settings = _settings(config)
    raise typer.Exit(run_command.run(settings, settings.data))


@app.command()
def demo(
    scenario: Annotated[Path, typer.Option(help="The story to play.")] = demo_command.SCENARIO,
    speed: Annotated[float, typer.Option(help="How many times faster than life.", min=1.0)] = 600.0,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    once: Annotated[bool, typer.Option(help="Stop at the end of the story.")] = False,
) -> None:
    """Play the story of 4 November 2022 on the page and in this terminal; needs no account."""
    raise typer.Exit(demo_command.run(scenario, host=host, port=port, speed=speed, once=once))


@app.command()
def check(config: Config = _HERE, *, as_json: Json = False) -> None:
    """Say everything that is wrong with a configuration, with line and column."""
    raise typer.Exit(check_command.check(config, as_json=as_json))


@app.command()
def init(
    config: Config = _HERE,
    service: Annotated[list[str] | None, typer.Option(help="A service to watch; may be given again.")] = None,
    slack: Annotated[bool | None, typer.Option(help="Post to Slack.")] = None,
    discord: Annotated[bool | None, typer.Option(help="Post to Discord.")] = None,
    listen: Annotated[str | None, typer.Option(help="Host and port of the page.")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
) -> None:
    """Ask a few questions and write a first configuration; never overwrites."""
    wishes = init_command.Wishes(services=service, slack=slack, discord=discord, listen=listen)
    raise typer.Exit(init_command.init(config, wishes, yes=yes))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    raise typer.Exit(schema_command.schema())


@app.command()
def doctor(config: Config = _HERE, *, as_json: Json = False) -> None:
    """Say what this machine and this configuration lack, each with the line that mends it."""
    raise typer.Exit(doctor_command.doctor(config, as_json=as_json))


@app.command("test-alert")
def try_channels(
    channels: Annotated[
        list[str] | None, typer.Argument(help="Channels of the configuration; all if none is named.")
    ] = None,
    config: Config = _HERE,
) -> None:
    """Open, reply and close in every channel, marked as a test; says what is missing where it fails."""
    raise typer.Exit(trial_command.run(_settings(config), channels or ()))


@app.command()
def catalogue(
    words: Annotated[list[str] | None, typer.Argument(help="What to look for; everything if empty.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Search the services that Tocsin knows by name, with their status pages."""
    wanted = [word for word in words or () if word != "search"]
    raise typer.Exit(catalogue_command.search(wanted, as_json=as_json))


@app.command()
def sources(
    kind: Annotated[str, typer.Argument(help="One kind, for its options.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """List the kinds of watch, or the options of one."""
    raise typer.Exit(sources_command.sources(kind, as_json=as_json))


@app.command()
def probe(
    looks: Annotated[
        list[str] | None,
        typer.Argument(help="SERVICE/WATCH=ADDRESS, by https, http, tcp, tls, dns or ping; else by the configuration."),
    ] = None,
    report_to: Annotated[str, typer.Option(help="Where the bot answers that shall hear of it.")] = "",
    vantage: Annotated[
        str, typer.Option("--as", help="The name of this place, as in the `vantages` of the bot's watches.")
    ] = "",
    config: Config = _HERE,
    every: Annotated[str, typer.Option(help="How often to look at what is given here.")] = "30s",
    *,
    allow_private: Annotated[bool, typer.Option(help="Let what is given here lead into a private network.")] = False,
    once: Annotated[bool, typer.Option(help="Look once, and print what is seen.")] = False,
    as_json: Json = False,
) -> None:
    """Look at probes from this place, and report to a bot elsewhere; TOCSIN_TOKEN is its token for this place."""
    try:
        pause = duration(every)
    except ValueError as why:
        raise typer.BadParameter(str(why), param_hint="--every") from why
    if (report_to and not vantage) or not (report_to or once):
        raise typer.BadParameter("it takes --report-to URL and --as PLACE, or --once to look without reporting")
    chosen = (
        probe_command.given(looks, pause, allow_private=allow_private)
        if looks
        else probe_command.configured(_settings(config), vantage)
    )
    token = os.environ.get("TOCSIN_TOKEN", "")
    target = probe_command.Target(url=report_to, vantage=vantage, token=token) if report_to else None
    if once or target is None:
        raise typer.Exit(probe_command.once(chosen, target, as_json=as_json))
    raise typer.Exit(probe_command.run(chosen, target))


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="CSV or NDJSON of reports or counts, or one scenario.")],
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Judge by this configuration.")] = None,
    scores: Annotated[Path | None, typer.Option(help="Write a row per bucket and service here (CSV).")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw counts, usual, score and incidents here (SVG).")] = None,
    *,
    as_json: Json = False,
    lenient: Annotated[bool, typer.Option(help="Leave bad rows out instead of stopping.")] = False,
) -> None:
    """Say what would have been told about what happened; the same decisions as live."""
    settings = _settings(config) if config else None
    raise typer.Exit(replay_command.run(files, settings, as_json=as_json, scores=scores, plot=plot, lenient=lenient))


@app.command()
def tune(
    files: Annotated[list[Path], typer.Argument(help="CSV or NDJSON of reports or counts.")],
    budget: Annotated[
        str, typer.Option("--alarms", help="False alarms allowed per service: 1/week, 2/month.")
    ] = "1/month",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Keep the ladder of this configuration.")
    ] = None,
    *,
    as_json: Json = False,
    lenient: Annotated[bool, typer.Option(help="Leave bad rows out instead of stopping.")] = False,
    judged: Annotated[
        str, typer.Option(help="Heed what people said was real: a running bot, or its GET /api/v1/incidents in a file.")
    ] = "",
) -> None:
    """Propose levels for a budget of false alarms, with what they would have caught and missed."""
    try:
        allowed = alarms(budget)
    except ValueError as why:
        raise typer.BadParameter(str(why), param_hint="--alarms") from why
    settings = _settings(config) if config else None
    said = verdicts(judged, os.environ.get("TOCSIN_TOKEN", "")) if judged else None
    raise typer.Exit(tune_command.run(files, settings, alarms=allowed, as_json=as_json, lenient=lenient, verdicts=said))


@app.command()
def health(url: Url = _LOCAL) -> None:
    """Exit 0 when the bot is ready; for containers and monitors."""
    status, body = client.call(url, "/readyz")
    for name, word in body.get("conditions", {}).items():
        typer.echo(f"{name}: {word}", err=word != "ok")
    raise typer.Exit(0 if status == 200 else 1)


@app.command()
def status(url: Url = _LOCAL, *, as_json: Json = False) -> None:
    """What is wrong now, worst first."""
    code, body = client.call(url, "/api/v1/status", token=os.environ.get("TOCSIN_TOKEN", ""))
    if code != 200:
        _fail(body)
    typer.echo(json.dumps(body) if as_json else "\n".join(client.status_lines(body)))
    raise typer.Exit(1 if any(row["level"] for row in body["services"]) else 0)


@app.command()
def report(
    service: str,
    text: Annotated[str, typer.Option(help="What you see.")] = "",
    symptom: Annotated[str, typer.Option(help="login, website, app, ...")] = "",
    url: Url = _LOCAL,
) -> None:
    """Report a problem with a service; needs a token with the scope report, or this very machine."""
    told = {
        "service": service,
        "reporter": f"cli:{os.getuid()}@{os.uname().nodename}",
        "text": text,
        "symptom": symptom,
    }
    token = os.environ.get("TOCSIN_TOKEN", "")
    code, body = client.call(url, "/api/v1/reports", token=token, body={k: v for k, v in told.items() if v})
    if code != 202 or body["rejected"]:
        _fail(body["rejected"][0] if body.get("rejected") else body)
    typer.echo("Thank you, counted." if body["accepted"] else "Counted already: one person is one voice.")


@app.command()
def retry(
    channel: Annotated[str, typer.Argument(help="One channel; all of them when left out.")] = "", url: Url = _LOCAL
) -> None:
    """Tell again what a channel refused, once the cause is mended."""
    raise typer.Exit(retry_command.run(url, channel, os.environ.get("TOCSIN_TOKEN", "")))


@app.command()
def postmortem(
    incident: Annotated[str, typer.Argument(help="The incident's id, as its thread shows it.")],
    to: Annotated[Path, typer.Option(help="The folder for the two files.")] = Path(),
    url: Url = _LOCAL,
) -> None:
    """Write the draft of an incident's post-mortem, Markdown with its chart, from what was recorded."""
    raise typer.Exit(postmortem_command.run(url, incident, to, os.environ.get("TOCSIN_TOKEN", "")))


@app.command()
def forget(
    reporter: Annotated[str, typer.Argument(help="Who: the very `reporter` that the reports were sent with.")],
    url: Url = _LOCAL,
    *,
    export: Annotated[bool, typer.Option("--export", help="Only print what is held, as JSON.")] = False,
) -> None:
    """Take a person out of the reports that are still held, or print those; words and mark go, counts stay."""
    raise typer.Exit(forget_command.run(url, reporter, os.environ.get("TOCSIN_TOKEN", ""), export=export))


@app.command()
def backup(
    config: Config = _HERE,
    to: Annotated[Path | None, typer.Option(help="The folder to put it in; data/backups when left out.")] = None,
) -> None:
    """Copy the data, with the bot running or not."""
    raise typer.Exit(backup_command.run(_settings(config).data, to, WallClock().now()))


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="A folder that `tocsin backup` made.")], config: Config = _HERE
) -> None:
    """Put a backup in place of the present data, which is moved aside; stop the bot first."""
    raise typer.Exit(backup_command.take_up(backup, _settings(config).data, WallClock().now()))


@app.command("slack-manifest")
def manifest(
    name: str = "Tocsin",
    url: Annotated[
        str, typer.Option(help="Where Slack is to call: https://HOST/chats/NAME. Without it, Socket Mode is used.")
    ] = "",
) -> None:
    """Print the manifest of the Slack app, and the link that creates it."""
    raise typer.Exit(slack_manifest.run(name, url=url))


@app.command("discord-invite")
def invite(client_id: Annotated[str, typer.Argument(help="The application id.")]) -> None:
    """Print the link that invites the Discord bot with the least it needs."""
    raise typer.Exit(discord_invite.run(client_id))


def _settings(config: Path) -> Settings:
    """The settings, or every problem of the file and exit 78."""
    try:
        return read(config)
    except Misconfigured as wrong:
        for problem in wrong.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(WRONG_CONFIGURATION) from None


def _fail(body: dict[str, str]) -> None:
    typer.echo(body.get("error", "that did not work"), err=True)
    raise typer.Exit(1)


def _speak() -> None:
    """Logs go to standard error: lines for people on a terminal, JSON for machines."""
    terminal = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            legible,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(() if terminal else (structlog.processors.format_exc_info,)),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", Voice(sys.stderr))),
    )


def main() -> None:
    """Run the command that was given; what a person must mend is said in a line, not in a traceback."""
    _speak()
    try:
        app()
    except Refused as why:
        typer.echo(str(why), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
