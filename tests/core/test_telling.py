"""Complaints are told from jokes, denials and sales in seven languages; the figures are those of `python -m bench.telling`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.telling import LABELLED, labelled, scores
from bot.core.mentions import Mentions
from bot.core.places import PLATFORMS, SYMPTOMS
from bot.core.telling import tell

LANGUAGES = ("de", "en", "es", "fr", "hi", "ja", "pt")


def test_the_labelled_lines_are_many_and_different() -> None:
    texts = [text for part in ("dev", "held") for *_, text in labelled(part)]
    assert len(texts) >= 300
    assert len(set(texts)) == len(texts)
    assert sorted(file.stem for file in LABELLED.glob("*.yaml")) == list(LANGUAGES)


@pytest.mark.parametrize(
    ("part", "precision", "recall", "symptom"), [("dev", 0.98, 0.98, 0.95), ("held", 0.97, 0.92, 0.95)]
)
def test_complaints_are_told_from_the_rest(part: str, precision: float, recall: float, symptom: float) -> None:
    score = scores(part)["all"]
    assert score.precision >= precision
    assert score.recall >= recall
    assert score.symptom >= symptom


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_is_left_behind(language: str) -> None:
    score = scores("held")[language]
    assert score.precision >= 0.9
    assert score.recall >= 0.84


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("X is down", "complaint"),
        ("is X down?", "question"),
        ("X is not down", "fine"),
        ("X is back up", "fine"),
        ("X was back up, now it is down again", "complaint"),
        ("X works for me on the phone but the website won't load", "complaint"),
        ("I'm so down for X tonight", "none"),
        ("https://down.example.com/is-it-down @downdetector", "none"),
        ("X down? Join our channel", "advert"),
        ("", "none"),
    ],
)
def test_what_decides_is_what_is_left_when_other_meanings_are_taken_out(text: str, kind: str) -> None:
    assert tell(text).kind == kind


def test_only_what_counts_has_a_symptom_and_a_platform() -> None:
    told = tell("can't log in to X on my iPhone")
    assert (told.symptom, told.platform) == ("login", "ios")
    assert tell("logging in to X on my iPhone is nice") == tell("lovely weather")


def test_accents_and_width_and_case_do_not_matter() -> None:
    assert tell("X NAO ESTA FUNCIONANDO").kind == tell("X não está funcionando").kind == "complaint"
    assert tell("Ｘ ｉｓ　ｄｏｗｎ").kind == "complaint"  # noqa: RUF001 - it is the wide letters that are tested


@settings(max_examples=1000, deadline=None)
@given(st.text(max_size=800))
def test_any_text_is_read(text: str) -> None:
    told = tell(text)
    assert told.kind in ("complaint", "question", "fine", "advert", "none")
    assert told.symptom in ("", *SYMPTOMS)
    assert told.platform in ("", *PLATFORMS)


# Mentions


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("is Twitter down?", {"twitter"}),
        ("down, twitter is", {"twitter"}),
        ("#TwitterDown", {"twitter"}),
        ("twitterdown it is", {"twitter"}),
        ("Twitter is nice", set()),
        ("untwitterly down", set()),
        ("ツイッター落ちてる", {"twitter"}),
        ("twitterが落ちた down", {"twitter"}),
        ("github and twitter are down", {"github", "twitter"}),
        ("", set()),
    ],
)
def test_a_phrase_is_named_by_all_of_its_words(text: str, named: set[str]) -> None:
    mentions = Mentions({"twitter": ["twitter down", "ツイッター落ち"], "github": ["GitHub"]})
    assert mentions.find(text) == named


def test_a_phrase_without_a_single_word_names_nothing() -> None:
    assert Mentions({"x": ["", "!!", " "]}).find("anything at all!!") == set()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300), st.text(max_size=30))
def test_a_phrase_is_found_in_any_text_that_ends_in_it(text: str, phrase: str) -> None:
    found = Mentions({"it": [phrase]}).find(f"{text} {phrase}")
    assert found <= {"it"}
    assert found or not any(c.isalnum() and c.isascii() for c in phrase)
