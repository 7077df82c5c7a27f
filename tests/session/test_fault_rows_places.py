"""Layouts, sounds and counts that leave a place open, and what users are told then (rows as in test_fault_rows.py)."""

import json
import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter

import soundfix
from helpers.faults import NETWORK, RATE, answer, gap, note
from helpers.scenes import anechoic_scene, drawn
from soundfix.evaluation.metrics import is_inside
from soundfix.report.text import describe
from soundfix.simulation.worlds import world_named
from soundfix.testing import ROOM, SOURCE, contract_scene


def arranged(positions, rng, *, source=SOURCE, room=ROOM, **options):
    return answer(anechoic_scene(np.asarray(positions, float), source, rng, room=room), **options)


def test_row_20_a_line_of_microphones_is_ambiguous(rng):
    line = np.stack([np.linspace(0.5, 5.5, 8), np.full(8, 2.5), np.full(8, 1.5)], axis=1)
    estimate = arranged(line, rng, method="srp-phat")
    assert estimate.verdict == "ambiguous"
    assert "collinear" in estimate.reasons
    round_it = [np.hypot(*(s.position_m - [0, 2.5, 1.5])[1:]) for s in estimate.sources]
    assert np.allclose(round_it, np.hypot(SOURCE[1] - 2.5, SOURCE[2] - 1.5), atol=0.05)


def test_row_21_a_ceiling_has_a_mirror_image_that_a_room_excludes(rng):
    ceiling = contract_scene().microphones.positions.copy()
    ceiling[:, 2] = 2.95
    inside, anywhere = (arranged(ceiling, rng, room=room, method="srp-phat") for room in (ROOM, None))
    assert (inside.verdict, len(inside.sources)) == ("ok", 1)
    assert gap(inside) < 0.01
    assert anywhere.verdict == "ambiguous"
    assert "mirror_twin" in anywhere.reasons
    assert np.allclose(sorted(s.position_m[2] for s in anywhere.sources), [1.3, 2 * 2.95 - 1.3], atol=0.05)


def test_row_22_the_weak_axis_is_named_and_the_region_is_long(rng):
    """Microphones all round, hardly apart in height, under a floor that excludes their mirror images."""
    turn = np.arange(8) * np.pi / 4
    positions = np.column_stack([3 + 2.5 * np.cos(turn), 2.5 + 2 * np.sin(turn), 0.4 + 0.03 * (np.arange(8) % 3)])
    estimate = arranged(
        positions, rng, source=np.array([3.4, 2.9, 0.7]), room=((0.0, 0.0, 0.45), (6.0, 5.0, 3.0)), method="srp-phat"
    )
    deviations = np.sqrt(np.diag(estimate.sources[0].covariance_m2))
    assert deviations.argmax() == 2
    assert deviations[2] > 3 * deviations[:2].max()
    assert "z is poorly determined by this array here" in note(estimate, "poor_z")


@pytest.mark.parametrize("room", [ROOM, None], ids=["beyond the wall", "beyond the box"])
@pytest.mark.parametrize(("x", "method"), [(7.0, NETWORK), (9.0, "srp-phat"), (20.0, "srp-phat")])
def test_row_23_a_source_outside_is_where_it_is_and_nobodys_fault(room, x, method):
    source = np.array([x, 2.0, 1.5])
    positions = contract_scene().microphones.positions
    estimate = arranged(positions, np.random.default_rng(1), source=source, room=room, method=method)
    assert any(np.linalg.norm(each.position_m - source) < max(0.05, each.radius90_m) for each in estimate.sources)
    assert ("outside_room" in estimate.reasons) == (room is not None)
    assert all(report.status == "ok" for report in estimate.microphones)


def pink(rng):
    """Noise of 3 dB less an octave, each microphone's own (Kellet's filter)."""
    white = rng.standard_normal((8, 16_000))
    return lfilter([0.05, -0.096, 0.0507, -0.0044], [1, -2.495, 2.017, -0.522], white, axis=1)[:, 8000:].astype(
        np.float32
    )


@pytest.mark.parametrize("make", [lambda rng: np.zeros((8, 8000)), pink], ids=["silence", "pink noise"])
def test_row_24_silence_and_noise_have_no_place(make, rng):
    estimate = answer(replace(contract_scene(), audio=make(rng)))
    assert (estimate.verdict, estimate.sources) == ("abstain", ())
    assert estimate.reasons[-1] in ("no_signal", "no_fix", "narrow_band")


def test_row_25_a_tone_has_no_single_place(rng):
    ranges = np.linalg.norm(contract_scene().microphones.positions - SOURCE, axis=1)[:, None]
    tone = np.sin(2 * np.pi * 1000 * (np.arange(8000) / RATE - ranges / 343)) / ranges
    estimate = answer(replace(contract_scene(), audio=tone + 0.001 * rng.standard_normal(tone.shape)))
    assert estimate.verdict in ("abstain", "ambiguous")
    assert "narrow_band" in estimate.reasons or len(estimate.sources) > 1


