"""Every fault does what it says, to the microphone named and to no other."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix.errors import SceneError
from soundfix.microphones import Microphones
from soundfix.scene import Scene, Truth
from soundfix.simulation.faults import (
    CLIPPED_SHARE,
    KINDS,
    LATE_S,
    MOVED_M,
    NAN_SHARE,
    NOISY_DB,
    OFFSET,
    Fault,
    break_scene,
    parse_fault,
)

RATE = 16_000.0
M, T = 5, 16_000
BROKEN = 2  # index of the microphone called "stand"
AUDIO_KINDS = [
    "dead", "cut", "noisy", "hum", "clipped", "nan", "dc", "inverted", "gain", "late", "drift", "mislabelled", "dropped",
    "copied",
]  # fmt: skip
PLACE_KINDS = ["moved", "unknown"]
OF_TWO = ("swapped", "relisted")
SEEDS = pytest.mark.parametrize("seed", range(5))


@pytest.fixture
def scene(rng):
    positions = np.array([[0.5, 0.5, 1.0], [4.5, 0.5, 1.5], [2.0, 3.5, 0.5], [4.5, 3.5, 2.0], [0.5, 3.5, 2.5]])
    return Scene(
        audio=(0.1 * rng.standard_normal((M, T))).astype(np.float32),
        sample_rate=RATE,
        microphones=Microphones(positions=positions, names=("door", "window", "stand", "shelf", "lamp")),
        room=((0.0, 0.0, 0.0), (5.0, 4.0, 3.0)),
        truth=Truth(sources=np.array([[1.0, 2.0, 1.0]]), rt60_s=0.3, snr_db=20.0),
    )


def broken(scene, kind, amount=None, seed=0):
    return break_scene(scene, [Fault(kind, "stand", amount)], np.random.default_rng(seed))


def channel(scene):
    return scene.audio[BROKEN].astype(np.float64)


def power_db(samples):
    return 10 * np.log10(np.mean(np.square(samples)))


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in OF_TWO])
def test_only_the_named_microphone_changes(scene, kind):
    after = broken(scene, kind)
    others = np.arange(M) != BROKEN
    assert np.array_equal(after.audio[others], scene.audio[others])
    assert np.array_equal(after.microphones.positions[others], scene.microphones.positions[others])
    assert after.microphones.is_known[others].all()


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_done_is_in_the_truth_and_the_original_is_whole(scene, kind):
    audio, positions = scene.audio.copy(), scene.microphones.positions.copy()
    after = broken(scene, kind)
    assert after.truth.faults == (f"{kind}:stand",)
    assert after.truth.rt60_s == scene.truth.rt60_s
    assert not after.audio.flags.writeable
    assert np.array_equal(scene.audio, audio)
    assert np.array_equal(scene.microphones.positions, positions)
    assert scene.truth.faults == ()


@pytest.mark.parametrize("kind", AUDIO_KINDS)
def test_a_broken_channel_stays_where_it_is(scene, kind):
    after = broken(scene, kind)
    assert not np.array_equal(after.audio[BROKEN], scene.audio[BROKEN], equal_nan=True)
    assert np.array_equal(after.microphones.border_positions(), scene.microphones.border_positions())


@pytest.mark.parametrize("kind", PLACE_KINDS)
def test_a_wrong_place_leaves_the_sound_alone(scene, kind):
    assert np.array_equal(broken(scene, kind).audio, scene.audio)


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides(scene, kind):
    one, same, other = (broken(scene, kind, seed=seed) for seed in (1, 1, 2))
    assert same_scene(one, same)
    assert same_scene(one, other) == (kind in ("dead", "inverted", "mislabelled", "unknown"))


def same_scene(one, other):
    places = (one.microphones.border_positions(), other.microphones.border_positions())
    return np.array_equal(one.audio, other.audio, equal_nan=True) and np.array_equal(*places, equal_nan=True)


def test_dead_is_silence(scene):
    assert not broken(scene, "dead").audio[BROKEN].any()


@SEEDS
def test_noisy_is_20_to_40_db_above_and_uncorrelated(scene, seed):
    noise = broken(scene, "noisy", seed=seed).audio[BROKEN] - channel(scene)
    assert NOISY_DB[0] - 0.2 < power_db(noise) - power_db(channel(scene)) < NOISY_DB[1] + 0.2
    assert abs(np.corrcoef(noise, channel(scene))[0, 1]) < 0.04


def test_noisy_obeys_its_amount(scene):
    noise = broken(scene, "noisy", 6.0).audio[BROKEN] - channel(scene)
    assert power_db(noise) - power_db(channel(scene)) == pytest.approx(6.0, abs=0.2)


@SEEDS
def test_clipped_has_10_to_50_percent_at_the_rail(scene, seed):
    after = broken(scene, "clipped", seed=seed).audio[BROKEN]
    at_rail = np.abs(after) == np.abs(after).max()
    assert CLIPPED_SHARE[0] - 0.001 < at_rail.mean() < CLIPPED_SHARE[1] + 0.001
    assert np.array_equal(after[~at_rail], scene.audio[BROKEN][~at_rail])
    assert np.array_equal(np.sign(after), np.sign(scene.audio[BROKEN]))


def test_clipped_obeys_its_amount(scene):
    after = np.abs(broken(scene, "clipped", 0.25).audio[BROKEN])
    assert (after == after.max()).mean() == pytest.approx(0.25, abs=1e-3)


@SEEDS
def test_nan_is_one_span(scene, seed):
    is_lost = np.isnan(broken(scene, "nan", seed=seed).audio[BROKEN])
    first, last = np.flatnonzero(is_lost)[[0, -1]]
    assert is_lost[first : last + 1].all()
    assert NAN_SHARE[0] - 1 / T <= is_lost.mean() <= NAN_SHARE[1] + 1 / T


def test_nan_obeys_its_amount_and_keeps_the_rest(scene):
    after = broken(scene, "nan", 0.1).audio[BROKEN]
    assert np.isnan(after).sum() == T // 10
    assert np.array_equal(after[~np.isnan(after)], scene.audio[BROKEN][~np.isnan(after)])
    assert np.isnan(broken(scene, "nan", 1.0).audio[BROKEN]).all()


@SEEDS
def test_dc_adds_a_constant(scene, seed):
    offset = broken(scene, "dc", seed=seed).audio[BROKEN] - channel(scene)
    assert OFFSET[0] <= offset.mean() <= OFFSET[1]
    assert np.ptp(offset) < 1e-6


def test_dc_obeys_its_amount(scene):
    assert broken(scene, "dc", -0.3).audio[BROKEN].mean() == pytest.approx(channel(scene).mean() - 0.3, abs=1e-6)


def test_inverted_turns_every_sign(scene):
    assert np.array_equal(broken(scene, "inverted").audio[BROKEN], -scene.audio[BROKEN])


@SEEDS
def test_late_shifts_by_1_to_15_ms(scene, seed):
    after = broken(scene, "late", seed=seed).audio[BROKEN]
    count = np.flatnonzero(after)[0]
    assert LATE_S[0] * RATE - 0.5 <= count <= LATE_S[1] * RATE + 0.5
    assert np.array_equal(after[count:], scene.audio[BROKEN][: T - count])


@pytest.mark.parametrize(("amount", "samples"), [(0.0, 0), (0.005, 80), (0.999, 15_984)])
def test_late_obeys_its_amount_and_nothing_comes_round_again(scene, amount, samples):
    after = broken(scene, "late", amount).audio[BROKEN]
    assert not after[:samples].any()
    assert np.array_equal(after[samples:], scene.audio[BROKEN][: T - samples])


@SEEDS
def test_cut_is_whole_before_and_silent_after(scene, seed):
    after = broken(scene, "cut", seed=seed).audio[BROKEN]
    first = int(np.flatnonzero(after)[-1]) + 1
    assert 0.2 * T - 1 <= first <= 0.8 * T + 1
    assert np.array_equal(after[:first], scene.audio[BROKEN, :first])
    assert not broken(scene, "cut", 0.25).audio[BROKEN, 4000:].any()


def test_hum_is_the_mains_and_as_loud_as_said(scene):
    hum = broken(scene, "hum", 20.0).audio[BROKEN] - channel(scene)
    power = np.abs(np.fft.rfft(hum)) ** 2
    assert power_db(hum) - power_db(channel(scene)) == pytest.approx(20.0, abs=0.1)
    assert power.argmax() == 50
    assert power[50:501:50].sum() > 0.99 * power.sum()


@SEEDS
def test_gain_is_within_60_db_and_nothing_else(scene, seed):
    ratio = broken(scene, "gain", seed=seed).audio[BROKEN] / scene.audio[BROKEN]
    assert 1e-3 <= np.median(ratio) <= 1e3
    assert np.allclose(ratio, np.median(ratio), rtol=1e-4)
    assert np.allclose(broken(scene, "gain", 2.0).audio[BROKEN], 2 * scene.audio[BROKEN])


def lag_near(one, other, middle, reach=64, half=1000):
    """By how many samples `other` comes later round this place."""
    part = one[middle - half : middle + half]
    match = [part @ other[middle - half + lag : middle + half + lag] for lag in range(-reach, reach + 1)]
    return int(np.argmax(match)) - reach


def test_drift_grows_with_time(scene):
    after = broken(scene, "drift", 1000.0).audio[BROKEN].astype(np.float64)
    assert [lag_near(channel(scene), after, middle) for middle in (2000, 8000, 14000)] == [-2, -8, -14]


def test_a_mislabelled_channel_is_longer(scene):
    same, after = (broken(scene, "mislabelled", ratio).audio[BROKEN].astype(np.float64) for ratio in (1.0, 1.25))
    assert lag_near(channel(scene), same, 8000) == 0
    spectra = [np.abs(np.fft.rfft(x)) for x in (channel(scene), after)]
    assert spectra[1][6600:].mean() < 0.1 * spectra[0][6600:].mean()  # of 8000 bins nothing is left beyond 6400


def test_dropped_samples_make_the_rest_come_early(scene):
    after = broken(scene, "dropped", 50.0).audio[BROKEN].astype(np.float64)
    assert [lag_near(channel(scene), after, middle) for middle in (2500, 12000)] == [0, -50]
    assert not after[-50:].any()


def test_copied_is_another_channel_twice(scene):
    assert np.array_equal(broken(scene, "copied", 5.0).audio[BROKEN], scene.audio[4])


def test_relisted_exchanges_two_rows_and_leaves_the_sound(scene):
    after = broken(scene, "relisted", 5.0)
    assert np.array_equal(after.microphones.positions, scene.microphones.positions[[0, 1, 4, 3, 2]])
    assert np.array_equal(after.audio, scene.audio)
    assert np.array_equal(after.truth.positions, scene.microphones.positions)


@SEEDS
def test_swapped_exchanges_two_channels(scene, seed):
    after = broken(scene, "swapped", seed=seed).audio
    differs = np.flatnonzero((after != scene.audio).any(axis=1))
    (other,) = differs[differs != BROKEN]
    assert len(differs) == 2
    assert np.array_equal(after[[BROKEN, other]], scene.audio[[other, BROKEN]])


def test_swapped_obeys_its_amount_and_undoes_itself(scene):
    once = broken(scene, "swapped", 5.0)
    assert np.array_equal(once.audio[4], scene.audio[BROKEN])
    assert np.array_equal(broken(once, "swapped", 5.0).audio, scene.audio)
    assert np.array_equal(once.microphones.positions, scene.microphones.positions)


@pytest.mark.parametrize("amount", [None, 0.3, 1.5])
@SEEDS
def test_moved_is_so_far_and_inside_the_room(scene, amount, seed):
    place = broken(scene, "moved", amount, seed=seed).microphones.positions[BROKEN]
    assert np.linalg.norm(place - scene.microphones.positions[BROKEN]) == pytest.approx(amount or MOVED_M)
    assert (place >= scene.room[0]).all()
    assert (place <= scene.room[1]).all()


def test_unknown_has_no_position(scene):
    after = broken(scene, "unknown").microphones
    assert not after.is_known[BROKEN]
    assert np.isnan(after.border_positions()[BROKEN]).all()


def test_faults_add_up_in_order(scene, rng):
    after = break_scene(scene, [Fault("inverted", "1"), Fault("dc", "door", 0.5), Fault("dead", "shelf")], rng)
    assert after.truth.faults == ("inverted:door", "dc:door", "dead:shelf")
    assert after.audio[0] == pytest.approx(0.5 - scene.audio[0])
    assert not after.audio[3].any()


def test_no_fault_and_no_truth(scene, rng):
    assert break_scene(scene, [], rng) is scene
    after = break_scene(replace(scene, truth=None), [Fault("dead", "1")], rng)
    assert after.truth is None
    assert not after.audio[0].any()


@pytest.mark.parametrize(("text", "index"), [("dead:3", 2), ("dead:stand", 2), ("dead:1", 0), ("dead:5", 4)])
def test_microphones_go_by_number_from_1_or_by_name(scene, rng, text, index):
    is_silent = ~break_scene(scene, [parse_fault(text)], rng).audio.any(axis=1)
    assert np.flatnonzero(is_silent).tolist() == [index]


def test_a_name_wins_over_a_number(scene, rng):
    odd = replace(scene, microphones=replace(scene.microphones, names=("3", "a", "b", "c", "d")))
    assert break_scene(odd, [Fault("dead", "3")], rng).truth.faults == ("dead:3",)
    assert not break_scene(odd, [Fault("dead", "3")], rng).audio[0].any()


def test_parsing():
    assert parse_fault("late:3") == Fault("late", "3", None)
    assert parse_fault("late:mic7:0.005") == Fault("late", "mic7", 0.005)
    assert parse_fault("noisy:stand:-3") == Fault("noisy", "stand", -3.0)


@pytest.mark.parametrize("text", ["late", "broken:3", "late:1:2:3", ""])
def test_parsing_says_what_is_wanted_and_lists_the_kinds(text):
    with pytest.raises(SceneError, match=r"KIND:MICROPHONE.*dead, cut, noisy.*late.*swapped"):
        parse_fault(text)


@pytest.mark.parametrize(("text", "message"), [("late:1:soon", "'soon' is no number"), ("late:1:nan", "finite")])
def test_parsing_refuses_amounts_that_are_none(text, message):
    with pytest.raises(SceneError, match=message):
        parse_fault(text)


@pytest.mark.parametrize("microphone", ["0", "6", "-1", "mic1", "", "²"])
def test_a_microphone_that_does_not_exist(scene, rng, microphone):
    with pytest.raises(SceneError, match=r"no microphone .*door, window, stand, shelf, lamp, or numbers from 1"):
        break_scene(scene, [Fault("dead", microphone)], rng)


def test_a_kind_that_does_not_exist_lists_those_that_do(scene):
    with pytest.raises(SceneError, match=r"no fault is called 'melted'; there are dead, cut, noisy, .*unknown"):
        broken(scene, "melted")


@pytest.mark.parametrize(
    ("kind", "amount", "message"),
    [
        ("clipped", 25.0, "in percent"),
        ("clipped", 0.0, "share above 0"),
        ("nan", 1.5, "in percent"),
        ("nan", -0.1, "share above 0"),
        ("late", -0.001, "wanted 0 to the length"),
        ("late", 1.0, "wanted 0 to the length"),
        ("swapped", 3.0, "another one, 1 to 5"),
        ("swapped", 6.0, "another one, 1 to 5"),
        ("relisted", 3.0, "another one, 1 to 5"),
        ("copied", 3.0, "another one, 1 to 5"),
        ("cut", 1.0, "length of the recording"),
        ("mislabelled", 100.0, "ratio of sample rates"),
        ("dropped", 8000.0, "a quarter of the recording"),
        ("moved", 30.0, "no place in the room"),
    ],
)
def test_amounts_out_of_range(scene, kind, amount, message):
    with pytest.raises(SceneError, match=message):
        broken(scene, kind, amount)


def test_an_unknown_position_cannot_be_wrong(scene):
    with pytest.raises(SceneError, match="stand has no position to be wrong"):
        broken(broken(scene, "unknown"), "moved")
