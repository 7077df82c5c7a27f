"""Calibration: unknown and wrong positions, late and drifting clocks, exchanged channels, shapes; and what it admits."""

import json
from dataclasses import replace

import numpy as np
import pytest

from helpers.walks import ROOM, array, hearing, walk
from soundfix.calibration import self_localization
from soundfix.calibration.calibrate import calibrate
from soundfix.calibration.initial_guess import procrustes
from soundfix.calibration.observations import observe
from soundfix.cli import app
from soundfix.errors import SceneError
from soundfix.files.microphones import read_microphones
from soundfix.files.scenes import write_scene
from soundfix.microphones import Microphones
from soundfix.physics import SPEED_OF_SOUND_M_S
from soundfix.report.calibration import as_dict, lines, plot
from soundfix.scene import Scene
from soundfix.simulation.worlds import LUVIRA_TWIN

STUDIO = np.array(LUVIRA_TWIN.positions_m)


def listed(places, **columns):
    return Microphones(positions=places, **columns)


def found_m(result):
    return np.array([repair.position_m for repair in result.repairs])


def findings(result):
    return [repair.finding for repair in result.repairs]


@pytest.fixture
def places(rng):
    return array(rng)


@pytest.fixture
def sources(rng):
    return walk(rng)


def test_a_list_that_is_right_is_left_as_it_is(places, sources, rng):
    result = calibrate(hearing(places, sources, rng), listed(places), room=ROOM)
    assert findings(result) == ["good"] * 11
    assert np.array_equal(result.microphones.positions, places)
    assert np.median(np.linalg.norm(result.sources - sources[: len(result.sources)], axis=1)) < 1.0
    assert result.stand_m is None
    assert result.speed_m_s == pytest.approx(343.0, abs=3 * result.speed_sigma_m_s + 0.2)


def test_four_unknown_positions_are_found_as_well_as_said(places, sources, rng):
    blank = places.copy()
    blank[[1, 4, 5, 9]] = np.nan
    result = calibrate(hearing(places, sources, rng), listed(blank), room=ROOM)
    assert [findings(result)[m] for m in (1, 4, 5, 9)] == ["placed"] * 4
    off = found_m(result) - places
    assert np.linalg.norm(off, axis=1).max() < 0.05
    squared = [off[m] @ np.linalg.solve(result.repairs[m].covariance_m2, off[m]) for m in (1, 4, 5, 9)]
    assert np.mean(squared) < 9.0  # 3 on average
    assert result.microphones.sigma_m[1] > 0


def test_wrong_positions_and_late_clocks_are_told_apart(places, sources, rng):
    wrong = places.copy()
    wrong[2] += [0.6, -0.6, 0.4]
    offset_s, drift_ppm = np.zeros(11), np.zeros(11)
    offset_s[6], drift_ppm[8] = 0.006, 80.0
    sound = hearing(places, sources, rng, offset_s=offset_s, drift_ppm=drift_ppm, wrong=0.02)
    result = calibrate(sound, listed(wrong), room=ROOM)
    told = findings(result)
    assert (told[2], told[6], told[8]) == ("misplaced", "late", "drifting")
    assert told.count("good") == 8
    assert np.linalg.norm(found_m(result)[2] - places[2]) < 0.05
    assert result.repairs[6].offset_s == pytest.approx(0.006, abs=50e-6)
    assert result.repairs[8].drift_ppm == pytest.approx(80.0, abs=15.0)
    assert result.repairs[2].before_m > 0.2 > 0.02 > result.repairs[2].after_m
    assert result.microphones.offset_s[6] == pytest.approx(0.006, abs=50e-6)


def test_exchanged_channels_are_proposed_as_a_permutation(places, sources, rng):
    wrong = places.copy()
    wrong[[3, 7]] = wrong[[7, 3]]
    result = calibrate(hearing(places, sources, rng), listed(wrong), room=ROOM)
    assert [(r.name, r.other) for r in result.repairs if r.finding == "swapped"] == [("mic4", "mic8"), ("mic8", "mic4")]
    assert np.linalg.norm(found_m(result) - places, axis=1).max() < 0.05