@pytest.mark.slow
def test_row_26_microphones_that_hear_an_echo_only_are_left_out(rng):
    """mic3 and mic6 stand behind a screen: what they hear comes from the image of the source in a wall."""
    scene = anechoic_scene(contract_scene(11).microphones.positions, SOURCE, np.random.default_rng(1), room=ROOM)
    image = SOURCE * [1, -1, 1]
    echoed = anechoic_scene(scene.microphones.positions, image, np.random.default_rng(1), room=ROOM)
    audio = scene.audio.copy() + 0.5 * echoed.audio
    audio[[2, 5]] = echoed.audio[[2, 5]]
    estimate = answer(replace(scene, audio=audio))
    assert gap(estimate) < 0.02
    assert (estimate.verdict, [m.weight for m in estimate.microphones if m.name in ("mic3", "mic6")]) == (
        "degraded",
        [0, 0],
    )
    assert {code.split(":")[1] for code in estimate.reasons if ":" in code} == {"mic3", "mic6"}


@pytest.mark.parametrize("count", [2, 3])
def test_row_27_several_sources_are_said_and_placed(count):
    places = np.array([SOURCE, [1.2, 3.9, 1.7], [5.0, 4.2, 0.9]])[:count]
    positions = contract_scene().microphones.positions
    heard = [anechoic_scene(positions, p, np.random.default_rng(k), room=ROOM).audio for k, p in enumerate(places)]
    estimate = answer(replace(contract_scene(), audio=sum(heard)))
    assert note(estimate, "several_sources") == f"{count} sources sound at once"
    found = np.array([source.position_m for source in estimate.sources])
    assert max(np.linalg.norm(found - p, axis=1).min() for p in places) < 0.05


@pytest.fixture(scope="module")
def walks():
    """Half a second of a voice in the twin, by speed in m/s, and what is said of it."""
    settings = {"duration_s": 0.5, "rt60_s": (0.4, 0.4), "snr_db": (20.0, 20.0), "sound_shares": {"voice": 1.0}}
    still = drawn(world_named("luvira-twin"), np.random.default_rng(5), **settings)
    scenes = {0.0: still} | {
        speed: drawn(
            world_named("luvira-twin"),
            np.random.default_rng(5),
            **settings,
            share_moving=1.0,
            moving_m_s=(speed, speed),
        )
        for speed in (0.3, 1.0)
    }
    return {speed: (scene, answer(scene)) for speed, scene in scenes.items()}


@pytest.mark.parametrize("speed", [0.3, 1.0])
def test_row_28_a_walker_is_where_they_were_in_the_middle_and_the_region_knows(walks, speed):
    scene, estimate = walks[speed]
    (source,) = estimate.sources
    assert gap(estimate, scene.truth.sources[0]) < 0.03
    assert is_inside(source, scene.truth.sources[0])
    said = json.loads(json.dumps(estimate.to_dict()))
    assert "moves" in said["reasons"]
    assert re.search(r"the source moves, about \d\.\d m/s", note(estimate, "moves"))
    assert "moves" in describe(estimate)
    assert source.radius90_m < 0.12  # that a walker's peaks do not meet is not held against the list

    way = scene.truth.track.at(0.5)[0] - scene.truth.track.at(0.0)[0]
    along = way / np.linalg.norm(way)
    across = np.cross(along, [0.0, 0.0, 1.0])
    plain = located_without_motion(scene)
    grown = source.covariance_m2 - plain.covariance_m2
    assert along @ grown @ along > 2 * abs(across @ grown @ across)
    assert np.linalg.norm(plain.position_m - scene.truth.sources[0]) > gap(estimate, scene.truth.sources[0])


def test_row_28_who_stands_keeps_place_and_region(walks):
    scene, estimate = walks[0.0]
    plain = located_without_motion(scene)
    assert "moves" not in estimate.reasons
    assert np.array_equal(estimate.sources[0].position_m, plain.position_m)
    assert np.array_equal(estimate.sources[0].covariance_m2, plain.covariance_m2)


def located_without_motion(scene):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(soundfix.localization.pipeline, "followed", lambda window, sources: (sources, ()))
        patch.setattr(soundfix.localization.sources, "list_error_m", lambda evidence, place: 0.0)
        return answer(scene).sources[0]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_row_29_too_few_microphones_have_no_place(count):
    scene = contract_scene(count)
    estimate = answer(scene)
    assert (estimate.verdict, estimate.reasons) == ("abstain", ("too_few_microphones",))
    assert f"{count} usable microphones of known position, but 4 are needed" in estimate.notes[0]


def test_row_29_three_microphones_do_at_a_known_height():
    scene = contract_scene().where(np.isin(np.arange(8), [0, 1, 6]))
    estimate = answer(scene, room=((0.0, 0.0, 1.3), (6.0, 5.0, 1.3)))
    assert min(np.linalg.norm(source.position_m - SOURCE) for source in estimate.sources) < 0.05
    assert estimate.verdict in ("degraded", "ambiguous")


@pytest.mark.parametrize("count", [64, pytest.param(256, marks=pytest.mark.slow)])
def test_row_30_many_microphones_use_some_pairs_and_say_so(count):
    scene = contract_scene(count)
    tracemalloc.start()
    estimate = answer(scene, method="srp-phat")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert gap(estimate) < 0.01
    assert f"of {count * (count - 1) // 2} pairs were used" in note(estimate, "pairs_subsampled")
    assert peak < 500e6
