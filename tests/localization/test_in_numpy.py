"""What numpy says for the first calls is what compiled loops say then, to the last bit."""

import numpy as np
import pytest

from soundfix.localization import cells, climb, lookup
from soundfix.localization.in_numpy import added
from soundfix.physics import pair_indices

LAGS = 601


@pytest.fixture(params=[(11, 400), (11, 1), (4, 7), (3, 1)], ids=str)
def told(request, rng):
    """What each loop is told, of so many microphones and places."""
    count, places = request.param
    pairs = pair_indices(count)
    curves = rng.standard_normal((len(pairs), LAGS)).astype(np.float32)
    lags = rng.uniform(0, 320, (count, places))  # some beyond the ends
    single = lags.astype(np.float32)
    dense = (rng.standard_normal((40, 50)) + 1j * rng.standard_normal((40, 50))).astype(np.complex64)
    turn = cells.cis(rng.uniform(0, 1, (count, 50)))
    uphill = rng.standard_normal((len(pairs), 3)).astype(np.float32)
    return (
        (lookup.mean_at, curves, rng.integers(0, LAGS, (len(pairs), places)).astype(np.uint32)),
        (lookup.mean_nearest, curves, pairs, single),
        (lookup.mean_between, curves, pairs, lags),
        (
            lookup.highest_between,
            curves,
            rng.integers(0, LAGS // 2, len(pairs)),
            rng.integers(LAGS // 2, LAGS, len(pairs)),
        ),
        (lookup.blurred, curves, 0, LAGS, 1, 3),
        (lookup.blurred, curves, 2, 85, 7, 5),
        (lookup.highest_round, curves, rng.uniform(0, 1, (9, len(pairs))).astype(np.float32)),
        (lookup.slopes_nearest, np.stack([curves, -curves]), pairs, np.stack([single, single[::-1]]), uphill, 3),
        (climb._slopes, curves, pairs, lags[:, 0], rng.standard_normal((count, 3))),
        (cells._shared, dense, np.abs(dense) ** 2, rng.integers(0, 40, (count, 16)), turn, 1e-12),
    )


def test_compiled_or_not_the_last_bit_is_the_same(told):
    for loop, *words in told:
        compiled, in_numpy = loop.kernel(*words), loop.in_numpy(*words)
        for mine, same in zip(as_tuple(compiled), as_tuple(in_numpy), strict=True):
            assert np.asarray(mine).dtype == np.asarray(same).dtype
            assert np.array_equal(mine, same)


def as_tuple(said):
    return said if isinstance(said, tuple) else (said,)


@pytest.mark.parametrize("rest", [(1,), (1, 1), (3,), (2, 5)])
def test_rows_are_added_one_after_the_other(rng, rest):
    values = rng.standard_normal((300, *rest)).astype(np.float32)
    total = np.zeros(rest, dtype=np.float32)
    for row in values:
        total += row
    assert np.array_equal(added(values), total)
