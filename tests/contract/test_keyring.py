"""The secret that hides reporters: made once, changed in time, and destroyed for good."""

import stat
from datetime import UTC, datetime, timedelta

import pytest

from bot.ports import Refused
from bot.stores.keyring import Keyring

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
MONTH = timedelta(days=30)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "reporter.key"


def test_the_key_is_made_once_and_is_for_its_owner_alone(path):
    key = Keyring(path, MONTH, NOW).current
    assert len(key) == 32
    assert Keyring(path, MONTH, NOW + timedelta(days=3)).current == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_without_a_day_is_kept_and_dated_when_it_is_first_seen(path):
    path.write_bytes(b"k" * 32)
    ring = Keyring(path, MONTH, NOW)
    assert (ring.current, ring.until) == (b"k" * 32, NOW + MONTH)
    assert Keyring(path, MONTH, NOW + timedelta(days=9)).until == NOW + MONTH


@pytest.mark.parametrize("body", [b"short", b"k" * 32 + b"\nsome day\n", b""])
def test_what_is_no_key_is_refused(path, body):
    path.write_bytes(body)
    with pytest.raises(Refused, match="is not a key: delete it"):
        Keyring(path, MONTH, NOW)


def test_a_key_that_cannot_be_kept_is_refused(path):
    path.write_bytes(b"k" * 32)
    with pytest.raises(Refused, match="cannot keep the reporter key"):
        Keyring(path / "deeper", MONTH, NOW)


def test_a_month_makes_a_new_key_and_two_days_more_destroy_the_old(path):
    ring = Keyring(path, MONTH, NOW)
    first = ring.current
    assert not ring.turn(NOW + MONTH - timedelta(seconds=1))
    assert ring.turn(NOW + MONTH)
    assert ring.former == first
    assert ring.current != first
    later = Keyring(path, MONTH, NOW + MONTH + timedelta(days=1))  # a restart between
    assert (later.current, later.former) == (ring.current, first)
    assert stat.S_IMODE(path.with_name("reporter.key.old").stat().st_mode) == 0o600
    assert not later.turn(NOW + MONTH + timedelta(hours=49))
    assert later.turn(NOW + MONTH + timedelta(hours=50))
    assert later.former == b""
    assert not [file for file in path.parent.iterdir() if first in file.read_bytes()]


def test_a_stop_between_the_two_files_loses_no_key(path):
    first = Keyring(path, MONTH, NOW).current
    path.replace(path.with_name("reporter.key.old"))
    ring = Keyring(path, MONTH, NOW + MONTH)
    assert ring.former == first
    assert ring.current != first


def test_a_replay_has_a_fixed_key_that_never_changes():
    ring = Keyring(None, MONTH, NOW)
    assert not ring.turn(NOW + 100 * MONTH)
    assert ring.until is None
