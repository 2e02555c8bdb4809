"""The doors of the house: what each room may ask of another, and the two kinds of failure.

Third-party exceptions stop at the adapter behind a door and become `Retry` (later) or `Refused` (a person must act).
"""

from bot.ports.chats import Called, Chat, Desk, Listener, Place, Word
from bot.ports.keeping import Counted, Store, Stream
from bot.ports.rooms import Board, Forgetting, Hearing, Intake, Ledger, Receipt, Vantages
from bot.ports.sources import Count, Errand, Feed, Gathered, Heard, Hook, Letter, Overheard, Source, Watch, Wire
from bot.ports.trouble import Conflict, Forbidden, Gone, Missing, Refused, Retry
from bot.ports.world import Clock, Http, Reached, Reply, Unreachable

__all__ = [
    "Board",
    "Called",
    "Chat",
    "Clock",
    "Conflict",
    "Count",
    "Counted",
    "Desk",
    "Errand",
    "Feed",
    "Forbidden",
    "Forgetting",
    "Gathered",
    "Gone",
    "Heard",
    "Hearing",
    "Hook",
    "Http",
    "Intake",
    "Ledger",
    "Letter",
    "Listener",
    "Missing",
    "Overheard",
    "Place",
    "Reached",
    "Receipt",
    "Refused",
    "Reply",
    "Retry",
    "Source",
    "Store",
    "Stream",
    "Unreachable",
    "Vantages",
    "Watch",
    "Wire",
    "Word",
]
