"""Which band of a recording is listened to, and that it is read at the rate that suits it."""

import numpy as np
import pytest
import soundfile

import soundfix
from helpers.bands import ANIMAL, CAGE, HIGH_HZ, RATE, shared_sound
from soundfix.api.listening import STRETCH_S, listened
from soundfix.api.sound import open_sound
from soundfix.errors import SceneError
from soundfix.files.microphones import write_microphones
from soundfix.microphones import Microphones
from soundfix.resample import listening_rate


@pytest.fixture(scope="module")
def audio():
    """A second, of which the last half has an animal in a cage."""
    rng = np.random.default_rng(0)
    silence = 0.001 * rng.standard_normal((len(CAGE), round(0.5 * RATE)))
    return np.concatenate([silence, shared_sound(rng, HIGH_HZ, seconds=0.5)], axis=1).astype(np.float32)


@pytest.fixture
def files(audio, tmp_path):
    soundfile.write(tmp_path / "take.wav", audio.T, round(RATE), subtype="FLOAT")
    write_microphones(tmp_path / "mics.csv", Microphones(positions=CAGE))
    return tmp_path / "take.wav", tmp_path / "mics.csv"


@pytest.fixture(params=["array", "files"])
def sound(request, audio, files):
    if request.param == "array":
        return open_sound(audio, RATE, CAGE)
    return soundfix.read(*files)


def test_the_band_that_is_shared_is_chosen_and_told(sound):
    tuned, band_hz = listened(sound, None)
    assert band_hz[0] <= HIGH_HZ[0] < HIGH_HZ[1] <= band_hz[1]
    assert tuned.sample_rate == min(RATE, listening_rate(band_hz))
    assert tuned.notes[:-1] == sound.notes
    assert "kHz, to what sounds from" in tuned.notes[-1]
    assert tuned.duration_s == pytest.approx(1.0, abs=1e-4)


def test_a_band_that_is_told_is_taken(sound):
    tuned, band_hz = listened(sound, (20_000, 30_000))
    assert band_hz == (20_000.0, 30_000.0)
    assert tuned.sample_rate == listening_rate(band_hz) == 64_000.0
    _, part = next(iter(tuned.windows(0.5, 0.5)))
    assert part.shape == (len(CAGE), 32_000)


def test_what_is_high_is_heard_beneath_what_is_loud(audio):
    """The loudest stretches are rumble; those that are loud in what is high are listened to as well."""
    count = round(STRETCH_S * RATE)
    rumble = np.repeat(np.sin(2 * np.pi * 40 * np.arange(20 * count) / RATE)[None], len(CAGE), axis=0)
    rumble = rumble + 0.001 * np.random.default_rng(0).standard_normal(rumble.shape)
    whole = np.concatenate([rumble, audio], axis=1)
    assert listened(open_sound(whole, RATE, CAGE), None)[1] is not None


def test_usual_sound_is_left_as_it_is(rng):
    sound = open_sound(shared_sound(rng, (300.0, 6000.0)), RATE, CAGE)
    assert listened(sound, None) == (sound, None)
    low = open_sound(shared_sound(rng, (300.0, 6000.0), rate=16_000.0), 16_000.0, CAGE)
    assert listened(low, None) == (low, None)


@pytest.mark.parametrize(
    ("band_hz", "cause"),
    [((90, 30), "lower one given first"), ((20_000, 90_000), "holds nothing above 48000 Hz"), ((-1, 100), "wanted")],
)
def test_a_band_that_is_none_is_refused(sound, band_hz, cause):
    with pytest.raises(SceneError, match=cause):
        listened(sound, band_hz)


def test_locate_finds_what_nobody_hears(audio, files):
    by_array = soundfix.locate(audio, RATE, CAGE, method="srp-phat", speed_of_sound_m_s=343.0)
    by_files = soundfix.locate(*files[:1], microphones=files[1], method="srp-phat", speed_of_sound_m_s=343.0)
    for located in (by_array, by_files):
        assert np.linalg.norm(located.estimates[1].sources[0].position_m - ANIMAL) < 0.01
        assert located.to_dict()["listening"]["band_hz"] == list(located.band_hz)
        assert "listened at" in repr(located)
    assert by_array.band_hz == by_files.band_hz


def test_a_band_decides_what_is_located(rng):
    """A loud voice at one place, an animal at another: each by its own band."""
    voice = shared_sound(rng, (300.0, 6000.0), seconds=0.5)[::-1]  # heard as from elsewhere
    both = voice + 0.1 * shared_sound(rng, HIGH_HZ, seconds=0.5)
    usual, high = (
        soundfix.locate(both, RATE, CAGE, method="srp-phat", speed_of_sound_m_s=343.0, band_hz=band)
        for band in (None, HIGH_HZ)
    )
    assert usual.band_hz is None
    assert "listening" not in usual.to_dict()
    assert np.linalg.norm(high.estimates[0].sources[0].position_m - ANIMAL) < 0.01


def test_check_listens_to_the_band(audio):
    told = soundfix.check(audio, CAGE, sample_rate=RATE)
    deaf = soundfix.check(audio, CAGE, sample_rate=RATE, band_hz=(100, 7900))
    assert {each.grade for each in told.microphones} == {"good"}
    assert all("no sound reached" in each.why for each in deaf.microphones)
    assert "listened at" in told.notes[-1]


def test_in_a_wide_array_longer_stretches_are_compared(rng):
    """Delays of 0.25 s: more than a usual stretch has."""
    sound = shared_sound(rng, HIGH_HZ, seconds=2.0)
    late = np.stack([np.roll(channel, 6000 * m) for m, channel in enumerate(sound)])
    assert listened(open_sound(late, RATE, CAGE), None)[1] is None
    assert listened(open_sound(late, RATE, 100 * CAGE), None)[1] is not None
