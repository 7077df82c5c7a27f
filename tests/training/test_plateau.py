"""The learning rate falls where validation stands still, and training ends where that does not help either."""

from soundfix.training.plateau import FALL, FALLS, LATEST, PATIENCE, Plateau


def told(*errors):
    plateau = Plateau()
    for error in errors:
        plateau.tell(error)
    return plateau


def test_it_falls_after_so_many_validations_without_a_gain():
    assert told(1.0, *[0.995] * (PATIENCE - 1)).rate(0.0) == 1.0
    assert told(1.0, *[0.995] * PATIENCE).rate(0.0) == FALL


def test_a_gain_starts_the_count_again():
    assert told(1.0, *[1.0] * (PATIENCE - 1), 0.9, *[0.9] * (PATIENCE - 1)).rate(0.0) == 1.0


def test_it_ends_after_the_last_fall():
    still = [1.0] * (PATIENCE * FALLS + 1)
    assert told(*still).falls == FALLS
    assert not told(*still, *[1.0] * (PATIENCE - 1)).is_over
    ended = told(*still, *[1.0] * PATIENCE)
    assert ended.is_over
    assert ended.rate(0.0) == FALL**FALLS  # not further


def test_what_is_cut_short_ends_calmly():
    learning = told(1.0, 0.8, 0.6)
    assert [learning.rate(done) for done in (0.0, LATEST[0], LATEST[1])] == [1.0, FALL, FALL**2]


def test_it_goes_on_from_its_state():
    before = told(1.0, 1.0, 1.0)
    after = Plateau(**before.state())
    assert after == before
    assert after is not before
