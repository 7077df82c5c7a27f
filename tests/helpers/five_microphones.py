"""Five microphones, and a scene of them in which anything can be changed."""

import numpy as np

from soundfix import Microphones, Scene

POSITIONS = np.array([[0.0, 0, 0], [4, 0, 0], [0, 3, 0], [0, 0, 2], [4, 3, 2]])


def scene(**changes):
    given = {"audio": np.ones((5, 8000)), "sample_rate": 16_000.0, "microphones": Microphones(positions=POSITIONS)}
    return Scene(**(given | changes))
