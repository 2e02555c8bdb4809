"""Amazon SNS over HTTPS, carrying CloudWatch alarms and AWS Health events.

The signature is checked as the SNS developer guide says ("Verifying the signatures of Amazon SNS messages"): with the
certificate that the message names, which is believed only from SNS' own host in the region of the topic.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator, PrivateAttr, WithJsonSchema

from bot.core.alerts import Alert
from bot.core.model import Health
from bot.ports import Forbidden, Heard, Http, Letter, Retry, Unreachable
from bot.sources.letters import Told, alert, document, scalar
from bot.sources.seals import Secrets, keyed, recent
from bot.sources.times import moment
from bot.sources.wire import mapping, rows, word

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_OLDEST = timedelta(hours=1)
_MOST_KEYS = 8
_TOPIC = re.compile(r"arn:aws(-[a-z-]+)?:sns:([a-z0-9-]+):\d{12}:[A-Za-z0-9_.-]{1,256}")
_CERTIFICATE = re.compile(r"/[A-Za-z0-9_-]{1,100}\.pem")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_ALARMS = {"ALARM": True, "OK": False}


def topics(value: object) -> tuple[str, ...]:
    """Read one topic or a list of them.

    Raises:
        ValueError: when one is not the ARN of a topic.
    """
    given = value if isinstance(value, list | tuple) else [value]
    if not given or not all(isinstance(one, str) and _TOPIC.fullmatch(one) for one in given):
        raise ValueError("this is not a topic; write its ARN, like arn:aws:sns:eu-west-1:123456789012:alarms")
    return tuple(given)


_ARN = {"type": "string", "pattern": f"^{_TOPIC.pattern}$"}
Topics = Annotated[
    tuple[str, ...], BeforeValidator(topics), WithJsonSchema({"anyOf": [_ARN, {"type": "array", "items": _ARN}]})
]


class Sns(Told):
    """Alarms out of Amazon SNS: an HTTPS subscription of a topic that points here, without raw message delivery.

    Its messages are signed by Amazon, and a subscription is confirmed by itself, both only for the topics named here.
    CloudWatch alarms count while they are in ALARM; missing data changes nothing. AWS Health events count while open.
    """

    kind: Literal["sns"]
    """The word that says what this watch is."""
    topic: Topics
    """The ARN of the topic, or a list of them. A message of any other topic is refused."""
    secret: Secrets = ()
    """If given, the address must carry it too, as `?key=...`."""

    _keys: dict[str, Any] = PrivateAttr(default_factory=dict)

    async def hear(self, letter: Letter, http: Http) -> Heard:
        """Check the topic, then the signature, and only then believe a word or visit an address."""
        if self.secret:
            keyed(letter, self.secret)
        said = document(letter.body)
        await self._verify(said, letter.at, http)
        if said["Type"] == "SubscriptionConfirmation":
            await _confirm(said, http)
        return Heard(alerts=self.read(letter) if said["Type"] == "Notification" else ())

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read what a notification carries; messages that are no alarm say nothing."""
        said = document(letter.body)
        try:
            carried = document(said["Message"].encode())
        except ValueError:
            return ()
        name = scalar(said["MessageId"])
        if "AlarmName" in carried:
            return self._alarm(carried, name)
        return self._health(carried, name) if carried.get("source") == "aws.health" else ()

    async def _verify(self, said: Mapping[str, Any], now: datetime, http: Http) -> None:
        if word(said.get("TopicArn"), 400) not in self.topic:
            raise Forbidden("this is no message of a topic that this hook listens to; see `topic` in its configuration")
        fields, version = _SIGNED.get(scalar(said.get("Type"))), scalar(said.get("SignatureVersion"))
        if fields is None or version not in ("1", "2") or not all(isinstance(said.get(f, ""), str) for f in fields):
            raise Forbidden("this is no signed message of SNS; switch raw message delivery off")
        recent(moment(said.get("Timestamp")), now, _OLDEST)
        url = _checked(said.get("SigningCertURL"), said["TopicArn"], _CERTIFICATE)
        key = self._keys.get(url) or await _fetched(url, now, http)
        signed = "".join(f"{name}\n{said[name]}\n" for name in fields if name in said)
        if not _fits(key, word(said.get("Signature"), 2_000), signed, version):
            raise Forbidden("the signature does not fit the message")
        if len(self._keys) < _MOST_KEYS:
            self._keys[url] = key

    def _alarm(self, alarm: Mapping[str, Any], name: str) -> tuple[Alert, ...]:
        firing = _ALARMS.get(scalar(alarm.get("NewStateValue")))
        if firing is None:
            return ()
        at = moment(alarm.get("StateChangeTime"))
        title = f"{scalar(alarm['AlarmName'])}: {scalar(alarm.get('AlarmDescription') or alarm.get('NewStateReason'))}"
        key = scalar(alarm.get("AlarmArn")) or scalar(alarm["AlarmName"])
        health = Health[self.means.upper()] if firing else Health.OPERATIONAL
        return (alert(key, health, title=title, id=name, started=at if firing else None, at=at),)

    def _health(self, event: Mapping[str, Any], name: str) -> tuple[Alert, ...]:
        detail = mapping(event.get("detail"))
        category, status = scalar(detail.get("eventTypeCategory")), scalar(detail.get("statusCode"))
        means = {"issue": Health[self.means.upper()], "investigation": Health.DEGRADED}
        health = Health.OPERATIONAL if status == "closed" else means.get(category)
        if health is None or status == "upcoming":
            return ()
        told = next((mapping(row) for row in rows(detail.get("eventDescription"), 10)), {})
        region, code = scalar(event.get("region")), scalar(detail.get("eventTypeCode"))
        return (
            alert(
                scalar(detail.get("eventArn")) or f"{code} {region}",
                health,
                title=told.get("latestDescription") or f"{code} in {region}",
                id=name,
                started=moment(detail.get("startTime")),
                at=moment(event.get("time")),
            ),
        )


