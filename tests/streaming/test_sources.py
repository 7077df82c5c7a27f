"""What fills the inbox: pipes, recordings as if they were live, and by which words they are asked for."""

import io
import sys
import time

import numpy as np
import pytest

from helpers.recordings import saved
from helpers.sound_card import FakeSoundDevice
from helpers.streams import Clock
from soundfix.errors import AudioFileError, ConfigError, SceneError
from soundfix.files.take import read
from soundfix.microphones import Microphones
from soundfix.streaming.card import Card
from soundfix.streaming.inbox import Inbox
from soundfix.streaming.receiver import Receiver
from soundfix.streaming.sources import Pipe, Player, Shape, open_source, told

STEREO = Shape(sample_rate=8000.0, channels=2)


def all_of(inbox):
    blocks, deadline = [], time.monotonic() + 60
    while not inbox.is_over and time.monotonic() < deadline:
        blocks += inbox.take(0.05)
    return blocks


def take(folder, sound, rate=16_000):
    return read(saved(folder / "x.wav", sound, rate), np.eye(3)[: sound.shape[1]])


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
    clock, inbox, slept = Clock(), Inbox(), []

    def sleep(seconds):
        slept.append(seconds)
        clock.now += seconds

    Player(take(tmp_path, sound), inbox, clock, sleep)
    blocks = all_of(inbox)
    np.testing.assert_array_equal(np.concatenate([each.sound for each in blocks]), sound)
    assert sum(slept) == pytest.approx(0.25)
    assert len(blocks) == 5


def test_of_a_recording_nothing_is_lost_where_nobody_has_time(tmp_path, rng):
    sound = rng.uniform(-1, 1, (4000, 3)).astype(np.float32)
    inbox = Inbox(most=2000)
    Player(take(tmp_path, sound), inbox, Clock(), lambda _: None)
    time.sleep(0.2)
    assert sum(len(each.sound) for each in all_of(inbox)) == 4000
    assert inbox.dropped == 0


def test_a_player_that_is_closed_stops(tmp_path):
    inbox = Inbox()
    one = Player(take(tmp_path, np.zeros((10**6, 3), np.float32)), inbox)
    one.close()
    assert len(all_of(inbox)) <= 2


def test_by_which_words(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", fake := FakeSoundDevice())
    saved(tmp_path / "x.wav", np.zeros((100, 3), np.float32))
    three, path = Microphones(positions=np.eye(3)), str(tmp_path / "x.wav")
    for text, kind in (
        ("-", Pipe), ("card", Card), ("card:USB Audio", Card), ("udp://localhost:0", Receiver), (path, Player)
    ):  # fmt: skip
        source = open_source(told(text, three), STEREO, Inbox(), io.BytesIO)
        assert isinstance(source, kind)
        source.close()
    assert [each.options["device"] for each in fake.streams] == [None, "USB Audio"]
    assert fake.streams[0].options["channels"] == 2


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(AudioFileError, match="no such file"):
        told(str(tmp_path / "no.wav"), Microphones(positions=np.eye(3)))
    with pytest.raises(ConfigError, match="wanted tcp"):
        open_source("http://x", STEREO, Inbox(), io.BytesIO)


def test_shapes_that_cannot_be():
    with pytest.raises(ConfigError, match="0 channels"):
        Shape(sample_rate=8000.0, channels=0)
    with pytest.raises(ConfigError, match="'mp3'"):
        Shape(sample_rate=8000.0, channels=1, sample_format="mp3")


def test_channels_of_a_recording_go_to_the_rows_of_their_microphones(tmp_path, rng):
    sound = rng.uniform(-1, 1, (800, 3)).astype(np.float32)
    saved(tmp_path / "x.wav", sound)
    exchanged = Microphones(positions=np.eye(3), channels=(3, 1, 2))
    inbox = Inbox()
    open_source(told(str(tmp_path / "x.wav"), exchanged), STEREO, inbox, io.BytesIO)
    np.testing.assert_array_equal(np.concatenate([each.sound for each in all_of(inbox)]), sound[:, [2, 0, 1]])
    assert "its rows are, in turn" in inbox.sentences()[0]


def test_a_recording_that_does_not_belong_to_the_list(tmp_path):
    saved(tmp_path / "x.wav", np.zeros((100, 5), np.float32))
    with pytest.raises(SceneError, match="5 channels"):
        told(str(tmp_path / "x.wav"), Microphones(positions=np.eye(3)))


def test_a_recording_keeps_its_rate_where_a_band_is_asked_for(tmp_path):
    path = str(saved(tmp_path / "x.wav", np.zeros((4800, 3), np.float32), 48_000))
    three = Microphones(positions=np.eye(3))
    assert told(path, three).sample_rate == 16_000
    assert told(path, three, (9000.0, 15_000.0)).sample_rate == 48_000
