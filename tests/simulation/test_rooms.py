"""Rooms: the direct sound comes when and as loud as it must, the echo decays as asked, the noise is as loud as asked."""

import json

import numpy as np
import pytest
import soundfile

from helpers.scenes import drawn
from soundfix.errors import SceneError
from soundfix.files.microphones import read_microphones
from soundfix.files.scenes import write_scene
from soundfix.microphones import Microphones
from soundfix.physics import distances
from soundfix.simulation.faults import Fault, break_scene
from soundfix.simulation.rooms import RoomConfig, impulse_responses, measured_rt60, sabine_rt60, simulate
from soundfix.simulation.sounds import melody, voice
from soundfix.simulation.studio import LUVIRA_SIZE_M
from soundfix.simulation.worlds import CLEAN_ROOMS

RATE = 16_000.0
FINE = 64  # arrival times are read on a grid this much finer than the samples
HALL_M = (9.0, 8.0, 4.0)
BOOTH_M = (3.0, 2.6, 2.3)  # small, so that its exact response is quick
DISTANCES_M = (0.5, 1.0, 2.37, 3.9, 5.1)


@pytest.fixture
def booth_microphones():
    return Microphones(positions=np.array([[2.1, 1.8, 1.6], [0.6, 2.1, 1.1], [2.4, 0.5, 0.9], [1.5, 1.3, 2.0]]))


@pytest.fixture
def speech(rng):
    return voice(1.0, sample_rate=RATE, rng=rng)[None]


def ray(source, distances_m, direction=(0.9, 0.3, 0.1)):
    """Microphones at these distances from the source, along one direction."""
    return source + np.outer(distances_m, np.array(direction) / np.linalg.norm(direction))


def peak(response):
    """When (samples) and how high the response peaks, by band-limited interpolation."""
    count = 4 * len(response)
    fine = FINE * np.fft.irfft(np.fft.rfft(response, count), FINE * count)
    return fine.argmax() / FINE, fine.max()


def anechoic(distances_m, rng, **room):
    source = np.array([1.0, 1.0, 1.0])
    config = RoomConfig(size_m=HALL_M, rt60_s=0.0, **room)
    return impulse_responses(config, source[None], ray(source, distances_m), sample_rate=RATE, rng=rng)[:, 0]


@pytest.mark.parametrize("speed", [343.0, 331.3])
def test_the_direct_sound_arrives_after_distance_over_c(rng, speed):
    arrivals = [peak(h)[0] for h in anechoic(DISTANCES_M, rng, speed_of_sound_m_s=speed)]
    assert arrivals == pytest.approx(np.array(DISTANCES_M) / speed * RATE, abs=0.1)


def test_the_direct_sound_is_as_loud_as_its_distance_is_short(rng):
    heights = np.array([peak(h)[1] for h in anechoic(DISTANCES_M, rng)])
    assert heights * DISTANCES_M == pytest.approx(heights[0] * DISTANCES_M[0], rel=0.03)


@pytest.mark.parametrize("image_order", [17, None])
def test_reverberation_lasts_as_long_as_asked(rng, booth_microphones, image_order):
    room = RoomConfig(size_m=BOOTH_M, rt60_s=0.25, image_order=image_order)
    source = np.array([[0.9, 0.8, 0.7]])
    responses = impulse_responses(room, source, booth_microphones.positions, sample_rate=RATE, rng=rng)
    assert measured_rt60(responses[:, 0], RATE) == pytest.approx(0.25, rel=0.25)


@pytest.mark.parametrize("rt60_s", [0.2, 0.4, 0.8])
def test_the_tail_decays_as_long_as_asked_in_a_large_room(rng, rt60_s):
    room = RoomConfig(size_m=LUVIRA_SIZE_M, rt60_s=rt60_s)
    microphones = ray(np.array([1.0, 1.0, 1.0]), [2.0, 3.0, 4.0])
    responses = impulse_responses(room, np.array([[2.0, 5.0, 1.5]]), microphones, sample_rate=RATE, rng=rng)
    assert measured_rt60(responses[:, 0], RATE) == pytest.approx(rt60_s, rel=0.25)


