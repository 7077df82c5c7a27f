"""What few sounds tell of recorders in the field, on arrivals made by formula."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.field import SPEED_M_S, field_arrivals
from soundfix.calibration import field
from soundfix.calibration.field import tell_clocks
from soundfix.microphones import Microphones

ON_TIME_S = np.zeros(9)
LATE_S = np.array([0.0, 0.03, 0.0, 0.0, -0.02, 0.0, 0.0, 0.0, 0.0])


def told(seed, late_s, *, gps_m=0.5, sounds=5, clocks="common", moved=None, declared=True, **more):
    arrivals, places, rng = field_arrivals(seed, late_s, sounds=sounds, **more)
    listed = places + gps_m * rng.standard_normal(places.shape)
    if moved:
        listed[moved[0]] += moved[1]
    sigma_m = np.full(9, gps_m if declared else 0.0)
    return tell_clocks(arrivals, Microphones(positions=listed, sigma_m=sigma_m), SPEED_M_S, clocks=clocks)


def findings(calibration):
    return [repair.finding for repair in calibration.repairs]


def test_clocks_that_are_off_are_found_and_put_into_the_list():
    found = told(1, LATE_S)
    assert [kind == "late" for kind in findings(found)] == list(LATE_S != 0)
    assert found.microphones.offset_s == pytest.approx(LATE_S, abs=5e-3)
    assert found.tells_clocks_only
    assert not found.is_doubtful
    off = np.array([repair.offset_s for repair in found.repairs]) - LATE_S
    assert (np.abs(off) < 3 * np.array([repair.offset_sigma_s for repair in found.repairs])).all()


@pytest.mark.parametrize("gps_m", [0.3, 1.0])
def test_three_sounds_accuse_nobody_who_is_on_time(gps_m):
    for seed in range(3):
        found = told(seed, ON_TIME_S, gps_m=gps_m, sounds=3)
        assert set(findings(found)) <= {"on time", "unsure"}
        assert (found.microphones.offset_s == 0).all()


def test_nobody_is_called_good():
    """Of positions nothing is told that the list does not say."""
    found = told(1, LATE_S)
    assert "good" not in findings(found)
    assert (found.microphones.sigma_m == 0.5).all()


def test_who_stands_elsewhere_is_not_said_to_be_late_or_on_time():
    for seed in range(2):
        found = told(seed, ON_TIME_S, moved=(4, [12.0, -9.0, 0.0]), sounds=6)
        kinds = findings(found)
        assert kinds[4] in ("elsewhere", "unsure")
        assert set(kinds[:4] + kinds[5:]) <= {"on time", "unsure"}


def test_a_place_that_is_wrong_is_named_and_as_unsure_as_that():
    found = told(2, ON_TIME_S, moved=(4, [12.0, -9.0, 0.0]), sounds=8, noise_m=0.0, gps_m=0.3)
    assert findings(found)[4] == "elsewhere"
    assert found.microphones.sigma_m[4] > 8
    assert found.microphones.sigma_m[0] == pytest.approx(0.3)


def test_free_clocks_are_told_by_that_of_the_first_who_hears():
    late_s = np.random.default_rng(5).uniform(-0.05, 0.05, 9)
    found = told(3, late_s, gps_m=0.3, sounds=5, clocks="free")
    assert found.reference == "mic1"
    off = np.array([repair.offset_s for repair in found.repairs]) - (late_s - late_s[0])
    assert (np.abs(off) < 3.5 * np.array([repair.offset_sigma_s for repair in found.repairs]) + 1e-9).all()
    assert findings(found).count("late") >= 5


def test_a_recorder_that_hears_nothing_is_no_reference_and_unheard():
    arrivals, places, _ = field_arrivals(3, ON_TIME_S)
    arrivals.path_m[:, 0] = np.nan
    found = tell_clocks(arrivals, Microphones(positions=places), SPEED_M_S, clocks="free")
    assert (found.reference, findings(found)[0]) == ("mic2", "unheard")


def test_clocks_that_all_run_freely_but_are_said_not_to_are_doubtful():
    for seed in range(2):
        late_s = np.random.default_rng(seed).uniform(-0.05, 0.05, 9)
        found = told(seed, late_s)
        assert any("--free-clocks" in doubt for doubt in found.doubts)
        assert "on time" not in findings(found)


def test_sounds_at_one_place_are_doubtful():
    arrivals, places, _ = field_arrivals(1, ON_TIME_S, sounds=1)
    again = type(arrivals)(
        path_m=np.repeat(arrivals.path_m, 4, axis=0),
        sigma_m=np.repeat(arrivals.sigma_m, 4, axis=0),
        times_s=np.arange(4.0),
    )
    found = tell_clocks(again, Microphones(positions=places), SPEED_M_S, clocks="common")
    assert any("places only" in doubt for doubt in found.doubts)


def test_positions_worse_than_they_are_said_to_be_are_doubtful_and_no_clock_is_corrected():
    for seed in range(2):
        found = told(seed, ON_TIME_S, sounds=6, gps_m=3.0, declared=False)
        assert found.is_doubtful
        assert "on time" not in findings(found)
        assert (found.microphones.offset_s == 0).all()
    assert not told(0, ON_TIME_S, sounds=6, gps_m=3.0).is_doubtful


def test_standard_errors_grow_with_errors_of_positions():
    arrivals, places, rng = field_arrivals(2, ON_TIME_S, sounds=6)
    listed = Microphones(positions=places + 1.5 * rng.standard_normal(places.shape), sigma_m=np.full(9, 0.75))
    case = field._case(arrivals, listed, SPEED_M_S, "common", 0)
    assert 1.2 < case.size < 2.2
    sigma_m = SPEED_M_S * min(field._finding(m, case).offset_sigma_s / case.best.offset_sigma_m[m] for m in range(9))
    assert sigma_m >= 0.999 * case.size


def test_a_speed_of_sound_that_cannot_be_is_told_with_its_doubt():
    """What was heard is stretched by a quarter: as it would be in air in which sound is a fifth slower."""
    arrivals, places, _ = field_arrivals(1, ON_TIME_S, sounds=6)
    slow = replace(arrivals, path_m=1.25 * arrivals.path_m)
    found = tell_clocks(slow, Microphones(positions=places, sigma_m=np.full(9, 0.1)), SPEED_M_S, clocks="common")
    assert found.speed_m_s == pytest.approx(SPEED_M_S / 1.25, rel=0.02)
    assert any(
        f"a speed of sound of {found.speed_m_s:.0f} m/s fits best, 340 was told" in each for each in found.doubts
    )


def test_a_late_clock_may_as_well_be_nearly_on_time():
    """Six milliseconds late, of four sounds and positions good to half a metre: two would explain them about as well."""
    arrivals, places, rng = field_arrivals(1, 0.006 * np.sign(LATE_S), sounds=4)
    listed = Microphones(positions=places + 0.5 * rng.standard_normal(places.shape), sigma_m=np.full(9, 0.5))
    case = field._case(arrivals, listed, SPEED_M_S, "common", 0)
    late_m, instead_m = float(case.best.offset_m[1]), field._clock_instead(1, case)
    assert late_m > 4e-3 * SPEED_M_S
    assert 0 < instead_m < late_m / 2
    assert field._finding(1, case).offset_sigma_s * SPEED_M_S > late_m - instead_m
