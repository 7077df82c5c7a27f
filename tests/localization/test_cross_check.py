"""Second opinions: those that agree change nothing, the others widen the region towards themselves, and are told."""

import numpy as np
import pytest

from soundfix.estimate import Source
from soundfix.localization.cross_check import Opinion, widen_where_others_disagree

HERE = Source(position_m=np.zeros(3), covariance_m2=1e-4 * np.eye(3), radius90_m=0.025, score=0.5)
THERE = Source(position_m=np.array([2.0, 0.0, 0.0]), covariance_m2=1e-4 * np.eye(3), radius90_m=0.025, score=0.4)


def says(x, **changes):
    return Opinion(who="SRP-PHAT", position_m=np.array([x, 0.0, 0.0]), **changes)


@pytest.mark.parametrize(
    ("opinions", "others"), [([], []), ([says(0.2)], []), ([says(1.9)], [THERE]), ([says(2.0, near_m=5.0)], [])]
)
def test_agreement_changes_nothing(opinions, others):
    assert widen_where_others_disagree(HERE, others, opinions, 0.1) == (HERE, ())


def test_disagreement_widens_towards_it_and_is_told():
    source, (finding,) = widen_where_others_disagree(HERE, [], [says(2.0)], 0.1)
    sigma_m = np.sqrt(np.diag(source.covariance_m2))
    assert sigma_m == pytest.approx([np.sqrt(1e-4 + 0.4), 0.01, 0.01])
    assert source.radius90_m > 0.5
    assert finding.code == "second_opinion"
    assert finding.degrades
    assert "SRP-PHAT would say (2.00, 0.00, 0.00) m, 2.0 m away" in finding.sentence


def test_however_sure_it_is_another_opinion_counts_a_little():
    assert widen_where_others_disagree(HERE, [], [says(2.0)], 0.0)[0].radius90_m > 0.3