def test_capped_and_exact_begin_alike_and_end_about_as_loud(rng, booth_microphones):
    """The first images of order above 17 come after about 17 / sqrt(sum 1 / side²) m, 1180 samples in this booth."""
    source = np.array([[0.9, 0.8, 0.7]])
    capped, exact = (
        impulse_responses(
            RoomConfig(size_m=BOOTH_M, rt60_s=0.25, image_order=order),
            source,
            booth_microphones.positions,
            sample_rate=RATE,
            rng=rng,
        )[:, 0]
        for order in (17, None)
    )
    assert capped[:, :1000] == pytest.approx(exact[:, :1000], abs=3e-3 * np.abs(exact).max())
    late_db = [10 * np.log10(np.square(h[:, 2000:4000]).sum()) for h in (capped, exact)]
    assert late_db[0] == pytest.approx(late_db[1], abs=6)


def test_the_tail_is_independent_at_every_microphone(rng, booth_microphones):
    room = RoomConfig(size_m=BOOTH_M, rt60_s=0.25)
    responses = impulse_responses(room, np.full((1, 3), 0.9), booth_microphones.positions, sample_rate=RATE, rng=rng)
    correlation = np.corrcoef(responses[:, 0, 2200:4000]) - np.eye(len(booth_microphones))
    assert np.abs(correlation).max() < 0.2


def test_measured_rt60_of_a_known_decay(rng):
    """Noise that loses 60 dB in 0.5 s by construction."""
    time_s = np.arange(RATE) / RATE
    decays = rng.standard_normal((5, len(time_s))) * 10 ** (-3 * time_s / 0.5)
    assert measured_rt60(decays, RATE) == pytest.approx(0.5, rel=0.05)


def test_absorption_instead_of_a_time(rng, booth_microphones):
    """Sabine for a cube of side 6 m: 24 ln 10 * 216 / (343 * 216 * 0.2) s; and more absorption is a shorter time."""
    assert sabine_rt60(RoomConfig(size_m=(6.0, 6.0, 6.0), absorption=0.2)) == pytest.approx(
        24 * np.log(10) / (343 * 0.2)
    )
    measured = [
        measured_rt60(
            impulse_responses(
                RoomConfig(size_m=BOOTH_M, absorption=absorption),
                np.full((1, 3), 0.9),
                booth_microphones.positions,
                sample_rate=RATE,
                rng=rng,
            )[:, 0],
            RATE,
        )
        for absorption in (0.2, 0.5)
    ]
    assert measured[0] > 1.5 * measured[1]


def test_moving_the_room_changes_nothing(rng, booth_microphones):
    """The same room, source and microphones, given in coordinates whose origin is elsewhere."""
    shift, source = np.array([-1.0, 20.0, 0.5]), np.array([[0.9, 0.8, 0.7]])
    here, there = (
        impulse_responses(
            RoomConfig(size_m=BOOTH_M, rt60_s=0.2, origin_m=tuple(move)),
            source + move,
            booth_microphones.positions + move,
            sample_rate=RATE,
            rng=np.random.default_rng(1),
        )
        for move in (np.zeros(3), shift)
    )
    assert there == pytest.approx(here, abs=1e-6)


@pytest.mark.parametrize("snr_db", [0.0, 15.0, 30.0])
def test_the_noise_is_as_loud_as_asked(booth_microphones, speech, snr_db):
    """Audio is scaled to its peak: the noise is what a noiseless twin, fitted by least squares, leaves over."""
    noisy, clean = (heard(booth_microphones, speech, snr_db=level).audio.astype(float) for level in (snr_db, np.inf))
    gain = np.vdot(noisy, clean) / np.vdot(clean, clean)
    noise = noisy - gain * clean
    measured_db = 10 * np.log10(np.mean(np.square(gain * clean)) / np.mean(np.square(noise)))
    assert measured_db == pytest.approx(snr_db, abs=0.5)
    assert np.std(noise, axis=1) == pytest.approx(np.std(noise), rel=0.05)
    assert np.abs(np.corrcoef(noise) - np.eye(len(noise))).max() < 0.05


