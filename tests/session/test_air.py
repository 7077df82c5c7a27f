"""The air over many events: what all say together, and when that is not what was told."""

import numpy as np
import pytest

from soundfix.estimate import Air, Estimate, Source
from soundfix.session.air import AirCheck


def estimate(air, verdict="ok", at_m=0.0):
    source = Source(position_m=np.array([at_m, 0.0, 0.0]), covariance_m2=np.eye(3), radius90_m=1.0, score=0.5)
    return Estimate(method="m", start_s=0.0, end_s=1.0, verdict=verdict, sources=(source,), air=air)


def heard(told_m_s, *airs, verdict="ok"):
    """Events 10 m from each other."""
    check = AirCheck(told_m_s=told_m_s)
    for k, air in enumerate(airs):
        check.hear(estimate(air, verdict, at_m=10.0 * k))
    return check


def test_what_fits_all_is_their_weighted_mean():
    found = heard(343.0, Air(331.0, 0.4), Air(332.0, 0.4), Air(331.5, 0.4), Air(345.0, 8.0)).found()
    assert found.speed_m_s == pytest.approx(331.5, abs=0.1)
    assert 0.4 < found.sigma_m_s < 0.8


def test_one_event_alone_does_not_decide():
    found = heard(343.0, Air(350.0, 0.01), Air(331.0, 0.4), Air(331.2, 0.4), Air(331.1, 0.4), Air(331.0, 0.4)).found()
    assert found.speed_m_s < 336


def test_too_few_events_say_nothing():
    check = heard(343.0, Air(331.0, 0.1), Air(331.0, 0.1))
    assert check.found() is None
    assert not check.contradicts()


def test_of_events_at_one_place_the_surest_counts():
    """What recorders have wrong they have wrong in the same way."""
    check = AirCheck(told_m_s=343.0)
    for air in (Air(331.0, 0.5), Air(333.0, 0.2), Air(335.0, 0.9)):
        check.hear(estimate(air, at_m=1.0))
    check.hear(estimate(Air(332.0, 0.2), at_m=20.0))
    assert check.found() is None
    check.hear(estimate(Air(334.0, 0.2), at_m=40.0))
    assert check.found().speed_m_s == pytest.approx(333.0)


def test_places_that_nobody_is_sure_of_do_not_count():
    assert heard(343.0, *5 * [Air(331.0, 0.1)], verdict="ambiguous").found() is None
    assert heard(343.0, *5 * [None]).found() is None


@pytest.mark.parametrize(
    ("airs", "contradicts"),
    [
        ([Air(331.3, 0.3)] * 5, True),
        ([Air(342.5, 0.1)] * 5, False),  # half a metre a second: nobody's thermometer is that good
        ([Air(335.0, 9.0), Air(330.0, 9.0), Air(339.0, 9.0)], False),
    ],
)
def test_the_told_speed_is_contradicted_where_another_is_clear_and_far(airs, contradicts):
    assert heard(343.0, *airs).contradicts() is contradicts
