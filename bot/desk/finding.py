"""What a person means: the incident by id, thread, button or service, or the only one there is."""

from __future__ import annotations

from msgspec.structs import replace

from bot.core.model import Answer, Incident, Request, Said, Text
from bot.desk.rooms import Rooms, no

_NAMED = 10


class Finder:
    """Finds incidents and services, and says what to do where none is found."""

    def __init__(self, house: Rooms) -> None:
        self._house = house

    async def incident(self, request: Request) -> Incident | None:
        """The incident meant, alive or past."""
        named = request.target or request.incident
        if not named:
            return self.only()
        found = await self._house.store.incident(named)
        if found and found.service.startswith("."):
            return self._group(found.id) or (found if found.members else None)
        living = self._living_of(found.service if found else self._house.board.resolve(named))
        return living if living and (found is None or living.id == found.id) else found

    def living(self, request: Request) -> Incident | None:
        """The same as far as memory goes: living incidents only, without waiting."""
        named = request.target or request.incident
        if not named:
            return self.only()
        service = self._house.board.resolve(named)
        found = (i for i in self._house.board.open() if i.id == named or i.service == service)
        return next(found, None) or self._group(named)

    def only(self) -> Incident | None:
        """The one open incident, if there is just one."""
        alive = self._house.board.open()
        return alive[0] if len(alive) == 1 else None

    def _group(self, named: str) -> Incident | None:
        """The living group of that name."""
        return next((group for group in self._house.groups() if group.id == named), None)

    def _living_of(self, service: str | None) -> Incident | None:
        return self._house.board.living(service) if service else None

    async def service(self, request: Request) -> str | None:
        """The service meant: by its words, else that of the incident in whose thread this was said."""
        if request.target:
            found = self._house.board.resolve(request.target)
            known = None if found else await self._house.store.incident(request.target)
            return found or (known.service if known else None)
        incident = await self.incident(request) if request.incident else self.only()
        return incident.service if incident and not incident.members else None

    def no_service(self, request: Request) -> Answer:
        """There is no such service, and which one may have been meant; or none was named."""
        if not request.target:
            return no((f"Which service? {request.verb} <service>. Status lists the services I watch.",))
        near = self._house.board.nearest(request.target)
        hint = f" Did you mean {near}?" if near else " Status lists the services I watch."
        return no(("I watch no service called ", Said(request.target), f".{hint}"))

    def no_incident(self, request: Request) -> Answer:
        """There is none, or there are several to choose from."""
        alive = self._house.board.open()
        if request.target or not alive:
            of: Text = (" of ", Said(request.target)) if request.target else ()
            return no(("There is no open incident", *of, ". List shows those that are open." if alive else "."))
        names: Text = tuple(f" {i.id}" for i in alive[:_NAMED])
        return no((f"Which one? {request.verb} <id>, or use it in the incident's thread. Open:", *names))

    def pointed(self, request: Request, words: str) -> Incident | None:
        """A living incident that words name by id or service, for a second one beside the one meant."""
        return self.living(replace(request, target=words, incident="")) if words else None
