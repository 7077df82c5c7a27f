"""A film: a frame a window, the place of now in red, what was before as a trail."""

import numpy as np
import pytest
from PIL import Image

from helpers.drawings import MICROPHONES, ROOM, directed, estimate, walk
from soundfix.errors import OutputError
from soundfix.report import film
from soundfix.report.film import drawn, times, write_film
from soundfix.report.picture import gather

RED = np.array([0xD1, 0x49, 0x5B])


def reds(frame):
    """Middles of what is red, of the upper view and the lower one."""
    return np.argwhere((np.abs(frame[..., :3].astype(int) - RED) < 20).all(axis=2))


def test_every_window_is_a_frame(tmp_path):
    write_film(gather(walk(12), MICROPHONES, ROOM), tmp_path / "walk.gif")
    with Image.open(tmp_path / "walk.gif") as image:
        assert image.n_frames == 12
        assert image.info["duration"] == 120
        assert image.info["loop"] == 0


def test_the_place_of_now_moves():
    picture = gather([estimate(0.0, ((1.0, 2.0, 1.0),)), estimate(0.5, ((5.0, 2.0, 1.0),))], MICROPHONES, ROOM)
    first, second = drawn(picture)
    assert reds(second)[:, 1].mean() - reds(first)[:, 1].mean() > 0.5 * first.shape[1]
    assert (first != second).any()


def test_a_window_without_an_answer_shows_none():
    picture = gather([estimate(0.0), estimate(9.0, ()), directed(12.0)], MICROPHONES, ROOM)
    counts = [len(reds(frame)) for frame in drawn(picture)]
    assert counts[1] < counts[0]
    assert counts[1] < counts[2]


def test_long_recordings_leap(monkeypatch):
    monkeypatch.setattr(film, "MOST_FRAMES", 10)
    chosen = times(gather(walk(25), MICROPHONES, ROOM))
    assert len(chosen) == 9
    assert np.allclose(np.diff(chosen), 1.5)
    assert times(gather([], MICROPHONES, ROOM)).tolist() == [0.0]


def test_mp4_is_for_ffmpeg(tmp_path, monkeypatch):
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    picture = gather(walk(3), MICROPHONES, ROOM)
    with pytest.raises(OutputError, match="needs the program ffmpeg"):
        write_film(picture, tmp_path / "walk.mp4")
    script = programs / "ffmpeg"
    script.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\nfor last; do :; done\n/bin/cat > "$last"\n')
    script.chmod(0o755)
    write_film(picture, tmp_path / "walk.mp4")
    words = (tmp_path / "words").read_text().split()
    width, height = map(int, words[words.index("-s") + 1].split("x"))
    assert width % 2 == height % 2 == 0
    assert (tmp_path / "walk.mp4").stat().st_size == 3 * 4 * width * height
    script.write_text("#!/bin/sh\necho no such codec >&2\nexit 1\n")
    (tmp_path / "walk.mp4").unlink()
    with pytest.raises(OutputError, match="no such codec"):
        write_film(picture, tmp_path / "walk.mp4")
    assert not (tmp_path / "walk.mp4").exists()