def heard(microphones, sounds, *, sources=None, seed=5, snr_db=20.0, rt60_s=0.2, **options):
    return simulate(
        RoomConfig(size_m=BOOTH_M, rt60_s=rt60_s),
        sources=np.array([[0.9, 0.8, 0.7]]) if sources is None else sources,
        sounds=sounds,
        microphones=microphones,
        snr_db=snr_db,
        rng=np.random.default_rng(seed),
        **options,
    )


def test_the_seed_decides_every_bit(booth_microphones, speech):
    one, same, other = (heard(booth_microphones, speech, seed=seed).audio for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_scene_holds_what_was_asked_and_what_was_measured(booth_microphones, speech):
    scene = heard(booth_microphones, speech)
    assert scene.audio.shape == (4, 16_000)
    assert scene.room == ((0.0, 0.0, 0.0), BOOTH_M)
    assert scene.speed == 343.0
    assert scene.truth.sources.tolist() == [[0.9, 0.8, 0.7]]
    assert scene.truth.snr_db == 20.0
    assert scene.truth.rt60_s == pytest.approx(0.2, rel=0.25)
    assert scene.truth.rt60_s != 0.2


def test_nearer_microphones_hear_the_sound_sooner(booth_microphones, rng):
    """Delays between microphones, read from anechoic audio, are the differences of distance."""
    click = np.zeros((1, 8000))
    click[0, 100] = 1
    scene = heard(booth_microphones, click, snr_db=np.inf, rt60_s=0.0)
    arrivals_m = np.array([peak(channel.astype(float))[0] for channel in scene.audio]) / RATE * 343.0
    expected_m = distances(scene.truth.sources[0], booth_microphones.positions)
    assert np.diff(arrivals_m) == pytest.approx(np.diff(expected_m), abs=0.1 / RATE * 343)


def test_sources_add_up(booth_microphones, rng):
    """Eq. 1: two sources together are the sum of each alone (up to one gain), each from its own place."""
    sources = np.array([[0.9, 0.8, 0.7], [2.0, 2.0, 1.2]])
    sounds = np.stack([voice(0.5, sample_rate=RATE, rng=rng), melody(0.5, sample_rate=RATE, rng=rng)])
    silent = np.zeros_like(sounds[0])
    both, first, second = (
        heard(booth_microphones, np.stack(pair), sources=sources, snr_db=np.inf, rt60_s=0.0).audio.astype(float)
        for pair in (sounds, (sounds[0], silent), (silent, sounds[1]))
    )
    parts = np.stack([first.ravel(), second.ravel()], axis=1)
    gains = np.linalg.lstsq(parts, both.ravel(), rcond=None)[0]
    assert both.ravel() == pytest.approx(parts @ gains, abs=1e-6)
    assert (gains > 0.1).all()
    alone = heard(booth_microphones, sounds[1:], sources=sources[1:], snr_db=np.inf, rt60_s=0.0)
    assert second == pytest.approx(alone.audio, abs=1e-6)


def test_a_lead_in_is_heard_only_as_reverberation(booth_microphones):
    """A click before the window: its echo begins the audio, and the audio is shorter by the lead-in."""
    click = np.zeros((1, 8000))
    click[0, 0] = 1
    whole, cut = (heard(booth_microphones, click, snr_db=np.inf, lead_in_s=lead).audio for lead in (0.0, 0.05))
    assert cut.shape == (4, 7200)
    gain = np.abs(whole[:, 800:]).max() / 0.5
    assert gain * cut == pytest.approx(whole[:, 800:], abs=1e-6)


@pytest.mark.parametrize(("rt60_s", "absorption"), [(None, None), (0.3, 0.3)])
def test_a_room_has_a_time_or_an_absorption(rt60_s, absorption):
    with pytest.raises(SceneError, match="give exactly one"):
        RoomConfig(size_m=BOOTH_M, rt60_s=rt60_s, absorption=absorption)


@pytest.mark.parametrize("walls", [{"rt60_s": -0.1}, {"rt60_s": np.inf}, {"absorption": 0.0}, {"absorption": 30.0}])
def test_walls_that_cannot_be(walls):
    with pytest.raises(SceneError, match="wanted"):
        RoomConfig(size_m=BOOTH_M, **walls)


def test_a_room_too_large_for_so_short_a_reverberation(rng):
    with pytest.raises(SceneError, match="no walls give a room"):
        impulse_responses(
            RoomConfig(size_m=HALL_M, rt60_s=0.03), np.ones((1, 3)), 2 * np.ones((1, 3)), sample_rate=RATE, rng=rng
        )


def test_sources_and_microphones_outside_the_room(booth_microphones, speech):
    with pytest.raises(SceneError, match=r"source at .* is outside the room"):
        heard(booth_microphones, speech, sources=np.array([[0.9, 0.8, 2.4]]))
    outside = Microphones(positions=booth_microphones.positions + np.array([1.0, 0, 0]))
    with pytest.raises(SceneError, match=r"microphone at .* is outside the room"):
        heard(outside, speech)


def test_a_sound_for_every_source_and_a_place_for_every_microphone(booth_microphones, speech):
    with pytest.raises(SceneError, match="1 sounds for 2 sources"):
        heard(booth_microphones, speech, sources=np.array([[0.9, 0.8, 0.7], [2.0, 2.0, 1.2]]))
    positions = booth_microphones.positions.copy()
    positions[1] = np.nan
    with pytest.raises(SceneError, match="mic2 has no position to be simulated at"):
        heard(Microphones(positions=positions), speech)


def test_silence_has_no_signal_to_noise_ratio(booth_microphones, speech):
    with pytest.raises(SceneError, match=r"no sound in them.*silent sounds"):
        heard(booth_microphones, np.zeros_like(speech))
    with pytest.raises(SceneError, match=r"^0 samples and no sound.*lead-in of 2.0 s"):
        heard(booth_microphones, speech, lead_in_s=2.0)


def test_a_written_scene_reads_back(tmp_path, rng):
    scene = break_scene(drawn(CLEAN_ROOMS, rng, duration_s=0.3), [Fault("unknown", "2"), Fault("nan", "3")], rng)
    write_scene(tmp_path / "deep" / "scene", scene)
    audio, rate = soundfile.read(tmp_path / "deep/scene/scene.wav", dtype="float32")
    microphones = read_microphones(tmp_path / "deep/scene/microphones.csv")
    truth = json.loads((tmp_path / "deep/scene/truth.json").read_text())
    assert np.array_equal(audio.T, scene.audio, equal_nan=True)
    assert rate == truth["sample_rate_hz"] == scene.sample_rate
    assert microphones.names == scene.microphones.names
    assert microphones.positions == pytest.approx(scene.microphones.positions, abs=1e-6)
    assert np.array_equal(microphones.is_known, scene.microphones.is_known)
    assert truth["sources_m"] == scene.truth.sources.tolist()
    assert truth["faults"] == ["unknown:mic2", "nan:mic3"]
    assert (truth["rt60_s"], truth["snr_db"]) == (scene.truth.rt60_s, scene.truth.snr_db)
    assert np.array(truth["room_m"]) == pytest.approx(np.array(scene.room))
    assert truth["speed_of_sound_m_s"] == 343.0
    assert len(list((tmp_path / "deep/scene").iterdir())) == 3