def test_clocks_that_all_run_freely(places, sources, rng):
    offset_s = rng.uniform(-0.02, 0.02, 11)
    sound = hearing(places, sources, rng, offset_s=offset_s)
    steps = []
    result = calibrate(sound, listed(places), room=ROOM, clocks="free", watch=steps.append)
    assert (steps[0], steps[-1], len(set(steps))) == ("clocks, start 1 of 8", "how sure that is", 9)
    off_s = np.array([r.offset_s + 1e-6 * r.drift_ppm * 15 for r in result.repairs]) - (offset_s - offset_s[0])
    assert np.median(np.abs(off_s)) < 50e-6
    assert result.has_free_clocks
    assert any("clocks run by that of mic1" in line for line in lines(result, listed(places)))


@pytest.mark.slow
def test_a_shape_without_any_position(rng, monkeypatch):
    monkeypatch.setattr(self_localization, "STARTS", 2)
    places = STUDIO
    sound = hearing(places, walk(rng), rng, wrong=0.0)
    result = calibrate(sound, listed(np.full((11, 3), np.nan)))
    assert result.is_relative
    off = np.linalg.norm(procrustes(shape_of(result), places).positions - places, axis=1)
    assert off.max() < 0.15
    said = list(lines(result, result.microphones))
    assert any("but for a turn" in line for line in said)
    assert not result.is_doubtful
    assert not any("may be wrong" in line for line in said)


@pytest.mark.slow
def test_a_shape_that_fits_badly_is_doubted(rng, monkeypatch):
    monkeypatch.setattr(self_localization, "STARTS", 1)
    sound = hearing(STUDIO, walk(rng), rng, wrong=0.4)
    result = calibrate(sound, listed(np.full((11, 3), np.nan)))
    assert result.is_doubtful
    assert any("the layout may be wrong" in line for line in lines(result, result.microphones))


@pytest.mark.slow
def test_four_known_positions_fix_the_shape_in_space(rng, monkeypatch):
    monkeypatch.setattr(self_localization, "STARTS", 2)
    places = STUDIO
    few = places.copy()
    few[4:] = np.nan
    result = calibrate(hearing(places, walk(rng), rng, wrong=0.0), listed(few), room=ROOM)
    assert not result.is_relative
    assert np.median(np.linalg.norm(found_m(result) - places, axis=1)) < 0.15


def shape_of(result):
    from soundfix.calibration.bundle import Layout

    blank = np.zeros(len(result.repairs))
    return Layout(positions=found_m(result), offset_m=blank, drift_m_s=blank, sources=result.sources)


def test_one_place_is_not_enough_motion_and_it_says_where_to_stand(places, rng):
    blank = places.copy()
    blank[0] = np.nan
    still = np.array([3.5, 4.0, 1.2]) + 0.02 * rng.standard_normal((40, 3))
    result = calibrate(hearing(places, still, rng, wrong=0.0), listed(blank), room=ROOM)
    assert result.stand_for == "mic1"
    assert any(
        line.startswith("not enough motion yet for mic1: next, stand near (") for line in lines(result, listed(blank))
    )


def test_a_microphone_that_hears_nothing_stays_as_listed(places, sources, rng):
    sound = hearing(places, sources, rng)
    path_m = sound.arrivals.path_m.copy()
    path_m[:, 5] = np.nan
    sound = replace(
        sound, arrivals=replace(sound.arrivals, path_m=path_m), partners=np.where(np.isfinite(path_m), 10, 0)
    )
    result = calibrate(sound, listed(places), room=ROOM)
    assert result.repairs[5].finding == "unheard"
    assert np.array_equal(result.microphones.positions[5], places[5])


