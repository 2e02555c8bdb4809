"""The verb config: what the file says in words, where it is, and who changed what."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.model import Answer, Bold, Request, Said, Service, Text, When
from bot.core.phrases import lasted
from bot.desk.audit import Audit
from bot.desk.ears import VERBS as EARS
from bot.desk.ears import Ears
from bot.desk.rooms import Rooms, Verb, no

_SHOWN = 15
_SERVICES = 20


class Papers:
    """Shows the settings, which it never changes, and hands on who is to be heard."""

    def __init__(self, house: Rooms, audit: Audit, ears: Ears) -> None:
        self._house = house
        self._audit = audit
        self._ears = ears

    def verbs(self) -> Mapping[str, Verb]:
        """The verbs of this room."""
        return {"config": self._config}

    async def _config(self, request: Request) -> Answer:
        do, _, rest = request.text.strip().partition(" ")
        if do in ("", "show"):
            return self._show(rest or request.target)
        if do == "audit":
            return self._trail()
        if do in EARS:
            return await self._ears.answer(do, rest, request)
        return self._show(request.text.strip())

    def _show(self, words: str) -> Answer:
        """Levels of one service, or of all where they are the same."""
        if words:
            service = self._house.services.get(self._house.board.resolve(words) or "")
            if service is None:
                return no(("I know config show [service] and config audit; there is no service ", Said(words), "."))
            return Answer(lines=(*self._origin(), *self._of(service)))
        ladders: dict[tuple[str, ...], list[str]] = {}
        for service in self._house.services.values():
            ladders.setdefault(self._ladder(service.id), []).append(service.name)
        lines: list[Text] = []
        for ladder, names in ladders.items():
            shown = ", ".join(names[:_SERVICES]) + (f" and {len(names) - _SERVICES} more" if names[_SERVICES:] else "")
            lines += [(Bold(shown),), *((rule,) for rule in ladder)]
        return Answer(lines=(*self._origin(), *lines))

    def _origin(self) -> tuple[Text, ...]:
        origin = self._house.origin()
        if origin is None:
            return ()
        trouble: Text = (" The last try to read it again failed: ", Said(origin.trouble)) if origin.trouble else ()
        return ((f"{origin.path}, read ", When(origin.read_at, "date"), ".", *trouble),)

    def _of(self, service: Service) -> tuple[Text, ...]:
        policy = service.policy
        pace = (
            f"Opens at {policy.open_at} once bad for {lasted(policy.confirm_for)}, closes after {lasted(policy.quiet_for)} "
            f"of calm, comes back in the same thread for {lasted(policy.reopen_for)}."
        )
        told = ", ".join(f"{r.channel} from {r.level}" if r.level else r.channel for r in service.routes)
        tells = f"Told: {told}." if told else "Told nowhere."
        return ((Bold(service.name),), *((rule,) for rule in self._ladder(service.id)), (pace,), (tells,))

    def _ladder(self, service: str) -> tuple[str, ...]:
        return tuple(rule.sentence() for rule in self._house.rules.get(service, ()))

    def _trail(self) -> Answer:
        rows = self._audit.rows[-_SHOWN:]
        if not rows:
            return Answer(lines=(("Nothing was changed by command yet; what people did to incidents stands there.",),))
        return Answer(
            lines=tuple(
                (When(r.at, "date"), " ", Said(r.who), f" ({r.id}, {r.where}): {r.verb} ", Said(r.words)) for r in rows
            )
        )
