"""Talkers: loud ahead at high frequency only, heard when the track says, and the same standing as walking on the spot."""

import numpy as np
import pytest
from scipy.signal import butter, fftconvolve, sosfiltfilt

from soundfix.simulation.rooms import RoomConfig, impulse_responses
from soundfix.simulation.talkers import (
    Talker,
    convolved,
    cross_faded,
    direct_responses,
    heard,
    responses_of,
    share_everywhere,
)

RATE, SPEED = 16_000.0, 343.0
ROOM = RoomConfig(size_m=(5.0, 6.0, 3.0), rt60_s=0.3, image_order=6)
FREE = RoomConfig(size_m=(60.0, 60.0, 60.0), rt60_s=0.0)  # no wall sends anything back
MICROPHONES = np.array([[1.0, 1.0, 1.0], [4.0, 5.0, 2.0], [2.0, 3.0, 1.1]])
MIDDLE = np.array([30.0, 30.0, 30.0])
AHEAD = np.array([1.0, 0.0, 0.0])


def still(sound, place, facing=None):
    return Talker(sound=sound, places=place[None], times_s=np.zeros(1), facing=facing)


def walking(sound, start, end, facing=None):
    times_s = np.array([0.0, len(sound) / RATE])
    return Talker(sound=sound, places=np.stack([start, end]), times_s=times_s, facing=facing)


def listen(talker, room=FREE, microphones=MICROPHONES):
    responses = responses_of(talker, room, microphones, sample_rate=RATE, rng=np.random.default_rng(1))
    return heard(talker, responses, room, microphones, sample_rate=RATE)


def tone(frequency_hz, seconds=0.5):
    return np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * RATE)) / RATE)


def rms(sound):
    return np.sqrt(np.mean(np.square(sound), axis=-1))


@pytest.fixture
def dull_noise(rng):
    """Noise below 4 kHz: above, two ways to delay by fractions of a sample differ by some percent."""
    return sosfiltfilt(butter(6, 4000, fs=RATE, output="sos"), rng.standard_normal(12_000))


def test_standing_and_facing_nowhere_is_the_plain_simulation(rng, dull_noise):
    room = RoomConfig(size_m=(5.0, 6.0, 3.0), rt60_s=0.3, image_order=None)
    place = np.array([3.0, 2.0, 1.5])
    responses = impulse_responses(room, place[None], MICROPHONES, sample_rate=RATE, rng=rng)[:, 0]
    wanted = fftconvolve(dull_noise[None], responses, axes=1)[:, : len(dull_noise)]
    assert rms(listen(still(dull_noise, place), room) - wanted) == pytest.approx(0, abs=1e-4 * rms(wanted).max())


@pytest.mark.parametrize(("frequency_hz", "low_db", "high_db"), [(200, -0.1, 0.1), (500, 0.3, 1.0), (4000, 30, 80)])
def test_ahead_and_behind(frequency_hz, low_db, high_db):
    """A cardioid is silent behind; at low frequency a mouth is as loud there as ahead."""
    around = MIDDLE + np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 1.0, 0]])
    ahead, behind, _ = rms(listen(still(tone(frequency_hz), MIDDLE, AHEAD), microphones=around)[:, 1000:-1000])
    assert low_db < 20 * np.log10(ahead / behind) < high_db


@pytest.mark.parametrize("frequency_hz", [200.0, 1000.0, 4000.0])
def test_ahead_is_what_facing_nowhere_is_and_beside_is_the_share_that_goes_everywhere(frequency_hz):
    around = MIDDLE + np.array([[1.0, 0, 0], [0, 1.0, 0]])
    ahead, beside = rms(listen(still(tone(frequency_hz), MIDDLE, AHEAD), microphones=around)[:, 1000:-1000])
    anywhere = rms(listen(still(tone(frequency_hz), MIDDLE), microphones=around)[:, 1000:-1000])
    assert ahead == pytest.approx(anywhere[0], rel=1e-3)
    assert beside == pytest.approx(anywhere[1] * share_everywhere(np.array([frequency_hz]))[0], rel=0.01)


def test_the_share_that_goes_everywhere():
    assert share_everywhere(np.array([0.0, 1000.0, 1e5])) == pytest.approx([1.0, 0.75, 0.5])
    assert share_everywhere(np.array([2000.0])) == pytest.approx(0.53, abs=0.005)


@pytest.mark.parametrize("facing", [None, np.array([0.6, 0.8, 0.0])])
def test_walking_on_the_spot_is_standing(dull_noise, facing):
    place = np.array([3.0, 2.0, 1.5])
    moving, standing = (
        listen(talker, ROOM) for talker in (walking(dull_noise, place, place, facing), still(dull_noise, place, facing))
    )
    assert rms(moving - standing).max() < 0.01 * rms(standing).min()


