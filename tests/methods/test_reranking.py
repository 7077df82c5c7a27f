"""A known height is a room to the reranker."""

import numpy as np

from soundfix.methods import reranking


def test_a_known_height_is_a_room_to_the_reranker():
    flat = np.array([[0.0, 0, 1.5], [6, 5, 1.5]])
    found = reranking.with_height(flat)
    assert np.array_equal(found[:, :2], flat[:, :2])
    assert found[:, 2].tolist() == [1.5 - reranking.USUAL_WALL_M, 1.5 + reranking.USUAL_WALL_M]
    room = np.array([[0.0, 0, 0], [6, 5, 3]])
    assert np.array_equal(reranking.with_height(room), room)
