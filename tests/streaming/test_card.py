"""A sound card that is not there: unplugged, plugged in again, and what becomes of time."""

import sys
import time

import numpy as np
import pytest

from helpers.sound_card import FakeSoundDevice
from helpers.streams import Clock
from soundfix.errors import ConfigError, MissingPackageError
from soundfix.streaming import card
from soundfix.streaming.inbox import Inbox

RATE = 16_000.0


@pytest.fixture
def package(monkeypatch):
    fake = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr(card, "AGAIN_S", 0.02)
    return fake


def until(is_so):
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_it_gives_is_put_into_the_inbox(package):
    inbox = Inbox()
    one = card.Card("USB", RATE, 2, inbox, Clock())
    package.streams[0].give(np.full((320, 2), 0.5))
    package.streams[0].give(np.full((320, 2), 0.25))
    blocks = inbox.take(0.0)
    assert [(each.first_sample, each.sample_rate, each.microphones) for each in blocks] == [
        (0, RATE, None),
        (320, RATE, None),
    ]
    assert (blocks[0].sound == 0.5).all()  # a copy: the card's buffer is used again
    options = package.streams[0].options
    assert (options["device"], options["samplerate"], options["channels"], options["dtype"]) == (
        "USB",
        RATE,
        2,
        "float32",
    )
    one.close()
    assert not package.streams[0].is_open
    assert inbox.is_over


def test_unplugged_and_plugged_in_again_it_is_where_time_is(package):
    clock, inbox = Clock(), Inbox()
    one = card.Card(None, RATE, 1, inbox, clock)
    clock.now = 0.02
    package.streams[0].give(np.ones((320, 1)))
    package.is_plugged = False
    clock.now = 1.5
    until(lambda: package.restarts > 2)
    package.is_plugged, clock.now = True, 10.0
    until(lambda: len(package.streams) == 2 and package.streams[1].is_open)
    until(lambda: "back" in " ".join(said := inbox.sentences()) or said)
    clock.now = 10.02
    package.streams[1].give(np.ones((320, 1)))
    first, second = inbox.take(0.0)
    assert first.first_sample == 0
    assert second.first_sample == pytest.approx(10.0 * RATE, abs=5)
    one.close()


def test_it_says_what_happens(package):
    clock, inbox = Clock(), Inbox()
    one = card.Card(None, RATE, 1, inbox, clock)
    clock.now = 5.0
    until(lambda: len(package.streams) > 1)
    one.close()
    said = inbox.sentences()
    assert said[:2] == ["sound card: nothing comes; is it unplugged?", "sound card: it is back"]


def test_samples_that_it_lost_are_counted(package):
    clock, inbox = Clock(), Inbox()
    one = card.Card(None, RATE, 1, inbox, clock)
    clock.now = 0.02
    package.streams[0].give(np.ones((320, 1)))
    clock.now = 0.52
    package.streams[0].give(np.ones((320, 1)), overflow=True)
    assert [each.first_sample for each in inbox.take(0.0)] == [0, 8000]
    assert "lost" in inbox.sentences()[0]
    one.close()


def test_a_card_that_cannot_be_opened(package):
    package.is_plugged = False
    with pytest.raises(ConfigError, match=r"sound card USB gives no 9 channels at 16000 Hz: Error querying device"):
        card.Card("USB", RATE, 9, Inbox())


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'soundfix\[live\]'"):
        card.sounddevice()


def test_without_portaudio(monkeypatch):
    def missing(name):
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(card, "import_module", missing)
    with pytest.raises(ConfigError, match=r"PortAudio library not found.*libportaudio2"):
        card.sounddevice()
