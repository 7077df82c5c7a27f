"""What a recording is located with where nothing else matters: quick, and the same answers on every machine."""

from soundfix.testing import ROOM

PLAIN = {"method": "srp-phat", "room": ROOM, "speed_of_sound_m_s": 343.0}
