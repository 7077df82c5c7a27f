"""Microphones of a list, and what calibration finds of them."""

from dataclasses import replace

import numpy as np

from helpers.walks import ROOM, array, walk
from soundfix.microphones import Microphones


def listed(places, **columns):
    return Microphones(positions=places, **columns)


def moving_scene(rng, seconds=6.0):
    """Noise that jumps from place to place in free space, a place a half second."""
    from helpers.scenes import anechoic_scene

    places = array(rng, 7)
    sources = walk(rng, round(2 * seconds))
    parts = [anechoic_scene(places, source, rng, snr_db=20.0, seconds=0.5, room=ROOM) for source in sources]
    return replace(parts[0], audio=np.concatenate([part.audio for part in parts], axis=1)), places
