"""What a scalar means: text, a number, true or false, nothing; with variables and files put in."""

from __future__ import annotations

import re
from collections.abc import Mapping as Environ
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bot.config.errors import Findings
from bot.config.nodes import Listing, Mapping, Node, Scalar

_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:-)([^}]*))?\}|\$\{")
_FILE_SIZE = 65_536
_INT = re.compile(r"-?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt ]+\d{1,2}:\d{2}(:\d{2}(\.\d*)?)?[ ]*(Z|[+-]\d{1,2}(:?\d{2})?)?)?")
_WORDS = re.compile("y|n|yes|no|on|off|true|false|null", re.IGNORECASE)
# The readings of YAML 1.1 that nobody expects (https://yaml.org/type/), and the way out of each.
_TRAPS = (
    (re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?"), "YAML 1.1 reads this as a number in base 60; put it in quotes"),
    (
        re.compile(r"[-+]?0[\d_]+(\.[\d_]*)?"),
        "a number that begins with 0 is octal in YAML 1.1; drop the zero, or put it in quotes",
    ),
    (
        re.compile(r"[-+]?0[xob][\da-fA-F_]+"),
        "only plain decimal numbers are numbers here; write it in decimal, or put it in quotes",
    ),
    (
        re.compile(r"[-+]?\d[\d_]*_[\d_]*(\.[\d_]*)?"),
        "numbers are written without underscores; drop them, or put it in quotes",
    ),
    (
        re.compile(r"[-+]?\d+\.?\d*[eE][-+]?\d+"),
        "numbers are written without an exponent; write it out, or put it in quotes",
    ),
    (
        re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE),
        "this is not a number that means anything here; put it in quotes if it is text",
    ),
    (
        re.compile(r"\+\d+(\.\d*)?|[-+]?\.\d+|[-+]?\d+\."),
        "numbers are written like 5 or 0.5; write it so, or put it in quotes",
    ),
)


class Spoiled:
    """Stands in for a scalar that is wrong in itself, which has been said already."""

    def __repr__(self) -> str:
        return "a value that could not be read"


SPOILED: Final = Spoiled()


@dataclass(frozen=True)
class Dated:
    """A date or time written without quotes: fine where a time is meant, a mistake where text is."""

    text: str


@dataclass(frozen=True)
class Reader:
    """Turns nodes into plain data. `folder` is where the paths of `!file` begin."""

    environ: Environ[str, str]
    folder: Path
    findings: Findings
    files: list[Path] = field(default_factory=list)
    """Every file and folder that was looked at, for whoever wants to notice a change."""

    def data(self, node: Node) -> Any:
        """The node as dicts, lists and scalars."""
        if isinstance(node, Mapping):
            return {self.key(key): self.data(value) for key, value in node.entries()}
        if isinstance(node, Listing):
            return [self.data(item) for item in node.items]
        return self.scalar(node)

    def key(self, key: Scalar) -> str:
        """A key, which is always text; one that YAML 1.1 would read as something else is an error."""
        if key.plain and (trap(key.text) or not isinstance(plain(key.text), str)):
            self.findings.spoil(
                key.place, f"YAML 1.1 does not take the key {key.text or '~'} for text; put it in quotes"
            )
        return key.text

    def scalar(self, node: Scalar) -> Any:
        """What a scalar stands for; `SPOILED` when it stands for nothing."""
        if node.place in self.findings.spoiled:
            return SPOILED
        if node.plain and not node.file and (advice := trap(node.text)):
            return self._spoil(node, advice)
        text = self._expanded(node) if "$" in node.text else node.text
        if isinstance(text, Spoiled) or not node.file:
            return plain(text) if node.plain and text is node.text else text
        return self._file(node, text)

    def _expanded(self, node: Scalar) -> str | Spoiled:
        troubles: list[str] = []

        def value(found: re.Match[str]) -> str:
            name, has_default, default = found.groups()
            if found[0] == "$$":
                return "$"
            if not name:
                troubles.append("a variable is written ${NAME} or ${NAME:-default}; write $$ for a dollar sign")
                return ""
            known = self.environ.get(name)
            if has_default:
                return known or default
            if not known:
                state = "not set" if known is None else "empty"
                troubles.append(f"the environment variable {name} is {state}; set it, or write ${{{name}:-default}}")
            return known or ""

        text = _VARIABLE.sub(value, node.text)
        for trouble in troubles:
            self._spoil(node, trouble)
        return SPOILED if troubles else text

    def _file(self, node: Scalar, text: str) -> str | Spoiled:
        self.files.append(self.folder / text)
        try:
            with (self.folder / text).open("rb") as file:
                data = file.read(_FILE_SIZE + 1)
        except OSError as error:
            return self._spoil(node, f"the file '{text}' cannot be read: {error.strerror or error}")
        except ValueError:
            return self._spoil(node, "this is not a name that a file can have")
        if len(data) > _FILE_SIZE:
            return self._spoil(
                node, f"the file '{text}' is larger than {_FILE_SIZE // 1024} kB; it should hold one value"
            )
        try:
            return data.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            return self._spoil(node, f"the file '{text}' is not UTF-8 text")

    def _spoil(self, node: Scalar, message: str) -> Spoiled:
        self.findings.spoil(node.place, message)
        return SPOILED


def plain(text: str) -> Any:
    """An unquoted scalar: nothing, true or false, a plain decimal number, a date, or else text."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if not text[0].isdigit() and text[0] != "-":
        return text
    return number(text)


def number(text: str) -> Any:
    """A plain decimal number or a date, or the text as it is. At most 18 digits, as more would lose some."""
    if len(text) <= 19 and _INT.fullmatch(text):
        return int(text)
    if len(text) <= 19 and _FLOAT.fullmatch(text):
        return float(text)
    return Dated(text) if _DATE.fullmatch(text) else text


def trap(text: str) -> str:
    """Why an unquoted scalar must not be left to YAML 1.1, and what to write; the empty string when it may."""
    if not text or len(text) > 64 or text in ("true", "false", "null"):
        return ""
    if _WORDS.fullmatch(text):
        return _word(text)
    if text[0].isdigit() or text[0] in "-+.":
        return next((advice for pattern, advice in _TRAPS if pattern.fullmatch(text)), "")
    return ""


def _word(text: str) -> str:
    if (low := text.casefold()) == "null":
        return f"write null for nothing, or '{text}' in quotes for text"
    meant = "true" if low in ("y", "yes", "on", "true") else "false"
    return f"YAML 1.1 reads {text} as {meant}; write {meant}, or '{text}' in quotes for text"