PLUGIN = Sns


def _checked(url: object, topic: str, path: re.Pattern[str]) -> str:
    """An address on SNS' own host in the topic's region, and nothing else: anything else might lead anywhere.

    Raises:
        Forbidden: it is something else.
    """
    address = word(url, 2_000)
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = f"sns.{topic.split(':')[3]}.amazonaws.com{'.cn' if topic.startswith('arn:aws-cn:') else ''}"
    # `netloc` and not `hostname`: a user name before the host, or another case, has no business here.
    if parts.scheme != "https" or parts.netloc != host or port or not path.fullmatch(parts.path):
        raise Forbidden(f"the message points to an address that is not of {host}")
    return address


async def _fetched(url: str, now: datetime, http: Http) -> RSAPublicKey:
    """The key of SNS' certificate; TLS is what says that it comes from there.

    Raises:
        Forbidden: there is no usable certificate.
        Retry: it cannot be fetched now.
    """
    try:
        reply = await http.get(url, limit=100_000, timeout=10.0, conditional=False, redirects=0)
    except Unreachable as exc:
        raise Retry(f"cannot fetch the certificate of SNS: {exc}") from exc
    if reply.status >= 500:
        raise Retry(f"cannot fetch the certificate of SNS: it answered {reply.status}")
    return _key(reply.body, now)


async def _confirm(said: Mapping[str, Any], http: Http) -> None:
    """Visit the address that confirms a subscription, whose message has been proved.

    Raises:
        Forbidden: the address is not SNS' own.
        Retry: it did not work now.
    """
    url = _checked(said["SubscribeURL"], said["TopicArn"], re.compile("/"))
    asked = parse_qs(urlsplit(url).query)
    if asked.get("Action") != ["ConfirmSubscription"] or asked.get("TopicArn") != [said["TopicArn"]]:
        raise Forbidden("the address to confirm the subscription asks for something else")
    try:
        reply = await http.get(url, limit=100_000, timeout=10.0, conditional=False, redirects=0)
    except Unreachable as exc:
        raise Retry(f"cannot confirm the subscription: {exc}") from exc
    if reply.status != 200:
        raise Retry(f"cannot confirm the subscription: SNS answered {reply.status}")


# `cryptography` takes 11 MB and a tenth of a second, and only this kind of watch needs it: it is loaded on first use.


def _key(pem: bytes, now: datetime) -> RSAPublicKey:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
    except ValueError as exc:
        raise Forbidden("the certificate that the message names cannot be read") from exc
    valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    if not isinstance(key, rsa.RSAPublicKey) or not valid:
        raise Forbidden("the certificate that the message names is not valid now")
    return key


def _fits(key: RSAPublicKey, signature: str, message: str, version: str) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415

    digest = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 - what version 1 is made of
    try:
        key.verify(base64.b64decode(signature, validate=True), message.encode(), PKCS1v15(), digest)
    except (InvalidSignature, ValueError):
        return False
    return True
