"""Sound outdoors: absorption as the standard's table, delays as places, clocks and warmth say, noise at its level."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix import physics
from soundfix.simulation.outdoors import (
    RATE_HZ,
    Wood,
    absorption_db_m,
    draw_recorders,
    draw_singer,
    record,
    record_songs,
    told,
)

CLICK = np.eye(1, 160, 80)[0]  # 10 ms
QUIET = Wood(snr_db=80.0, clock_s=0.0, scatter=False)


@pytest.mark.parametrize(
    ("temperature_c", "humidity", "db_km"),  # at 250, 1000, 4000, 8000 Hz: table 2 of ISO 9613-2
    [
        (10.0, 70.0, (1.0, 3.7, 32.8, 117.0)),
        (20.0, 70.0, (1.1, 5.0, 22.9, 76.6)),
        (15.0, 50.0, (1.2, 4.2, 36.2, 129.0)),
    ],
)
def test_air_absorbs_as_the_table_of_the_standard(temperature_c, humidity, db_km):
    got = 1000 * absorption_db_m(np.array([250.0, 1000.0, 4000.0, 8000.0]), temperature_c, humidity)
    assert got == pytest.approx(db_km, rel=0.04, abs=0.05)


def arrivals_s(scene):
    """When each recorder hears it loudest."""
    return np.abs(scene.audio).argmax(axis=1) / scene.sample_rate


@pytest.mark.parametrize("temperature_c", [0.0, 30.0])
def test_delays_are_those_of_the_air_of_the_day(temperature_c):
    rng = np.random.default_rng(0)
    wood = Wood(snr_db=80.0, clock_s=0.0, scatter=False, temperature_c=temperature_c)
    places = draw_recorders(wood, rng)
    singer = draw_singer(places, wood, rng)
    scene = record(wood, CLICK, places, singer, rng, duration_s=1.5)
    expected = physics.distances(singer, places) / physics.speed_of_sound(temperature_c)
    late = arrivals_s(scene) - expected
    assert np.ptp(late) < 3 / RATE_HZ
    assert scene.truth.speed_of_sound_m_s == physics.speed_of_sound(temperature_c)
    assert scene.speed == physics.speed_of_sound(15.0)


def test_the_wind_carries_sound_along_every_path():
    rng = np.random.default_rng(0)
    wood = replace(QUIET, blows_m_s=(12.0, -5.0))
    places = draw_recorders(wood, rng)
    singer = draw_singer(places, wood, rng)
    scene = record(wood, CLICK, places, singer, rng, duration_s=1.5)
    ranges_m = physics.distances(singer, places)
    along_m_s = (places - singer)[:, :2] @ [12.0, -5.0] / ranges_m
    late = arrivals_s(scene) - ranges_m / (physics.speed_of_sound(15.0) + along_m_s)
    assert np.ptp(late) < 3 / RATE_HZ


def test_clocks_are_off_and_the_list_is_too():
    rng = np.random.default_rng(1)
    wood = Wood(snr_db=80.0, clock_s=5e-3, gps_m=1.0, scatter=False)
    places = draw_recorders(wood, rng)
    singer = draw_singer(places, wood, rng)
    scene = record(wood, CLICK, places, singer, rng, duration_s=1.5)
    late = arrivals_s(scene) - physics.distances(singer, places) / scene.truth.speed_of_sound_m_s
    assert 2e-3 < np.std(late) < 1e-2
    off = scene.microphones.positions - scene.truth.positions
    assert 0.5 < np.std(off) < 1.6
    assert np.array_equal(scene.truth.positions, places)


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_noise_is_at_its_level_in_the_band_of_the_song(snr_db):
    """The noise of a scene is what it has more than the same scene in silence."""
    song, singer = np.random.default_rng(3).standard_normal(8000), np.array([40.0, 40.0, 5.0])
    noisy, quiet = (recorded(snr, song, singer) for snr in (snr_db, 200.0))
    quiet = (
        quiet * (noisy.ravel() @ quiet.ravel()) / (quiet.ravel() @ quiet.ravel())
    )  # scenes have their peak in common
    lasting = len(song) / noisy.shape[1]
    ratio = in_band(quiet) / lasting / in_band(noisy - quiet)
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=1.0)


def recorded(snr_db, song, singer):
    rng = np.random.default_rng(2)
    places = draw_recorders(QUIET, rng)
    return record(Wood(snr_db=snr_db, scatter=False), song, places, singer, rng, duration_s=2.0).audio.astype(float)


def in_band(audio):
    """Power between 1500 and 7500 Hz."""
    hz = np.fft.rfftfreq(audio.shape[1], 1 / RATE_HZ)
    return np.square(np.abs(np.fft.rfft(audio, axis=1)))[:, (hz > 1500) & (hz < 7500)].sum()


def test_what_is_far_is_fainter_and_duller():
    rng = np.random.default_rng(4)
    places = np.array([(0.0, 0.0, 1.5), (100.0, 0.0, 1.5), (0.0, 30.0, 1.5)])
    scene = record(
        QUIET, np.random.default_rng(5).standard_normal(4000), places, np.array([5.0, 0.0, 3.0]), rng, duration_s=2.0
    )
    level = np.sqrt(np.mean(scene.audio**2, axis=1))
    assert level[0] > 10 * level[1]
    spectrum = np.abs(np.fft.rfft(scene.audio, axis=1)) ** 2
    hz = np.fft.rfftfreq(scene.audio.shape[1], 1 / RATE_HZ)
    dullness = spectrum[:, (hz > 500) & (hz < 1500)].sum(axis=1) / spectrum[:, (hz > 6000) & (hz < 7000)].sum(axis=1)
    assert dullness[1] > 3 * dullness[0]


def test_singers_are_among_the_recorders_and_above_the_ground():
    rng = np.random.default_rng(6)
    for _ in range(20):
        places = draw_recorders(Wood(), rng)
        singer = draw_singer(places, Wood(), rng)
        assert (singer[:2] >= places[:, :2].min(axis=0)).all()
        assert (singer[:2] <= places[:, :2].max(axis=0)).all()
        assert singer[2] > 0


def test_a_list_can_say_how_good_it_is():
    rng = np.random.default_rng(7)
    places = draw_recorders(QUIET, rng)
    scene = record(QUIET, CLICK, places, np.array([40.0, 40.0, 5.0]), rng, duration_s=1.5)
    assert told(scene, position_sigma_m=0.7).microphones.sigma_m == pytest.approx(0.7)


def test_songs_in_one_recording_are_late_by_the_clocks_and_at_their_own_times():
    places = np.array([(0.0, 0.0, 1.5), (34.0, 0.0, 1.5), (0.0, 34.0, 1.5)])
    wood = replace(QUIET, scatter=False)
    late_s = np.array([0.0, 0.03, -0.02])
    songs = [(1.0, CLICK, np.array([0.0, 0.0, 3.0])), (3.0, CLICK, np.array([34.0, 0.0, 3.0]))]
    scene = record_songs(wood, songs, places, late_s, np.random.default_rng(0), duration_s=5.0)
    assert scene.truth.sources == pytest.approx(np.array([song[2] for song in songs]))
    for begins_s, _, singer in songs:
        heard = scene.audio[:, round((begins_s - 0.1) * RATE_HZ) : round((begins_s + 0.9) * RATE_HZ)]
        ranges_m = np.linalg.norm(places - singer, axis=1)
        expected_s = 0.1 + 80 / RATE_HZ + ranges_m / physics.speed_of_sound(wood.temperature_c) + late_s
        assert np.abs(heard).argmax(axis=1) / RATE_HZ == pytest.approx(expected_s, abs=2e-3)
