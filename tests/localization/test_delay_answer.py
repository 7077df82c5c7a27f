"""From delays to an answer: verdicts, places in a plane, what is known of positions and clocks."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.tables import HEIGHT_M, playback
from soundfix import physics
from soundfix.delays import Delays, arrivals
from soundfix.localization import delay_answer
from soundfix.localization.delay_answer import Surroundings, locate_delays
from soundfix.microphones import Microphones
from soundfix.physics import SPEED_OF_SOUND_M_S
from soundfix.search_region import SearchRegion

FLAT = np.array([[0.0, 0, 1], [100, 0, 1], [0, 100, 1], [100, 100, 1], [50, 20, 1], [30, 80, 1]])


def answer(positions, times_s, rng, *, search=None, **columns):
    around = Surroundings(
        microphones=Microphones(positions=positions, **columns), search=search, speed_m_s=SPEED_OF_SOUND_M_S
    )
    (delays,) = arrivals(np.array([times_s]))
    return locate_delays(delays, around, rng)


def heard(positions, source):
    return np.linalg.norm(positions - source, axis=1) / SPEED_OF_SOUND_M_S


def height(metres):
    return SearchRegion.of(None, metres)


def test_without_fault_it_is_ok(rng):
    positions, sources, times_s, _ = playback(1, wrong=0.0, places=1)
    found = answer(positions, times_s[0], rng, search=height(HEIGHT_M))
    assert (found.verdict, found.reasons, found.method, found.event.label) == ("ok", (), "delays", "event1")
    assert found.sources[0].position_m == pytest.approx(sources[0], abs=0.5)
    assert found.start_s == found.end_s == pytest.approx(1.0, abs=0.01)
    assert found.sources[0].covariance_m2[2].tolist() == [0, 0, 0]


def test_wrong_ones_are_named_and_cost_the_ok(rng):
    positions, _, times_s, is_wrong = playback(2, places=1)
    found = answer(positions, times_s[0], rng, search=height(HEIGHT_M))
    assert found.verdict == "degraded"
    assert set(found.reasons) == {f"excluded:mic{m + 1}" for m in np.flatnonzero(is_wrong[0])}


def test_too_few(rng):
    found = answer(FLAT[:3], heard(FLAT[:3], [40, 40, 1]), rng)
    assert (found.verdict, found.reasons) == ("abstain", ("too_few_microphones",))
    assert (found.start_s, found.end_s, found.event.start_s, found.event.end_s) == (0, 0, 0, 0)
    assert "3 microphones of known position have delays, and a place needs 4" in found.notes[0]


def test_as_many_as_unknowns_check_nothing(rng):
    found = answer(FLAT[:3], heard(FLAT[:3], [40, 40, 1]), rng, search=height(1))
    assert "no_integrity_check" in found.reasons
    assert found.verdict != "ok"


@pytest.mark.parametrize("count", [4, 6, 12])
def test_delays_of_no_common_sound(count, rng):
    """With one to check and with many; with none, unless they all fit by chance."""
    positions = rng.uniform(0, [300, 300, 30], (count, 3))
    level = [answer(positions, rng.uniform(0, 0.8, count), rng, search=height(1)) for _ in range(12)]
    free = [answer(positions, rng.uniform(0, 0.8, count), rng) for _ in range(12)]
    assert sum(found.reasons == ("no_fix",) for found in level) >= 11
    assert sum(found.verdict == "abstain" for found in free) >= 11


def test_in_the_plane_of_the_microphones_there_is_no_mirror_image(rng):
    found = answer(FLAT, heard(FLAT, [40, 60, 1]), rng)
    assert found.verdict == "ok"
    assert found.sources[0].position_m == pytest.approx([40, 60, 1], abs=0.05)
    assert found.sources[0].covariance_m2[2, 2] > 1.0


def test_heights_over_the_plane_are_as_uncertain_as_delays_hardly_tell_them(rng, monkeypatch):
    """A place that much higher is further from the microphones by one standard error."""
    fits, thick = [], delay_answer._thick
    monkeypatch.setattr(delay_answer, "_thick", lambda *told: fits.append((told[0], thick(*told))) or fits[-1][1])
    answer(FLAT, heard(FLAT, [40, 60, 1]), rng)
    before, after = fits[0]
    height_m = np.sqrt((after.covariance - before.covariance)[2, 2])
    ranges_m = np.linalg.norm(FLAT - before.position, axis=1)
    assert np.median(np.hypot(ranges_m, height_m) - ranges_m) == pytest.approx(before.sigma_m, rel=0.05)


def test_far_above_the_plane_there_is(rng):
    found = answer(FLAT, heard(FLAT, [40, 60, 31]), rng)
    assert (found.verdict, found.reasons[0]) == ("ambiguous", "mirror_twin")
    assert sorted(each.position_m[2] for each in found.sources) == pytest.approx([-29, 31], abs=0.2)
    above = answer(FLAT, heard(FLAT, [40, 60, 31]), rng, search=height((0, 50)))
    assert above.verdict == "ok"
    assert above.sources[0].position_m == pytest.approx([40, 60, 31], abs=0.3)


def test_on_a_line_there_is_a_circle(rng):
    line = FLAT[:6] * [1, 0, 1]
    line[:, 0] = [0, 20, 45, 70, 80, 100]
    found = answer(line, heard(line, [40, 30, 1]), rng)
    assert (found.verdict, found.reasons[0]) == ("ambiguous", "collinear")


def test_outside_the_region_is_said_with_the_place(rng):
    region = SearchRegion.of(((60, 0, 1), (100, 100, 1)))
    found = answer(FLAT, heard(FLAT, [40, 60, 1]), rng, search=region)
    assert (found.verdict, found.reasons) == ("abstain", ("outside_search",))
    assert "(40.0" in found.notes[0]


def test_at_the_border_of_the_region(rng):
    region = SearchRegion.of(((40, 0, 1), (100, 100, 1)))
    assert answer(FLAT, heard(FLAT, [40.01, 60, 1]), rng, search=region).reasons == ("at_border",)


def test_far_outside_the_microphones(rng):
    found = answer(FLAT, heard(FLAT, [220, 60, 1]), rng, search=height(1))
    assert found.reasons[0] == "at_border"
    assert found.sources[0].position_m == pytest.approx([220, 60, 1], abs=1.0)


def test_what_clocks_are_late_is_taken_out(rng):
    late_s = np.array([0.1, 0, 0, 0, -0.2, 0])
    found = answer(FLAT, heard(FLAT, [40, 60, 1]) + late_s, rng, offset_s=late_s, search=height(1))
    assert found.verdict == "ok"
    assert found.sources[0].position_m == pytest.approx([40, 60, 1], abs=0.05)


def test_unknown_positions_do_not_count(rng):
    positions = FLAT.copy()
    positions[5] = np.nan
    found = answer(positions, heard(FLAT, [40, 60, 1]), rng, search=height(1))
    assert found.verdict == "ok"
    assert (found.microphones[5].status, found.microphones[5].position_m) == ("unknown-position", None)


def test_errors_of_positions_make_regions_larger(rng):
    times_s = heard(FLAT, [40, 60, 1])
    exact, rough = (
        answer(FLAT, times_s, rng, search=height(1), sigma_m=np.full(6, sigma_m)).sources[0].radius90_m
        for sigma_m in (0.0, 3.0)
    )
    assert rough > 2 * exact


def test_regions_hold_nine_of_ten_in_any_wind_that_is_told_of(rng):
    """The wind carries all delays away together, so that of independent errors as large a third would be enough."""
    held: dict[float, list[bool]] = {0.0: [], 0.01: []}
    for _ in range(40):
        place, wind = np.append(rng.uniform(20, 80, 2), 1.0), np.append(0.01 * rng.standard_normal(2), 0.0)
        ranges_m = physics.distances(place, FLAT)
        heard_m = ranges_m**2 / (ranges_m + (FLAT - place) @ wind) + 0.1 * rng.standard_normal(6)
        for share, count in held.items():
            around = Surroundings(
                microphones=Microphones(positions=FLAT),
                search=height(1),
                speed_m_s=SPEED_OF_SOUND_M_S,
                wind_share=share,
            )
            times_s = heard_m / SPEED_OF_SOUND_M_S
            delays = Delays(
                label="a", first=np.arange(6), delay_s=times_s, sigma_s=np.full(6, 0.1 / SPEED_OF_SOUND_M_S)
            )
            for source in locate_delays(delays, around, rng).sources[:1]:
                off = (place - source.position_m)[:2]
                count.append(bool(off @ np.linalg.solve(source.covariance_m2[:2, :2], off) <= 4.605))
    assert len(held[0.01]) >= 38
    assert 0.83 <= np.mean(held[0.01]) <= 0.99
    assert np.mean(held[0.0]) < np.mean(held[0.01]) - 0.2


def test_sigma_of_delays_counts(rng):
    """Four that are told to be bad move the place no more than they may."""
    around = Surroundings(microphones=Microphones(positions=FLAT), search=height(1), speed_m_s=SPEED_OF_SOUND_M_S)
    times_s = heard(FLAT, np.array([40, 60, 1])) + np.array([0, 0, 0, 0, 0.006, 0])
    delays = Delays(label="a", first=np.arange(6), delay_s=times_s, sigma_s=np.array([1e-5] * 4 + [0.01, 1e-5]))
    found = locate_delays(delays, around, rng)
    assert found.verdict == "ok"
    assert found.sources[0].position_m == pytest.approx([40, 60, 1], abs=0.01)
    alike = locate_delays(replace(delays, sigma_s=np.full(6, 1e-5)), around, rng)
    assert alike.reasons == ("excluded:mic5",)


def test_six_with_two_wrong_are_no_sure_thing(rng):
    """Where anything else fits as well, it is not said to be the place."""
    positions, sources, times_s, _ = playback(8, recorders=6, wrong=1 / 3)
    found = [answer(positions, times, rng, search=height(HEIGHT_M)) for times in times_s]
    off = [
        np.linalg.norm(each.sources[0].position_m - source)
        for each, source in zip(found, sources, strict=True)
        if each.verdict in ("ok", "degraded")
    ]
    assert sum(error > 5 for error in off) <= 3


def test_a_place_just_outside_the_region_is_taken_to_its_border(rng):
    """Recorders on a slope tell heights to metres; below the ground is not where it was."""
    positions = FLAT + np.array([[0, 0, 0], [0, 0, 5], [0, 0, 2], [0, 0, 9], [0, 0, 4], [0, 0, 7]])
    times_s = heard(positions, [40, 60, 1]) + 1e-3 * np.array([1, -1, 1, -1, 0, 0.5])
    free = answer(positions, times_s, rng, search=SearchRegion.of(None, (-60, 60)))
    height_m = free.sources[0].position_m[2]
    above = answer(positions, times_s, rng, search=SearchRegion.of(None, (height_m + 20, height_m + 80)))
    assert above.reasons[0] == "at_border"
    assert above.sources[0].position_m[2] >= height_m + 20 - 1e-6


def test_a_pair_table_names_what_is_wrong(rng):
    """All pairs of eight recorders, of which one pair is wrong by itself, and a microphone."""
    positions, sources, times_s, _ = playback(9, recorders=8, wrong=0.0, places=1)
    times_s[0, 6] += 0.05
    first, second = np.triu_indices(8, 1)
    delay_s = times_s[0, first] - times_s[0, second]
    delay_s[(first == 1) & (second == 3)] -= 0.02
    around = Surroundings(
        microphones=Microphones(positions=positions), search=height(HEIGHT_M), speed_m_s=SPEED_OF_SOUND_M_S
    )
    found = locate_delays(Delays(label="a", first=first, second=second, delay_s=delay_s), around, rng)
    assert set(found.reasons) == {"excluded:mic7", "pair:mic2/mic4"}
    assert found.sources[0].position_m == pytest.approx(sources[0], abs=1.0)
    assert found.microphones[6].pull_m == pytest.approx(0.05 * SPEED_OF_SOUND_M_S, abs=1.0)
