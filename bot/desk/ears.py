"""Whom the house does not listen to: what they report is taken as everybody's, and not counted.

So they read what everybody reads. Nobody's name is kept for it.
"""

from __future__ import annotations

import re

import msgspec

from bot.core.model import Answer, Person, Request, Text, When
from bot.desk.rooms import Rooms, no, yes

VERBS = ("ignore", "heed", "ignored")
_KEY = "ignored"
_NAMED = re.compile(r"<@!?([A-Za-z0-9_-]+)(?:\|[^>]*)?>|@?([A-Za-z0-9_:-]{2,80})")
_WHOM = "Whom? config {do} @name, as the chat writes a mention, or the id of the account."


class _Deaf(msgspec.Struct, frozen=True):
    """One person: the mark that stands for them, and who said so."""

    mark: str
    by: str


class Ears:
    """Kept in the store by mark, so it ends when the key of the marks does: after a month, unless it is said again."""

    def __init__(self, house: Rooms) -> None:
        self._house = house
        self._deaf: tuple[_Deaf, ...] = ()

    async def wake(self) -> None:
        """Know again whom not to listen to."""
        kept = await self._house.store.get(_KEY)
        self._deaf = msgspec.json.decode(kept, type=tuple[_Deaf, ...]) if kept else ()

    def deaf_to(self, who: Person) -> bool:
        """True when what this person reports is not to be counted."""
        identity = f"{who.chat}:{who.id}"
        return bool(self._deaf) and not self._marks(identity).isdisjoint(deaf.mark for deaf in self._deaf)

    async def answer(self, do: str, words: str, request: Request) -> Answer:
        """`ignore` or `heed` a person of the asker's own chat, or say how many are `ignored`."""
        if do == "ignored":
            people = len(self._deaf)
            return yes((f"{people} {'person is' if people == 1 else 'people are'} ignored. ", *self._ending()))
        found = _NAMED.fullmatch(words.strip())
        if found is None:
            return no((_WHOM.format(do=do),))
        identity = _named(request.who, found[1] or found[2])
        if do == "heed":
            return await self._heed(identity)
        return await self._ignore(identity, request.who)

    async def _ignore(self, identity: str, by: Person) -> Answer:
        marks = self._marks(identity)
        mark = self._house.marks(identity)[0]
        await self._keep((*(deaf for deaf in self._deaf if deaf.mark not in marks), _Deaf(mark, by.name)))
        taken = await self._house.forgetting.mute(identity)
        return yes(
            (f"Ignored from now on, and not told so. {taken} of their reports are taken back. ", *self._ending())
        )

    async def _heed(self, identity: str) -> Answer:
        marks = self._marks(identity)
        others = tuple(deaf for deaf in self._deaf if deaf.mark not in marks)
        if others == self._deaf:
            return no(("Nobody of that name is ignored.",))
        await self._keep(others)
        await self._house.forgetting.withdraw(
            identity
        )  # what they said unheard counts for nothing, their next word does
        return yes(("Heard again from now on.",))

    async def _keep(self, deaf: tuple[_Deaf, ...]) -> None:
        await self._house.store.put(_KEY, msgspec.json.encode(deaf))
        self._deaf = deaf

    def _marks(self, identity: str) -> set[str]:
        return set(self._house.marks(identity))

    def _ending(self) -> Text:
        until = self._house.unmarked()
        return ("It ends ", When(until, "date"), ", when the key that hides people changes.") if until else ()


def _named(asker: Person, account: str) -> str:
    """Somebody in the asker's chat; where ids have the workspace in front, it is the asker's own."""
    workspace, colon, _ = asker.id.rpartition(":")
    return f"{asker.chat}:{account if ':' in account else f'{workspace}{colon}{account}'}"
