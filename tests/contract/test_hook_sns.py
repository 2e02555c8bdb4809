"""Amazon SNS: signatures as Amazon makes them, and nobody led anywhere by a message."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID
from doubles.senders import NOW, capture
from pydantic import ValidationError

from bot.core.model import Health
from bot.ports import Forbidden, Letter, Reply, Retry, Unreachable
from bot.sources.sns import Sns

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
SUBSCRIBE = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def pem(*, curve: bool = False, old: bool = False) -> bytes:
    signer = ec.generate_private_key(ec.SECP256R1()) if curve else key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begins = NOW - timedelta(days=800 if old else 30)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signer.public_key())
        .serial_number(7)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365))
        .sign(signer, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


class Amazon:
    """The host of SNS, as far as a subscriber meets it; `visited` are the addresses asked for."""

    def __init__(self, certificate: bytes | None = None, status: int = 200, *, gone: bool = False) -> None:
        self.certificate = pem() if certificate is None else certificate
        self.status = status
        self.gone = gone
        self.visited: list[str] = []

    async def get(self, url: str, **options: Any) -> Reply:
        assert options["redirects"] == 0
        self.visited.append(url)
        if self.gone:
            raise Unreachable("timeout", "no answer within 10 s")
        body = self.certificate if url.endswith(".pem") else b"<ConfirmSubscriptionResponse/>"
        return Reply(status=self.status, url=url, headers={}, body=body, elapsed=0.1)


def message(kind: str = "Notification", version: str = "2", **changes: Any) -> dict[str, Any]:
    """A message of the topic, before it is signed."""
    said = {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": capture("sns/alarm.json").decode(),
        "Timestamp": "2026-03-01T11:57:02.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
    }
    if kind != "Notification":
        said |= {"Token": "2336412f37", "SubscribeURL": SUBSCRIBE}
    return {**said, **changes}


def signed(said: dict[str, Any]) -> bytes:
    """The message as Amazon sends it: signed over `Key\\nValue\\n` of certain keys in order."""
    fields = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    if said["Type"] == "Notification":
        fields = [f for f in fields if f not in ("SubscribeURL", "Token")]
    text = "".join(f"{f}\n{said[f]}\n" for f in fields if f in said)
    digest = hashes.SHA1() if said["SignatureVersion"] == "1" else hashes.SHA256()
    signature = base64.b64encode(key().sign(text.encode(), PKCS1v15(), digest)).decode()
    return json.dumps({**said, "Signature": signature}).encode()


def sns(**fields: Any) -> Sns:
    return Sns.model_validate({"kind": "sns", "topic": TOPIC, **fields})


def letter(body: bytes, **query: str) -> Letter:
    return Letter(at=NOW, body=body, headers={"content-type": "text/plain; charset=UTF-8"}, query=query)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [None, 'ALARM: "checkout-5xx"'])
async def test_an_alarm_with_a_good_signature_fires(version: str, subject: str | None) -> None:
    amazon = Amazon()
    more = {} if subject is None else {"Subject": subject}
    [alert] = (await sns().hear(letter(signed(message(version=version, **more))), amazon)).alerts
    assert (alert.key, alert.health) == (
        "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout-5xx",
        Health.DEGRADED,
    )
    assert alert.title == "checkout-5xx: More than 5 % of check-outs fail"
    assert alert.at == alert.started == datetime(2026, 3, 1, 11, 57, tzinfo=UTC)
    assert amazon.visited == [CERTIFICATE]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ok.json", [Health.OPERATIONAL]),
        ("no-data.json", []),
        ("health-open.json", [Health.PARTIAL_OUTAGE]),
        ("health-closed.json", [Health.OPERATIONAL]),
    ],
)
async def test_what_a_notification_carries_is_read(name: str, expected: list[Health]) -> None:
    body = signed(message(Message=capture(f"sns/{name}").decode()))
    found = await sns(means="partial_outage").hear(letter(body), Amazon())
    assert [a.health for a in found.alerts] == expected


@pytest.mark.parametrize("words", ["The disk is full", "[1, 2]", "", '{"a": 1}'])
async def test_a_message_that_is_no_alarm_counts_for_nothing(words: str) -> None:
    assert (await sns().hear(letter(signed(message(Message=words))), Amazon())).alerts == ()


async def test_the_certificate_is_fetched_once() -> None:
    amazon, hook = Amazon(), sns()
    for _ in range(3):
        await hook.hear(letter(signed(message())), amazon)
    assert amazon.visited == [CERTIFICATE]


async def test_a_subscription_to_a_configured_topic_is_confirmed() -> None:
    amazon = Amazon()
    assert (await sns().hear(letter(signed(message("SubscriptionConfirmation"))), amazon)).alerts == ()
    assert amazon.visited == [CERTIFICATE, SUBSCRIBE]


async def test_an_end_of_the_subscription_is_not_undone() -> None:
    amazon = Amazon()
    await sns().hear(letter(signed(message("UnsubscribeConfirmation"))), amazon)
    assert amazon.visited == [CERTIFICATE]


OTHERS = {
    "another topic": {"TopicArn": TOPIC.replace("alarms", "theirs")},
    "another account": {"TopicArn": TOPIC.replace("123456789012", "999999999999")},
    "no topic": {"TopicArn": None},
    "an hour old": {"Timestamp": "2026-03-01T10:59:59Z"},
    "from the future": {"Timestamp": "2026-03-01T13:00:01Z"},
    "at no time": {"Timestamp": "soon"},
    "version 3": {"SignatureVersion": "3"},
    "another type": {"Type": "Advertisement"},
    "a list for a message": {"Message": ["a"]},
    "not https": {"SigningCertURL": CERTIFICATE.replace("https", "http")},
    "another host": {"SigningCertURL": "https://example.com/a.pem"},
    "a host that looks alike": {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.example.com/a.pem"},
    "a host of another region": {"SigningCertURL": CERTIFICATE.replace("eu-west-1", "us-east-1")},
    "a bucket": {"SigningCertURL": "https://sns.eu-west-1.s3.amazonaws.com/a.pem"},
    "a user name": {
        "SigningCertURL": CERTIFICATE.replace("https://", "https://sns.eu-west-1.amazonaws.com@example.com/")
    },
    "a port": {"SigningCertURL": CERTIFICATE.replace(".com/", ".com:8443/")},
    "a backslash": {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com\\@example.com/a.pem"},
    "a way up": {"SigningCertURL": f"{HOST}/../a.pem"},
    "no certificate": {"SigningCertURL": f"{HOST}/?Action=ConfirmSubscription"},
    "the inside": {"SigningCertURL": "http://169.254.169.254/latest/meta-data/a.pem"},
    "no address": {"SigningCertURL": 7},
}


@pytest.mark.parametrize("case", OTHERS)
async def test_a_message_that_is_not_for_us_leads_nobody_anywhere(case: str) -> None:
    amazon = Amazon()
    said = {**message("SubscriptionConfirmation"), **OTHERS[case]}
    body = signed({**said, "Type": str(said["Type"])})
    with pytest.raises(Forbidden):
        await sns().hear(letter(body), amazon)
    assert amazon.visited == []


SPOILED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "the message": lambda s: s | {"Message": s["Message"].replace("ALARM", "OK")},
    "the time": lambda s: s | {"Timestamp": "2026-03-01T11:57:03.000Z"},
    "the token": lambda s: s | {"Token": "x"},
    "the version": lambda s: s | {"SignatureVersion": "1"},
    "the signature": lambda s: s | {"Signature": base64.b64encode(bytes(256)).decode()},
    "no base64": lambda s: s | {"Signature": "%%%"},
    "no signature, as with raw delivery": lambda s: {k: v for k, v in s.items() if k != "Signature"},
    "the address to visit": lambda s: s | {"SubscribeURL": SUBSCRIBE + "&x=1"},
}


@pytest.mark.parametrize("case", SPOILED)
async def test_a_message_changed_on_the_way_confirms_nothing(case: str) -> None:
    amazon = Amazon()
    said = json.loads(signed(message("SubscriptionConfirmation")))
    with pytest.raises(Forbidden):
        await sns().hear(letter(json.dumps(SPOILED[case](said)).encode()), amazon)
    assert SUBSCRIBE not in amazon.visited


@pytest.mark.parametrize(
    "url",
    [
        SUBSCRIBE.replace("Confirm", "Delete"),
        SUBSCRIBE.replace(":alarms", ":theirs"),
        SUBSCRIBE.replace("eu-west-1.amazonaws", "eu-west-1.example"),
        SUBSCRIBE.replace("/?", "/x?"),
        "http://127.0.0.1:8080/",
    ],
)
async def test_even_a_signed_address_must_be_the_one_that_confirms(url: str) -> None:
    amazon = Amazon()
    with pytest.raises(Forbidden):
        await sns().hear(letter(signed(message("SubscriptionConfirmation", SubscribeURL=url))), amazon)
    assert amazon.visited == [CERTIFICATE]


@pytest.mark.parametrize("certificate", [b"", b"no certificate", pem(curve=True), pem(old=True)])
async def test_a_certificate_that_is_none_proves_nothing(certificate: bytes) -> None:
    with pytest.raises(Forbidden):
        await sns().hear(letter(signed(message())), Amazon(certificate))


@pytest.mark.parametrize("amazon", [Amazon(gone=True), Amazon(status=503)])
async def test_amazon_out_of_reach_is_for_later(amazon: Amazon) -> None:
    with pytest.raises(Retry):
        await sns().hear(letter(signed(message())), amazon)


async def test_a_secret_may_be_asked_for_as_well() -> None:
    hook = sns(secret="both")
    await hook.hear(letter(signed(message()), key="both"), Amazon())
    with pytest.raises(Forbidden, match="secret"):
        await hook.hear(letter(signed(message())), Amazon())


@pytest.mark.parametrize("topic", ["alarms", "", [], ["x"], 7, "arn:aws:sqs:eu-west-1:123456789012:alarms"])
def test_a_topic_is_an_arn(topic: object) -> None:
    with pytest.raises(ValidationError, match="write its ARN"):
        sns(topic=topic)


async def test_china_has_a_host_of_its_own() -> None:
    topic = "arn:aws-cn:sns:cn-north-1:123456789012:alarms"
    url = CERTIFICATE.replace("eu-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")
    body = signed(message(TopicArn=topic, SigningCertURL=url))
    assert (await sns(topic=[TOPIC, topic]).hear(letter(body), Amazon())).alerts
