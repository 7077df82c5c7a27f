"""One's own room: the sound is that of a room at the origin, every place is told where it is."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix.errors import ConfigError
from soundfix.microphones import Microphones
from soundfix.simulation.own_room import in_room
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import LUVIRA_TWIN, draw_world


def scene_of(world, seed, **changes):
    return draw_world(replace(world, **changes), BuiltInSounds(), np.random.default_rng(seed))


OWN_ROOM = ((-2.0, 10.0, 0.5), (3.0, 14.0, 3.2))
OWN_PLACES = np.array(
    [[0.3, 0.4, 0.5], [4.6, 0.5, 1.1], [4.5, 3.6, 0.4], [0.4, 3.5, 1.3], [2.0, 2.0, 2.5]]
)  # from its lowest corner
OWN_MICROPHONES = Microphones(positions=OWN_PLACES + np.array(OWN_ROOM[0]), names=tuple("abcde"))


def test_ones_own_room_in_ones_own_coordinates():
    """The sound is that of a room at the origin; every place is told where it is."""
    changes = {"share_moving": 0.5, "position_sigma_m": (0.01, 0.01), "unknown_positions": (1, 1)}
    world = in_room(replace(LUVIRA_TWIN, **changes), OWN_ROOM, OWN_MICROPHONES)
    by_m = np.array(OWN_ROOM[0])
    for seed in range(8):
        scene = scene_of(world, seed)
        there = scene_of(
            world, seed, origin_m=(0.0,) * 3, positions_m=tuple(map(tuple, OWN_MICROPHONES.positions - OWN_ROOM[0]))
        )
        assert np.allclose(scene.room, OWN_ROOM)
        assert scene.audio == pytest.approx(there.audio, abs=1e-4)
        assert scene.truth.positions == pytest.approx(OWN_MICROPHONES.positions)
        assert scene.truth.sources == pytest.approx(there.truth.sources + by_m)
        assert ((scene.truth.sources > OWN_ROOM[0]) & (scene.truth.sources < OWN_ROOM[1])).all()
        assert scene.microphones.names == OWN_MICROPHONES.names
        assert scene.microphones.is_known.sum() == 4
        if scene.truth.track is not None:
            assert scene.truth.track.places == pytest.approx(there.truth.track.places + by_m)


def test_rooms_that_cannot_be():
    outside = replace(OWN_MICROPHONES, positions=OWN_MICROPHONES.positions + np.array([9.0, 0, 0]))
    with pytest.raises(ConfigError, match=r"a at .* m is outside the room"):
        in_room(LUVIRA_TWIN, OWN_ROOM, outside)
    unknown = Microphones(positions=np.vstack([OWN_MICROPHONES.positions, [np.nan] * 3]))
    with pytest.raises(ConfigError, match="mic6 has no position to be simulated at"):
        in_room(LUVIRA_TWIN, OWN_ROOM, unknown)
