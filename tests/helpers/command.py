"""A recording to give to the command, and what it is asked to say of it."""

import numpy as np

CORNERS = np.array(
    [[0.3, 0.4, 0.5], [5.6, 0.5, 1.1], [5.5, 4.6, 0.4], [0.4, 4.5, 1.3], [0.5, 0.3, 2.6], [5.4, 4.4, 2.5], [3.0, 2.4, 2.8]]
)  # fmt: skip
SOURCE = np.array([3.9, 1.8, 1.3])
ROOM = "0,0,0,6,5,3"
SPEED = ("--speed-of-sound", "343")


def given(take, *options):
    return ["locate", take / "scene.wav", "--microphones", take / "microphones.csv", *SPEED, *options]


def names_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def assert_refused(result, message):
    """Exit status 2, nothing but sentences on stderr, and these words in the last one."""
    status, said, complaint = result
    last = complaint.strip().splitlines()[-1]
    assert status == 2
    assert "Traceback" not in said + complaint
    assert last.startswith("soundfix: ")
    assert message in last
