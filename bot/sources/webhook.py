"""Any program that can post JSON: what means what is written in the configuration."""

from __future__ import annotations

from typing import Literal

from bot.core.alerts import Alert
from bot.ports import Forbidden, Letter
from bot.sources.letters import decoded, scalar
from bot.sources.mapped import Mapped
from bot.sources.paths import JsonPath, Path, first
from bot.sources.seals import keyed, plain_keys, signed


class Webhook(Mapped):
    """Alerts of any program that posts JSON.

    Without any path it reads `{"key": ..., "state": "firing" or "resolved", "title": ..., "severity": ..., "url": ...}`.
    For Google Cloud Monitoring, say, write `key: incident.incident_id`, `state: incident.state`, `title:
    incident.summary`, `url: incident.url`. A state that is in neither list is refused, so that a mistake shows at once.
    The sender shows the secret as `?key=...`, as a bearer token or in `X-Tocsin-Key`; or it signs the body with it, when
    `signature_header` is given.
    """

    kind: Literal["webhook"]
    """The word that says what this watch is."""
    id: JsonPath = Path("id")
    """The name of the message, if it has one: the same message again changes nothing."""
    signature_header: str = ""
    """A header with the HMAC-SHA256 of the body in hex, such as `X-Hub-Signature-256`."""
    signature_prefix: str = "sha256="
    """What stands before the signature in that header, if anything does."""

    def prove(self, letter: Letter) -> None:
        """A signature where one is configured, else the secret itself."""
        if not self.signature_header:
            keyed(letter, self.secret)
            return
        given = letter.headers.get(self.signature_header.lower(), "")
        if not given.startswith(self.signature_prefix):
            raise Forbidden(f"there is no signature in {self.signature_header}")
        signed([given.removeprefix(self.signature_prefix)], letter.body, plain_keys(self.secret))

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read by the paths; what they do not lead to is told."""
        said = decoded(letter.body)
        found = self.news(said, name=scalar(first(said, self.id)))
        if not found:
            self._complain(self.states(said))
        return found

    def _complain(self, states: list[str]) -> None:
        """Say what is missing; an alert that counts for nothing is no mistake.

        Raises:
            ValueError: there is no state, or one that is in neither list.
        """
        if not any(states):
            raise ValueError("the body does not say whether it fires: nothing is found at the path `state`")
        words = {state.lower() for state in states if state}
        if not any(self.says(word) for word in words):
            raise ValueError(f"the state {min(words)[:50]!r} is in neither `firing` nor `resolved`")


PLUGIN = Webhook
