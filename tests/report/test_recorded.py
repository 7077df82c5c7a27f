"""What writers know beside the answers."""

from datetime import UTC, datetime

import numpy as np
import pytest
import soundfile

from helpers.foreign import MICROPHONES, OF_EVENTS, RECORDED, answer, direction, event, source
from soundfix.files.take import read
from soundfix.report.recorded import Heard, Recorded, called, likeliest, places

SPEECH = {"speech": 0.7, "music": 0.1, "other": 0.1, "none": 0.1}


def test_a_window_stands_for_the_hop_in_its_middle_and_an_event_for_itself():
    overlapping = Recorded(microphones=MICROPHONES, hop_s=0.2)
    assert overlapping.span(answer()) == pytest.approx((1.15, 1.35))
    assert RECORDED.span(answer()) == (1.0, 1.5)
    assert Recorded(microphones=MICROPHONES, hop_s=2.0).span(answer()) == (1.0, 1.5)
    assert overlapping.span(answer(event=event())) == OF_EVENTS.span(answer()) == (1.0, 1.5)


def test_of_alternatives_the_likeliest_is_a_place_and_a_direction_is_none():
    two = (source(1, 1, 1), source(2, 2, 2))
    assert places(answer(*two)) == two
    assert places(answer(*two, verdict="ambiguous")) == two[:1]
    assert places(direction()) == ()


def test_what_a_sound_is_called():
    assert called(answer(), source(0, 0, 0)) == ""
    assert called(answer(), source(0, 0, 0, track=3, kinds=SPEECH)) == "track 3 speech"
    assert called(answer(event=event()), source(0, 0, 0, track=3)) == "owl"
    assert called(answer(event=event(label="")), source(0, 0, 0, kinds=SPEECH)) == "speech"
    assert likeliest(source(0, 0, 0)) is None


def test_a_moment_is_in_the_file_that_holds_it(tmp_path):
    """m1 wrote two files with a hole between them, m2 begins late, m3 has one."""
    for name, seconds in (
        ("m1_20250101_000000", 2),
        ("m1_20250101_000005", 2),
        ("m2_20250101_000001", 6),
        ("m3_20250101_000000", 7),
    ):
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * np.random.default_rng(1).standard_normal(8000 * seconds), 8000)
    positions = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0]], dtype=float)
    take = read(tmp_path, soundfix_list(tmp_path, positions))
    told = Recorded(microphones=take.microphones, take=take)
    first, second = tmp_path / "m1_20250101_000000.wav", tmp_path / "m1_20250101_000005.wav"
    assert told.heard(0, 1.5) == Heard(str(first), 1.5)
    assert told.heard(0, 3.0) is None
    assert told.heard(0, 5.5) == Heard(str(second), 0.5)
    assert told.heard(1, 0.5) is None
    assert told.heard(1, 1.5) == Heard(str(tmp_path / "m2_20250101_000001.wav"), 0.5)
    assert told.starts_at.replace(tzinfo=UTC) == datetime(2025, 1, 1, tzinfo=UTC)


def test_an_array_in_memory_has_names_and_no_clock():
    assert RECORDED.heard(1, 2.0) == Heard("b", 2.0)
    assert RECORDED.starts_at is None


def soundfix_list(folder, positions):
    rows = [f"m{k},{x},{y},{z}\n" for k, (x, y, z) in enumerate(positions, 1)]
    (folder / "list.csv").write_text("name,x,y,z\n" + "".join(rows))
    return folder / "list.csv"
