"""Words typed after /incident become requests."""

import pytest

from bot.core.model import Person, Request
from bot.core.speech import meant, understood

ANNA = Person(chat="slack", id="U1", name="Anna")
SERVICES = {"twitter": "twitter", "x": "twitter", "google cloud": "gcp", "gcp": "gcp"}


def read(words: str, verb: str = "") -> tuple[str, str, str]:
    request = understood(Request(verb=verb, who=ANNA, text=words), lambda w: SERVICES.get(w.lower()))
    return request.verb, request.target, request.text


@pytest.mark.parametrize(
    ("words", "verb", "target", "text"),
    [
        ("", "help", "", ""),
        ("status", "status", "", ""),
        ("status Twitter", "status", "twitter", ""),
        ("STATUS google cloud", "status", "gcp", ""),
        ("twitter", "status", "twitter", ""),
        ("ack", "ack", "", ""),
        ("acknowledge twitter-20221104-0307 on it", "ack", "twitter-20221104-0307", "on it"),
        ("resolve fixed by the vendor", "resolve", "", "fixed by the vendor"),
        ("resolve x fixed by the vendor", "resolve", "twitter", "fixed by the vendor"),
        ("note google cloud is back in Iowa", "note", "gcp", "is back in Iowa"),
        ("report twitter login broken", "report", "twitter", "login broken"),
        ("report twiter login", "report", "twiter", "login"),
        ("dance", "dance", "", ""),
    ],
)
def test_words_are_told_apart_into_verb_target_and_text(words, verb, target, text):
    assert read(words) == (verb, target, text)


def test_a_short_command_brings_its_verb_and_its_words_name_the_target():
    assert read("twitter cannot log in", verb="report") == ("report", "twitter", "cannot log in")


def test_a_target_that_came_with_the_request_is_kept():
    request = Request(verb="note", who=ANNA, target="twitter", text="twitter is odd")
    assert understood(request, SERVICES.get) == request


@pytest.mark.parametrize(("typed", "verb"), [("stauts", "status"), ("reslove", "resolve"), ("zzz", "")])
def test_a_mistyped_verb_finds_the_one_that_was_meant(typed, verb):
    assert meant(typed) == verb


def test_in_a_thread_a_note_keeps_all_its_words():
    request = Request(verb="note", who=ANNA, text="twitter is odd", incident="gcp-20260101-0000")
    assert understood(request, SERVICES.get) == request
