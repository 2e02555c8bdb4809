"""When a channel may be called next: back-off for one thread, probing for a silent platform, patience when refused.

Times are seconds of a clock that never jumps. Posts and edits are paced apart, so that a limit on edits delays no
opening.
"""

from __future__ import annotations

from collections import Counter

from bot.core.delivery import Step, lane

_FIRST = 0.5
_PROBE = 4.0
"""A platform that is down is asked this often, so that what waits is told within 5 s of its return."""
_LONGEST = 300.0
_EDIT_EVERY = 2.0
_BURST = 4
_REFUSALS, _REFUSED_PAUSE = 3, 60.0
"""After so many refusals in a row one call a minute is enough: platforms ban those who go on knocking."""


class Pace:
    """The memory of how calls to one channel went; `every` is the seconds a platform wants between calls of a lane."""

    def __init__(self, every: float = 0.0) -> None:
        self.every = every
        self._tries: Counter[str] = Counter()
        self._first_failure: dict[str, float] = {}
        self._not_before: dict[str, float] = {}
        self._lanes: dict[str, float] = {}
        self._edited: dict[str, float] = {}
        self._failures = 0
        self._refusals = 0
        self._worked_at = float("-inf")
        self._spent: dict[str, float] = {}

    def due(self, incident: str, step: Step) -> float:
        """When this step of this incident's thread may be tried."""
        calm = self._spent.get(lane(step), 0.0) - _BURST * self.every
        at = max(self._not_before.get(incident, 0.0), self._lanes.get(lane(step), 0.0), calm)
        return max(at, self._edited.get(incident, 0.0)) if step.do == "edit" else at

    def called(self, step: Step, now: float) -> None:
        """A call is made: a few may follow each other at once, more of them only as fast as the platform likes."""
        self._spent[lane(step)] = max(self._spent.get(lane(step), 0.0), now) + self.every

    def turn(self, incident: str) -> int:
        """What goes first while the platform is silent: whoever tried least, so that one bad thread blocks no other."""
        return self._tries[incident] if self._failures else 0

    def worked(self, incident: str, now: float) -> None:
        """A call went well."""
        self._failures = self._refusals = 0
        self._worked_at = now
        self._edited[incident] = now + _EDIT_EVERY
        self._tries.pop(incident, None)
        self._first_failure.pop(incident, None)
        self._not_before.pop(incident, None)

    def failed(self, incident: str, step: Step, now: float, after: float | None) -> None:
        """A call may work later: wait as long as we were asked to, else back off."""
        if after is not None:
            self._lanes[lane(step)] = now + max(after, _FIRST)
            return
        self._failures += 1
        tries = self._tries[incident] = self._tries[incident] + 1
        alone = self._worked_at > self._first_failure.setdefault(incident, now)
        self._not_before[incident] = now + min(_backed_off(tries), _LONGEST if alone else _PROBE)
        self._lanes[lane(step)] = now + min(_backed_off(self._failures), _PROBE)

    def refused(self, now: float) -> None:
        """A call will never work this way."""
        self._refusals += 1
        if self._refusals >= _REFUSALS:
            self._lanes = dict.fromkeys(("news", "looks"), now + _REFUSED_PAUSE)

    def wait(self, incident: str, until: float) -> None:
        """Leave one thread alone until then."""
        self._not_before[incident] = until

    def anew(self) -> None:
        """A person mended something: nothing waits any longer."""
        self._tries.clear()
        self._not_before.clear()
        self._lanes.clear()
        self._failures = self._refusals = 0

    def forget(self, incident: str) -> None:
        """This thread is at rest."""
        self._edited.pop(incident, None)


def _backed_off(failures: int) -> float:
    """Twice as long each time, but a day of failures is not a number of a thousand digits."""
    return float(_FIRST * 2 ** min(failures, 16))
