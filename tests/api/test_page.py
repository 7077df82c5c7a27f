"""What a page has of the sound: its loudness where and when, a channel, and curves that peak where the source is."""

import io
from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from helpers.scenes import anechoic_scene
from soundfix import physics
from soundfix.api import page
from soundfix.api.locate import result
from soundfix.api.page import clearest, curves, loudness, mp3_of, recorded_for
from soundfix.api.request import LocateRequest
from soundfix.api.sound import Samples, open_sound
from soundfix.errors import SceneError
from soundfix.microphones import Microphones

PLACES_M = np.array([[0, 0, 1], [4, 0, 2], [4, 3, 1], [0, 3, 2], [2, 0, 0.5], [2, 3, 2.5]], float)
TALKER_M = np.array([1.4, 2.1, 1.3])
NAMES = tuple("abcdef")
ROOM = ((0.0, 0.0, 0.0), (4.0, 3.0, 2.5))


@pytest.fixture(scope="module")
def sound():
    audio = np.array(anechoic_scene(PLACES_M, TALKER_M, np.random.default_rng(0), seconds=2.0).audio)
    audio[3] *= 1e-9
    return open_sound(audio, 16000.0, Microphones(positions=PLACES_M, names=NAMES))


@pytest.fixture(scope="module")
def located(sound):
    return result(LocateRequest(sound=sound, method="srp-phat", room=ROOM))


def test_loudness_is_of_the_largest_sample_of_each_part():
    audio = np.zeros((2, 64_000))
    audio[0, 100], audio[0, 32_000], audio[1, 63_999] = 0.5, -1.0, 0.25
    told = loudness(open_sound(audio, 16000.0, Microphones(positions=PLACES_M[:2])), parts=4)
    assert told.tolist() == [[128, 0, 255, 0], [0, 0, 0, 64]]


def test_loudness_counts_over_the_blocks_that_it_is_read_in(sound, monkeypatch):
    whole = loudness(sound, parts=7)
    monkeypatch.setattr(page, "BLOCK_S", 0.013)
    np.testing.assert_array_equal(loudness(sound, parts=7), whole)


def test_who_is_heard_has_the_most_weight(located):
    estimates = [
        replace(each, microphones=tuple(replace(m, weight=float(m.name == "c")) for m in each.microphones))
        for each in located.estimates
    ]
    assert clearest(estimates, NAMES) == 2
    assert clearest([], NAMES) == 0


def test_its_sound_can_be_played(sound):
    heard, rate = soundfile.read(io.BytesIO(mp3_of(sound, 1)))
    assert rate == 16000
    assert abs(len(heard) / rate - 2.0) < 0.1
    assert 0.3 < np.abs(heard).max() <= 1.0


def test_curves_peak_where_the_source_is(located):
    told = list(curves(located.estimates, located.asked))
    assert len(told) == len(located.estimates)
    for each in told:
        values = np.frombuffer(b64decode(each["values"]), np.int8).reshape(-1, each["lags"])

        def score(place, each=each, values=values):
            ranges = physics.distances(place[None], np.array(each["positions_m"]))[0]
            first, second = np.array(each["pairs"]).T
            lag = np.rint((ranges[first] - ranges[second]) / each["step_m"]).astype(int) + each["lags"] // 2
            return values[np.arange(len(values)), np.clip(lag, 0, each["lags"] - 1)].mean()

        elsewhere = np.random.default_rng(1).uniform([0, 0, 0], [4, 3, 2.5], (300, 3))
        assert score(TALKER_M) > 1.5 * max(map(score, elsewhere))


def test_who_was_left_out_has_no_curves(located):
    estimates = [
        replace(each, microphones=tuple(replace(m, weight=float(m.name != "b")) for m in each.microphones))
        for each in located.estimates
    ]
    assert all(1 not in np.array(each["pairs"]) for each in curves(estimates, located.asked))


def test_of_very_many_windows_some_have_curves_and_coarser_ones(located, monkeypatch):
    fine = next(curves(located.estimates, located.asked))
    monkeypatch.setattr(page, "MOST_CURVES", 2)
    monkeypatch.setattr(page, "CURVE_BYTES", 1000)
    told = list(curves(located.estimates, located.asked))
    assert [each is not None for each in told] == [True, False, True, False]
    assert told[0]["step_m"] > 2 * fine["step_m"]


def test_nothing_is_heard_beyond_the_last_window(located, monkeypatch):
    heard, windows = [], Samples.windows
    monkeypatch.setattr(page, "evidence_of", lambda *_: None)
    monkeypatch.setattr(Samples, "windows", lambda *given: (heard.append(1) or each for each in windows(*given)))
    assert list(curves(located.estimates[:2], located.asked)) == [None, None]
    assert len(heard) == 2


def test_what_is_too_short_to_be_a_window_has_none(located, monkeypatch):
    def refuse(*_):
        raise SceneError("too short")

    monkeypatch.setattr(page, "evidence_of", refuse)
    assert list(curves(located.estimates, located.asked)) == [None] * 4


def test_all_of_it(located, monkeypatch):
    recorded = recorded_for(located.estimates, located.asked, located.summary)
    assert recorded.document["request"]["microphones"][0]["name"] == "a"
    assert recorded.document["summary"]["text"] == located.to_dict()["summary"]["text"]
    assert recorded.duration_s == 2.0
    assert recorded.document["windows"] == 4
    some = replace(located.summary, passed_over=3)
    assert recorded_for(located.estimates, located.asked, some).document["windows"] == 1
    assert recorded.waves.shape == (6, page.PARTS)
    assert recorded.mp3
    assert recorded.microphone in NAMES
    monkeypatch.setattr(page, "LONGEST_S", 1.0)
    assert recorded_for(located.estimates, located.asked, located.summary).mp3 == b""


def test_a_page_of_sixty_windows_is_small(sound, tmp_path):
    long = open_sound(np.tile(sound.given, 15), 16000.0, sound.microphones)
    located = result(LocateRequest(sound=long, method="srp-phat", room=ROOM))
    located.plot(tmp_path / "x.html")
    assert len(located.estimates) == 60
    assert (tmp_path / "x.html").stat().st_size < 2_000_000