@pytest.mark.parametrize("facing", [None, AHEAD])
def test_direct_responses_are_those_of_a_room_without_walls(facing):
    """Of each pattern; the whole responses of the room are the same until the first wall answers."""
    place = np.array([2.5, 3.0, 1.5])
    talker = still(np.ones(10), place, facing)
    direct = direct_responses(talker, ROOM, MICROPHONES, sample_rate=RATE)
    (whole,) = responses_of(talker, ROOM, MICROPHONES, sample_rate=RATE, rng=np.random.default_rng(1))
    (free,) = responses_of(talker, FREE, MICROPHONES, sample_rate=RATE, rng=np.random.default_rng(1))
    assert direct == pytest.approx(free[..., : direct.shape[-1]], abs=1e-6)
    assert len(direct) == (1 if facing is None else 2)
    assert whole[:, 2, :60] == pytest.approx(direct[:, 2, :60], abs=1e-3)  # 0.6 m away: 29 samples


def clicks(times_s, seconds):
    """Band-limited (2 kHz) clicks, each with its peak at one of these times."""
    time_s = np.arange(round(seconds * RATE)) / RATE - np.asarray(times_s)[:, None]
    return (np.sinc(4000 * time_s) * np.exp(-((time_s / 0.002) ** 2))).sum(axis=0)


def peak(sound, near_s):
    """When, to a fraction of a sample, and how high, within 3 ms."""
    first = round((near_s - 0.003) * RATE)
    part = sound[first : first + round(0.006 * RATE)]
    fine = np.fft.irfft(np.fft.rfft(part), 64 * len(part)) * 64
    return (first + fine.argmax() / 64) / RATE, fine.max()


def test_the_direct_sound_of_a_walk_arrives_when_the_track_says():
    """In a live room, past microphones: every click that left at t arrives at t + |x(t) - m| / c, 1 / |x(t) - m| loud."""
    left_s = np.arange(0.1, 1.5, 0.2)
    start, end = np.array([1.5, 1.0, 1.5]), np.array([3.5, 4.0, 1.5])
    talker = walking(clicks(left_s, 1.6), start, end)
    sound = listen(talker, RoomConfig(size_m=(5.0, 6.0, 3.0), rt60_s=0.15, image_order=2))
    for t, place in zip(left_s, talker.at(left_s), strict=True):
        for microphone, channel in zip(MICROPHONES, sound, strict=True):
            distance = np.linalg.norm(microphone - place)
            arrival_s, height = peak(channel, t + distance / SPEED)
            assert arrival_s == pytest.approx(t + distance / SPEED, abs=0.3 / RATE)
            assert height == pytest.approx(1 / distance, rel=0.1)


def test_doppler():
    """Towards a microphone at 10 m/s: 1000 Hz becomes 1000 c / (c - 10)."""
    talker = walking(tone(1000, 1.0), MIDDLE, MIDDLE + 10 * AHEAD)
    [sound] = listen(talker, microphones=MIDDLE[None] + 15 * AHEAD)
    spectrum = np.abs(np.fft.rfft(sound[2000:14_000] * np.hanning(12_000), 2**18))
    assert spectrum.argmax() / 2**18 * RATE == pytest.approx(1000 * SPEED / (SPEED - 10), abs=0.5)


def test_nothing_is_heard_before_the_sound_arrives():
    talker = walking(np.ones(8000), MIDDLE, MIDDLE + AHEAD)
    [sound] = listen(talker, microphones=MIDDLE[None] + 10 * AHEAD)
    arrival = round(10 / SPEED * RATE)
    assert not sound[: arrival - 1].any()
    assert sound[arrival + 2] == pytest.approx(0.1, rel=0.2)


def test_cross_fading_between_equal_responses_is_convolution(rng):
    voices, response = rng.standard_normal((2, 1000)).astype(np.float32), rng.standard_normal((2, 3, 50))
    faded = cross_faded(voices, [response] * 5, hop=250)
    assert faded == pytest.approx(convolved(voices, response)[:, :1000], abs=1e-3)


def test_cross_fading_is_by_when_the_sound_left(rng):
    """Half way between two responses, half of each."""
    voices = np.zeros((1, 1000), dtype=np.float32)
    voices[0, 375] = 1.0
    responses = [gain * np.ones((1, 1, 1)) for gain in (0.0, 2.0, 6.0, 0.0, 0.0)]
    assert cross_faded(voices, responses, hop=250)[0, 375] == pytest.approx(4.0)


def test_the_reverberation_of_a_walk_neither_swells_nor_flickers(dull_noise):
    start, end = np.array([3.0, 2.0, 1.5]), np.array([3.2, 2.4, 1.5])
    moving = rms(listen(walking(dull_noise, start, end), ROOM)[:, 2000:])
    standing = [rms(listen(still(dull_noise, place), ROOM)[:, 2000:]) for place in (start, end)]
    assert 20 * np.log10(moving / np.mean(standing, axis=0)) == pytest.approx(0, abs=1.5)
