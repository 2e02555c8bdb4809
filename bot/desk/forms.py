"""What is asked before a request is answered: missing words, and consent to what a word would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from bot.core.model import Field, Form, Incident, Request, Text, When
from bot.core.phrases import counted, lasted
from bot.core.terms import until
from bot.core.together import preview
from bot.desk.finding import Finder
from bot.desk.rooms import Rooms
from bot.desk.writes import leveled, merged_into

SPANS = (
    ("until recovery", "until it recovers"),
    ("30m", "30 minutes"),
    ("1h", "1 hour"),
    ("4h", "4 hours"),
    ("24h", "24 hours"),
)
WITH_FORM = ("note", "resolve", "mute", "merge", "declare", "report")
"""The verbs that may ask before they are answered."""
Options = Callable[[str], Sequence[tuple[str, str]]]


class Forms:
    """Forms by verb, from memory alone: a chat may show one only within seconds of being asked."""

    def __init__(self, house: Rooms, finder: Finder, options: Options) -> None:
        self._house = house
        self._finder = finder
        self._options = options
        made = (self._note, self._resolve, self._mute, self._merge, self._declare, self._report)
        self._made = dict(zip(WITH_FORM, made, strict=True))

    def form(self, request: Request) -> Form | None:
        """The form for a request that is understood already, or None when it says enough."""
        made = self._made.get(request.verb)
        return made(request) if made else None

    def _note(self, request: Request) -> Form | None:
        if request.text.strip() and (request.incident or request.target or self._finder.only()):
            return None
        words = Field(name="text", label="What should the thread know?", value=request.text, needed=True)
        return self._about(
            request, Form(verb="note", title="Add a note", submit="Add", fields=(words,)), lambda _incident: ()
        )

    def _resolve(self, request: Request) -> Form | None:
        words = Field(name="text", label="What was it? Everybody in the thread will read this", value=request.text)
        return self._about(
            request, Form(verb="resolve", title="Resolve", submit="Resolve", fields=(words,)), self._resolving
        )

    def _mute(self, request: Request) -> Form | None:
        end, reason = until(f"{request.span} {request.text}", self._house.clock.now())
        lasts = f"until {end:%Y-%m-%d %H:%M}" if end else SPANS[0][0]
        chosen = SPANS if not end else ((lasts, f"{lasts} UTC"), *SPANS)
        fields = (
            Field(name="span", label="For how long?", options=chosen, value=lasts, needed=True),
            Field(name="text", label="Why? Everybody in the thread will read this", value=reason),
        )
        return self._about(request, Form(verb="mute", title="Mute", submit="Mute", fields=fields), self._muting)

    def _merge(self, request: Request) -> Form | None:
        incident = self._finder.living(request)
        into, reason = merged_into(request, self._finder)
        others = tuple((i.id, f"{i.name}: {i.level}") for i in self._house.board.open() if i != incident)
        if incident is None or not others:
            return None
        asked = Field(
            name="text", label="Into which?", options=others[:25], value=into.id if into else others[0][0], needed=True
        )
        ending: Text = (f"Closes {incident.id} and says in both threads that it is part of the other.",)
        return Form(
            verb="merge",
            title=f"Merge {incident.name}",
            submit="Merge",
            fields=(asked,),
            about=(ending, (reason,)) if reason else (ending,),
            incident=incident.id,
        )

    def _declare(self, request: Request) -> Form | None:
        service = self._house.services.get(self._house.board.resolve(request.target) or "")
        if request.target and (service is None or request.text or request.level):
            return None
        level = leveled(request, service)[0] if service else ""
        fields = (
            self._choice("target", "service", "What is broken?", request.target, needed=True),
            self._choice("level", "level", "How bad is it?", level),
            Field(name="text", label="What do you see? Everybody in the thread will read this", value=request.text),
        )
        about: Text = ("Opens an incident and tells its channels, unless one is open already.",)
        return Form(verb="declare", title="Declare an incident", submit="Declare", fields=fields, about=(about,))

    def _report(self, request: Request) -> Form | None:
        if request.target or request.incident:
            return None
        fields = (
            self._choice("target", "service", "What does not work?", "", needed=True),
            self._choice("symptom", "symptom", "What do you see?"),
            self._choice("platform", "platform", "Where do you use it?"),
            Field(name="text", label="In your own words", value=request.text),
        )
        return Form(verb="report", title="Report a problem", submit="Report", fields=fields)

    def _about(self, request: Request, bare: Form, preview: Callable[[Incident], tuple[Text, ...]]) -> Form | None:
        """A form about one incident; with none known, one field more asks for it, and with none at all there is no form."""
        incident = self._finder.living(request)
        if incident is not None:
            title = f"{bare.title}: {incident.name}"
            return replace(bare, title=title, about=preview(incident), incident=incident.id)
        if request.incident or request.target:
            return replace(bare, incident=request.incident, target=request.target) if request.verb == "note" else None
        which = self._choice("target", "incident", "Which incident?", needed=True)
        return replace(bare, fields=(which, *bare.fields)) if which.options else None

    def _choice(self, name: str, what: str, label: str, value: str = "", *, needed: bool = False) -> Field:
        return Field(name=name, label=label, options=tuple(self._options(what)), value=value, needed=needed)

    def _resolving(self, incident: Incident) -> tuple[Text, ...]:
        if incident.members:
            return (preview(incident, "Closes"), ("One that gets worse, or is bad again, opens again.",))
        policy = self._house.services[incident.service].policy
        count = f", {counted(incident.numbers)}" if incident.numbers else ""
        return (
            (f"Closes {incident.id}: {incident.level} since ", When(incident.started_at, "date"), f"{count}."),
            (f"If it gets worse, or calms and is bad again within {lasted(policy.reopen_for)}, it opens again.",),
        )

    def _muting(self, incident: Incident) -> tuple[Text, ...]:
        quiet = f"The thread of {incident.id} goes on, but calls nobody and shows nothing to the whole channel, "
        which = (preview(incident, "Mutes"),) if incident.members else ()
        return (*which, (f"{quiet}until the time is up or it recovers. It still closes aloud.",))
