"""A world in one's own room, heard by one's own microphones."""

from dataclasses import replace

import numpy as np

from soundfix.errors import ConfigError
from soundfix.microphones import Microphones
from soundfix.scene import Room
from soundfix.simulation.worlds import World


def in_room(world: World, room: Room, microphones: Microphones) -> World:
    """The same world in one's own room (lowest and highest corner, m), heard by one's own microphones.

    Raises ConfigError where a microphone has no position, or stands outside the room.
    """
    if not microphones.is_known.all():
        nameless = microphones.names[int(np.flatnonzero(~microphones.is_known)[0])]
        raise ConfigError(f"{nameless} has no position to be simulated at; --set unknown_positions=[1,1] hides some")
    low, high = np.array(room)
    is_outside = ((microphones.positions <= low) | (microphones.positions >= high)).any(axis=1)
    if is_outside.any():
        k = int(np.flatnonzero(is_outside)[0])
        raise ConfigError(f"{microphones.names[k]} at {microphones.positions[k]} m is outside the room {room}")
    points = [(float(x), float(y), float(z)) for x, y, z in (high - low, low, *microphones.positions)]
    return replace(world, size_m=points[0], origin_m=points[1], positions_m=tuple(points[2:]), names=microphones.names)
