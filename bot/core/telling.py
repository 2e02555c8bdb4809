"""Reads short public texts: whether somebody complains that a service does not work, and of what. Pure, and without a model.

The words are read by rules, in English, Spanish, Portuguese, French, German, Hindi and Japanese. First goes what means
something else ("calm down"), then what says that all is well; what is left is a complaint if it says that something is
broken. A question counts as much: who asks "is it down?" cannot use it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import msgspec

from bot.core import idioms, places
from bot.core.mentions import folded

_LONGEST = 600
_GAP = " \N{PILCROW SIGN} "
_STRAY = re.compile(r"https?://\S+|\bwww\.\S+|@[\w.-]+")
_TAG = re.compile(
    r"#(\w+?)(down|outage|broken|fail|caido|caida|caiu|panne|bug|kaputt|storung|störung|落ちた|障害|डाउन)\b"
)
_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = str.maketrans("\u2019\u2018`", "'''")
_UNLIKELY = frozenset({"console_switch", "api", "unknown"})
"""Platforms whose names are everyday words."""


class Told(msgspec.Struct, frozen=True):
    """What a text comes to. `kind` is one of `complaint question fine advert none`; the codes may be empty."""

    kind: str = "none"
    symptom: str = ""
    platform: str = ""

    @property
    def counts(self) -> bool:
        """True when it speaks for a trouble now."""
        return self.kind in ("complaint", "question")


def tell(text: str) -> Told:
    """Read one text; only its first six hundred characters say anything."""
    plain = _plain(text)
    kind = _kind(plain)
    if kind not in ("complaint", "question"):
        return Told(kind)
    platform = places.platform(plain)
    return Told(kind, _symptom(plain), "" if platform in _UNLIKELY else platform)


def _kind(plain: str) -> str:
    if _ADVERT.search(plain):
        return "advert"
    left = _OTHERWISE.sub(_GAP, plain)
    if _UNREAL.search(left):
        return "none"
    rest = _FINE.sub(_GAP, left)
    if not (_BROKEN.search(rest) or _DOUBT.search(rest)):
        return "fine" if rest != left else "none"
    return "question" if _ASKS.search(rest) else "complaint"


def _symptom(plain: str) -> str:
    """What people see: in other languages by their own words, else as every report is read."""
    own = next((code for code, pattern in _SYMPTOMS if pattern.search(plain)), "")
    code = own or places.symptom(plain)
    return "" if code == "other" else code


def _plain(text: str) -> str:
    """Lower case, without accents, addresses and names of accounts."""
    plain = folded(_STRAY.sub(" ", text[: 2 * _LONGEST])).translate(_APOSTROPHES)[:_LONGEST]
    plain = _TAG.sub(r"\1 \2", plain)
    return plain if plain.isascii() else _bare(plain)


def _bare(text: str) -> str:
    """Without the accents of Latin letters; other scripts stay as they are written."""
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_bare(pattern)})" for pattern in patterns))


_BROKEN, _DOUBT, _OTHERWISE = _any(idioms.BROKEN), _any(idioms.DOUBT), _any(idioms.OTHERWISE)
_UNREAL, _FINE, _ADVERT, _ASKS = _any(idioms.UNREAL), _any(idioms.FINE), _any(idioms.ADVERT), _any(idioms.ASKS)
_SYMPTOMS = [(code, re.compile(_bare(pattern))) for code, pattern in idioms.SYMPTOMS.items()]