def test_chance_is_no_place(places, sources, rng):
    """A microphone whose arrivals are noise is not given a position."""
    sound = hearing(places, sources, rng)
    path_m = sound.arrivals.path_m.copy()
    path_m[:, 5] = rng.uniform(-8, 8, len(path_m))
    result = calibrate(replace(sound, arrivals=replace(sound.arrivals, path_m=path_m)), listed(places), room=ROOM)
    assert result.repairs[5].finding == "unsure"
    assert np.array_equal(result.microphones.positions[5], places[5])


def test_too_few_moments(places, sources, rng):
    with pytest.raises(SceneError, match="3 moments at which enough microphones hear the same, wanted 8 or more"):
        calibrate(hearing(places, sources[:3], rng, missing=0.0), listed(places), room=ROOM)


def test_everything_as_json_and_as_a_picture(places, sources, rng, tmp_path):
    blank = places.copy()
    blank[0] = np.nan
    result = calibrate(hearing(places, sources, rng), listed(blank), room=ROOM)
    told = json.loads(json.dumps(as_dict(result), allow_nan=False))
    assert told["microphones"][0]["finding"] == "placed"
    plot(result, listed(blank), ROOM, tmp_path / "array.png")
    assert (tmp_path / "array.png").stat().st_size > 10_000


# From sound


def moving_scene(rng, seconds=6.0):
    """Noise that jumps from place to place in free space, a place a half second."""
    from helpers.scenes import anechoic_scene

    places = array(rng, 7)
    sources = walk(rng, round(2 * seconds))
    parts = [anechoic_scene(places, source, rng, snr_db=20.0, seconds=0.5, room=ROOM) for source in sources]
    return replace(parts[0], audio=np.concatenate([part.audio for part in parts], axis=1)), places


def windows(scene, hop_s=0.5):
    count = round(hop_s * scene.sample_rate)
    return [scene.part(first, count) for first in range(0, scene.audio.shape[1] - count + 1, count)]


def test_an_inverted_microphone_is_heard_all_the_same(rng):
    from soundfix.networks import checkpoint

    scene, _ = moving_scene(rng, seconds=3.0)
    audio = scene.audio.copy()
    audio[2] *= -1
    network = checkpoint.load(checkpoint.PACKAGED)
    right, turned = (observe(network, windows(each)) for each in (scene, replace(scene, audio=audio)))
    assert turned.is_inverted.tolist() == [m == 2 for m in range(7)]
    assert np.allclose(right.arrivals.path_m, turned.arrivals.path_m, atol=1e-3, equal_nan=True)


def test_the_command_corrects_the_list(rng, tmp_path, capsys):
    scene, places = moving_scene(rng)
    listed_places = places.copy()
    listed_places[3] = np.nan
    write_scene(tmp_path / "take", replace(scene, microphones=Microphones(positions=listed_places), room=None))
    out, picture = tmp_path / "corrected.csv", tmp_path / "array.png"
    argv = [
        tmp_path / "take" / "scene.wav",
        "-m",
        tmp_path / "take" / "microphones.csv",
        "--out",
        out,
        "--plot",
        picture,
    ]
    argv += ["--speed-of-sound", SPEED_OF_SOUND_M_S, "--json", tmp_path / "found.json", "--room", "0,0,0,7,8,2.8"]
    app.app(["calibrate", *map(str, argv)], standalone_mode=False)
    assert "mic4  placed at (" in capsys.readouterr().out
    corrected = read_microphones(out)
    assert np.linalg.norm(corrected.positions[3] - places[3]) < 0.2
    assert json.loads((tmp_path / "found.json").read_text())["microphones"][3]["finding"] == "placed"
    assert picture.exists()


def test_silence_is_said(tmp_path, places):
    silence = Scene(audio=np.zeros((11, 32_000)), sample_rate=16_000.0, microphones=Microphones(positions=places))
    write_scene(tmp_path, silence)
    argv = [tmp_path / "scene.wav", "-m", tmp_path / "microphones.csv", "--out", tmp_path / "out.csv"]
    with pytest.raises(SceneError, match="is there sound"):
        app.app(["calibrate", *map(str, argv)], standalone_mode=False)
