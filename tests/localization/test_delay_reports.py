"""Whose delays are wrong: of arrivals, of pairs, of pairs that are wrong by themselves."""

import numpy as np
import pytest

from soundfix import physics
from soundfix.delays import Delays
from soundfix.localization.delay_fit import Fit
from soundfix.localization.delay_reports import report_delays, report_unheard, wrong_pairs
from soundfix.microphones import Microphones

POSITIONS = np.array([[0.0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 10], [5, 5, 0]])
MICROPHONES = Microphones(positions=POSITIONS)


def fit(is_right, misfit_m):
    return Fit(
        position=np.zeros(3),
        covariance=np.eye(3),
        probability=1.0,
        support=9.0,
        moment_m=0.0,
        sigma_m=0.1,
        is_right=np.array(is_right, dtype=float),
        misfit_m=np.array(misfit_m, dtype=float),
    )


def all_pairs(is_wrong):
    """The delays of all pairs, of which these are 5 m off, and the fit that says so."""
    pairs = physics.pair_indices(5)
    wrong = np.array([is_wrong(*pair) for pair in pairs.tolist()])
    delays = Delays(label="a", first=pairs[:, 0], second=pairs[:, 1], delay_s=np.zeros(len(pairs)))
    return delays, fit(~wrong, 5.0 * wrong)


def test_wrong_arrivals_are_their_microphones():
    reports, findings = report_delays(fit([1, 0.1, 0.9, 1], [0, 3, 0, 0]), np.eye(5)[:4], MICROPHONES)
    assert [report.status for report in reports] == ["ok", "excluded", "ok", "ok", "ok"]
    assert [report.weight for report in reports] == [1, 0, 0.9, 1, 0]
    assert (reports[1].pull_m, reports[4].pull_m) == (3, None)
    assert [finding.code for finding in findings] == ["excluded:mic2"]
    assert "3.00 m too late" in findings[0].sentence


def test_a_microphone_whose_pairs_are_all_wrong():
    delays, best = all_pairs(lambda i, j: 2 in (i, j))
    reports, findings = report_delays(best, delays.incidence(5), MICROPHONES)
    assert [finding.code for finding in findings] == ["excluded:mic3"]
    assert list(wrong_pairs(best, delays, reports, 343.0)) == []


def test_a_pair_that_is_wrong_by_itself():
    delays, best = all_pairs(lambda i, j: (i, j) == (1, 3))
    reports, findings = report_delays(best, delays.incidence(5), MICROPHONES)
    assert findings == []
    (finding,) = wrong_pairs(best, delays, reports, 500.0)
    assert finding.code == "pair:mic2/mic4"
    assert "+10.0 ms off" in finding.sentence


def test_which_side_of_a_pair_hears_late():
    """Of j - i a delay too large is one of i that is late, or of j that is early."""
    delays, best = all_pairs(lambda i, j: j == 4)
    reports, _ = report_delays(best, delays.incidence(5), MICROPHONES)
    assert reports[4].status == "excluded"
    assert reports[4].pull_m == pytest.approx(-5)


def test_unheard_ones_have_no_blame():
    positions = POSITIONS.copy()
    positions[1] = np.nan
    reports = report_unheard(Microphones(positions=positions))
    assert [report.status for report in reports] == ["ok", "unknown-position", "ok", "ok", "ok"]
    assert {report.weight for report in reports} == {0.0}
    assert reports[1].position_m is None
