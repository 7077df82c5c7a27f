"""What fills the inbox: pipes, recordings as if they were live, and by which words they are asked for."""

import io
import sys
import time

import numpy as np
import pytest

from helpers.recordings import saved
from helpers.sound_card import FakeSoundDevice
from helpers.streams import Clock
from soundfix.errors import AudioFileError, ConfigError
from soundfix.streaming.card import Card
from soundfix.streaming.inbox import Inbox
from soundfix.streaming.receiver import Receiver
from soundfix.streaming.sources import Pipe, Player, Shape, open_source

STEREO = Shape(sample_rate=8000.0, channels=2)


def all_of(inbox):
    blocks, deadline = [], time.monotonic() + 5
    while not inbox.is_over and time.monotonic() < deadline:
        blocks += inbox.take(0.05)
    return blocks


class Trickle(io.BytesIO):
    """A pipe that gives a few bytes at a time, as pipes do."""

    def read(self, count=-1):
        return super().read(min(count, 7))


def test_a_pipe_is_read_to_its_end(rng):
    whole = rng.integers(-(2**15), 2**15, (500, 2)).astype("<i2")
    inbox = Inbox()
    Pipe(Trickle(whole.tobytes() + b"x"), STEREO, inbox)
    blocks = all_of(inbox)
    np.testing.assert_array_equal(np.concatenate([each.sound for each in blocks]), whole.astype(np.float32) / 2**15)
    assert {(each.sample_rate, each.microphones, each.first_sample) for each in blocks} == {(8000.0, None, None)}


def test_a_recording_takes_as_long_as_it_lasts(tmp_path, rng):
    sound = rng.uniform(-1, 1, (4000, 3)).astype(np.float32)
    path, clock, inbox, slept = saved(tmp_path / "x.wav", sound), Clock(), Inbox(), []

    def sleep(seconds):
        slept.append(seconds)
        clock.now += seconds

    Player(path, inbox, clock, sleep)
    blocks = all_of(inbox)
    np.testing.assert_array_equal(np.concatenate([each.sound for each in blocks]), sound)
    assert sum(slept) == pytest.approx(0.25)
    assert len(blocks) == 5


def test_of_a_recording_nothing_is_lost_where_nobody_has_time(tmp_path, rng):
    sound = rng.uniform(-1, 1, (4000, 3)).astype(np.float32)
    inbox = Inbox(most=2000)
    Player(saved(tmp_path / "x.wav", sound), inbox, Clock(), lambda _: None)
    time.sleep(0.2)
    assert sum(len(each.sound) for each in all_of(inbox)) == 4000
    assert inbox.dropped == 0


def test_a_player_that_is_closed_stops(tmp_path):
    inbox = Inbox()
    one = Player(saved(tmp_path / "x.wav", np.zeros((10**6, 1), np.float32)), inbox)
    one.close()
    assert len(all_of(inbox)) <= 2


def test_by_which_words(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", fake := FakeSoundDevice())
    path = saved(tmp_path / "x.wav", np.zeros((100, 2), np.float32))
    for text, kind in (
        ("-", Pipe), ("card", Card), ("card:USB Audio", Card), ("udp://localhost:0", Receiver), (str(path), Player)
    ):  # fmt: skip
        source = open_source(text, STEREO, Inbox(), io.BytesIO)
        assert isinstance(source, kind)
        source.close()
    assert [each.options["device"] for each in fake.streams] == [None, "USB Audio"]
    assert fake.streams[0].options["channels"] == 2


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(AudioFileError, match="no such file"):
        open_source(str(tmp_path / "no.wav"), STEREO, Inbox(), io.BytesIO)
    with pytest.raises(ConfigError, match="wanted tcp"):
        open_source("http://x", STEREO, Inbox(), io.BytesIO)


def test_shapes_that_cannot_be():
    with pytest.raises(ConfigError, match="0 channels"):
        Shape(sample_rate=8000.0, channels=0)
    with pytest.raises(ConfigError, match="'mp3'"):
        Shape(sample_rate=8000.0, channels=1, sample_format="mp3")
