"""What goes wrong with microphones, files and lists, and what users expect then: the whole way, from sound to answer.

The number in a test's name is that of the row in the list of faults that soundfix is built against. What is tested of
single parts is in their own files; here is what a user sees.
"""

from functools import cache

import numpy as np
import pytest

from helpers.faults import NETWORK, OTHERS, answer, broken, gap, note, with_channel
from helpers.scenes import drawn
from soundfix.simulation.faults import Fault, break_scene
from soundfix.simulation.worlds import world_named
from soundfix.testing import SOURCE, contract_scene

LOUD_DB = [20.0, 30.0, 40.0]


@cache
def of_all():
    return answer(contract_scene())


@cache
def of_the_others():
    return answer(contract_scene().where(OTHERS))


@pytest.mark.parametrize("make", [np.zeros, lambda n: np.full(n, 0.3), lambda n: np.arange(n) % 2 / 32768])
def test_row_01_a_dead_microphone_leaves_the_answer_of_the_others(make):
    estimate = answer(with_channel(contract_scene(), make(8000)))
    assert (estimate.verdict, estimate.reasons) == ("degraded", ("dead:mic3",))
    assert (estimate.microphones[2].status, estimate.microphones[2].weight) == ("dead", 0.0)
    assert gap(estimate, of_the_others().sources[0].position_m) < 1e-3


@pytest.mark.parametrize("offset", [0.05, 0.12, 1.0, 10.0, -0.5])
def test_row_03_an_offset_is_removed_and_told_above_a_tenth_of_full_scale(offset):
    estimate = answer(broken("dc", offset))
    assert gap(estimate, of_all().sources[0].position_m) < 1e-3
    assert (estimate.verdict, estimate.microphones[2].status) == ("ok", "ok")
    assert ("dc:mic3" in estimate.reasons) == (abs(offset) > 0.1)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.45, 0.6, 0.9])
def test_row_04_clipping_is_flagged_weighs_less_and_ruin_is_left_out(share):
    estimate = answer(broken("clipped", share))
    assert (estimate.verdict, estimate.microphones[2].status) == ("degraded", "clipped")
    assert note(estimate, "clipped:mic3") == "mic3: is clipped"
    assert estimate.microphones[2].weight == pytest.approx(1 - share if share < 0.5 else 0, abs=0.01)
    assert gap(estimate) < 0.01


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("count", [1, 800, 8000])
def test_row_05_bad_samples_cost_their_share_and_one_costs_nothing(bad, count, rng):
    samples = contract_scene().audio[2].copy()
    samples[rng.permutation(8000)[:count]] = bad
    estimate = answer(with_channel(contract_scene(), samples))
    assert estimate.microphones[2].weight == pytest.approx(1 - count / 8000, abs=0.001)
    assert any(code in ("nan:mic3", "dead:mic3") for code in estimate.reasons)
    assert gap(estimate) < 0.01


@pytest.mark.parametrize("db", LOUD_DB)
def test_row_06_a_noisy_microphone_is_named_and_left_out(db):
    estimate = answer(broken("noisy", db))
    assert (estimate.verdict, estimate.reasons) == ("degraded", ("noisy:mic3",))
    assert (estimate.microphones[2].status, estimate.microphones[2].weight) == ("noisy", 0.0)
    assert gap(estimate, of_the_others().sources[0].position_m) < 1e-3


@pytest.mark.parametrize("db", LOUD_DB)
def test_row_06_in_a_live_room_noise_harms_no_answer(db):
    scene = drawn(world_named("luvira-twin"), np.random.default_rng(3)).part(0, 8000)
    assert gap(answer(broken("noisy", db, scene=scene)), scene.truth.sources[0]) < 0.02


@pytest.mark.parametrize("db", LOUD_DB)
@pytest.mark.parametrize("method", ["srp-phat", NETWORK], ids=["srp-phat", "three-stream"])
def test_row_06_hum_is_filtered_out_and_told_and_the_microphone_stays(method, db):
    estimate = answer(broken("hum", db), method=method)
    assert note(estimate, "hum:mic3") == "mic3: mains hum; it was filtered out"
    assert (estimate.verdict, estimate.microphones[2].status, estimate.microphones[2].weight) == ("ok", "ok", 1.0)
    assert gap(estimate) < 0.01


def test_row_07_a_reversed_polarity_is_corrected_and_told():
    estimate = answer(broken("inverted"))
    assert (estimate.reasons, estimate.microphones[2].status) == (("inverted:mic3",), "inverted")
    assert estimate.microphones[2].weight == 1
    assert gap(estimate, of_all().sources[0].position_m) < 1e-3


@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_row_08_a_gain_has_no_effect(factor):
    plain, loud = of_all(), answer(broken("gain", factor))
    assert gap(loud, plain.sources[0].position_m) < 1e-3
    assert (loud.verdict, loud.reasons) == (plain.verdict, plain.reasons) == ("ok", ())
    assert [m.weight for m in loud.microphones] == [m.weight for m in plain.microphones]


def test_row_19_the_same_channel_twice_is_no_second_ear():
    estimate = answer(broken("copied", 1.0))
    assert (estimate.microphones[2].status, estimate.microphones[2].weight) == ("duplicate", 0.0)
    assert note(estimate, "duplicate:mic3") == "mic3: has the very same samples as another channel"
    assert gap(estimate, of_the_others().sources[0].position_m) < 1e-3


def test_row_19_a_copy_makes_no_array_of_five_of_four():
    estimate = answer(broken("copied", 1.0, scene=contract_scene(5)))
    assert "no_integrity_check" in estimate.reasons


@pytest.fixture(scope="module")
def studio():
    """Half a second of someone in a live room, and which microphone is late in it."""
    scene = drawn(
        world_named("luvira-twin"), np.random.default_rng(12), duration_s=0.5, rt60_s=(0.4, 0.4), snr_db=(20.0, 20.0)
    )
    late = break_scene(scene, [Fault("late", "9", 0.007)], np.random.default_rng(0))
    return late, answer(late)


@pytest.mark.parametrize("change", ["exchanged", "dropped", "noise"])
def test_row_01_to_16_what_is_flagged_does_not_matter(studio, change, rng):
    """Another sound in the flagged channel, or none, or no such microphone: the answer stays within its region."""
    late, before = studio
    assert before.microphones[8].weight == 0.0
    if change == "dropped":
        other = late.where(np.arange(11) != 8)
    elif change == "exchanged":
        other = with_channel(late, late.audio[3], 8)
    else:
        other = with_channel(late, late.audio[8].std() * rng.standard_normal(late.audio.shape[1]), 8)
    assert gap(answer(other), before.sources[0].position_m) < before.sources[0].radius90_m


def test_row_18_one_window_tells_of_an_unknown_position_only_the_distance():
    scene = contract_scene()
    estimate = answer(broken("unknown", scene=scene))
    report = estimate.microphones[2]
    assert (report.status, report.weight, report.position_m) == ("unknown-position", 0.0, None)
    away = float(np.linalg.norm(scene.microphones.positions[2] - SOURCE))
    assert report.range_m == pytest.approx(away, abs=0.02)
    on_a_sphere = (
        f"on a sphere of {report.range_m:.2f} m ± 2 cm round the source: radius only, one window knows no more"
    )
    assert note(estimate, "radius_only:mic3") == f"mic3: position unknown; {on_a_sphere}"
    assert gap(estimate, answer(scene.where(OTHERS)).sources[0].position_m) < 1e-3
