"""The nouns of the house, all frozen: compared by content, changed with `msgspec.structs.replace`.

Times are aware datetimes in UTC; durations are timedeltas. Levels are the names of the config's ladder, mildest
first; the empty string means calm.
"""

from bot.core.model.charts import Picture, Span
from bot.core.model.events import Acted, Event, Judged
from bot.core.model.evidence import Between, Evidence, Numbers, Reading, Scope, Share
from bot.core.model.incidents import Case, Confidence, Entry, Incident, Kind, Member, Peak, State
from bot.core.model.people import Answer, Field, Form, Person, Request
from bot.core.model.posts import Button, Fact, Head, Line, Source, Thread
from bot.core.model.services import Policy, Route, Service
from bot.core.model.signals import Health, Notice, Report, Signal
from bot.core.model.text import Bold, Part, Said, Text, When

__all__ = [
    "Acted",
    "Answer",
    "Between",
    "Bold",
    "Button",
    "Case",
    "Confidence",
    "Entry",
    "Event",
    "Evidence",
    "Fact",
    "Field",
    "Form",
    "Head",
    "Health",
    "Incident",
    "Judged",
    "Kind",
    "Line",
    "Member",
    "Notice",
    "Numbers",
    "Part",
    "Peak",
    "Person",
    "Picture",
    "Policy",
    "Reading",
    "Report",
    "Request",
    "Route",
    "Said",
    "Scope",
    "Service",
    "Share",
    "Signal",
    "Source",
    "Span",
    "State",
    "Text",
    "Thread",
    "When",
]
