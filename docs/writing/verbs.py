"""`commands.md`: the command line, and what people say in the chats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from bot.__main__ import app
from bot.chats.slack_people import COMMANDS
from bot.core.speech import VERBS
from writing.tables import table


def commands() -> Iterator[str]:
    """`commands.md`: the command line, and what people say in the chats."""
    yield (
        "# Commands\n\n## In the chats\n\nOne root command on Slack and Discord: `/incident VERB`. In Slack a mention of the bot works as well. Reads answer only\n"
        "the person who asked; what changes an incident leaves a line in its thread, where the incident need not be named.\n"
    )
    yield table(("Verb", "What it does"), [(f"`{verb}`", what) for verb, what in VERBS.items()])
    short = [f"`{command}` is short for `/incident {verb}`" for command, verb in COMMANDS.items() if verb]
    yield f"\n{'; '.join(short)}. A chat's `short_commands: false` takes them away.\n"
    yield (
        "\n## On the command line\n\nData goes to stdout, talk to stderr. Exit code 0: fine; 1: something was found, or it did not work; 2: wrong usage;\n"
        "78: wrong configuration.\n"
    )
    group = typer.main.get_command(app)
    for name, command in getattr(group, "commands").items():  # noqa: B009 - only a group has it, and this is one
        yield _command(name, command)


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join(["tocsin", name, *(_argument(p) for p in arguments), *(["[OPTIONS]"] if options else [])])
    rows = [(_argument(p), p.help or "-", "-") for p in arguments]
    rows += [(", ".join(f"`{o}`" for o in (*p.opts, *p.secondary_opts)), _help(p), _given(p)) for p in options]
    taken = table(("Argument", "Meaning", "Default"), rows) if rows else ""
    return f"\n### tocsin {name}\n\n{command.help}\n\n```\n{usage}\n```\n{taken}"


def _argument(param: Any) -> str:
    name = param.name.upper() + ("..." if param.nargs == -1 else "")
    return name if param.required else f"[{name}]"


def _help(param: Any) -> str:
    return (param.help or "-") + (f" Or the variable `{param.envvar}`." if param.envvar else "")


def _given(param: Any) -> str:
    return f"`{param.default}`" if param.default not in (None, False, "", ()) else "-"
