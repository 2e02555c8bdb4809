"""People: a command, a button or a form becomes an event and an answer, whichever chat or page it came from.

Reads answer from what is in memory; writes leave a line in the thread. What a person typed never raises.
"""

from bot.desk.desk import Desk
from bot.desk.forms import WITH_FORM
from bot.desk.rooms import Origin, Rooms

__all__ = ["WITH_FORM", "Desk", "Origin", "Rooms"]
