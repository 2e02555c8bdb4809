"""Which services a text names: one pass over its words, however many services there are."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_WORD = re.compile(r"[a-z0-9\u00df-\u024f]+")
_LONGEST = 3_000


class _Phrase(NamedTuple):
    """All of it must be there, in any order: whole words of Latin letters, and pieces of other scripts."""

    service: str
    words: frozenset[str]
    pieces: tuple[str, ...]


class Mentions:
    """Finds the services that a text names.

    A phrase such as `twitter down` is named by a text that has all of its words, or all of them in one, as hashtags do.
    Scripts that do not part their words are looked for anywhere.
    """

    def __init__(self, phrases: Mapping[str, Iterable[str]]) -> None:
        self._by_word: defaultdict[str, list[_Phrase]] = defaultdict(list)
        self._others: list[_Phrase] = []
        for service, several in phrases.items():
            for phrase in several:
                self._learn(service, folded(phrase))

    def find(self, text: str) -> frozenset[str]:
        """The services named."""
        plain = folded(text)
        words = set(_WORD.findall(plain))
        near = [p for word in words & self._by_word.keys() for p in self._by_word[word]]
        return frozenset(
            p.service for p in (*near, *self._others) if p.words <= words and all(piece in plain for piece in p.pieces)
        )

    def _learn(self, service: str, phrase: str) -> None:
        words = _WORD.findall(phrase)
        pieces = tuple(piece for piece in _WORD.sub(" ", phrase).split() if any(map(str.isalpha, piece)))
        if words:
            self._by_word[words[0]].append(_Phrase(service, frozenset(words), pieces))
        elif pieces:
            self._others.append(_Phrase(service, frozenset(), pieces))
        if len(words) > 1 and not pieces:
            joined = "".join(words)
            self._by_word[joined].append(_Phrase(service, frozenset((joined,)), ()))


def folded(text: str) -> str:
    """The text without regard to case and to the width of characters, at most three thousand of them."""
    text = text[:_LONGEST]
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()[:_LONGEST]
