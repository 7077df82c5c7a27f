"""OpenSoundscape's table of recorders as a list, and what it located as events and as delays."""

import json

import numpy as np
import pandas
import pytest

from soundfix.delays import Delays
from soundfix.errors import DelayFileError, EventFileError, MicrophoneFileError
from soundfix.files.delays import read_delays
from soundfix.files.events.reading import read_events
from soundfix.files.microphones import read_microphones
from soundfix.microphones import Microphones

PLACES = [[0.0, 0.0], [50.0, 0.0], [50.0, 40.0], [0.0, 40.0]]
LISTED = Microphones(positions=np.array([[*place, 0.0] for place in PLACES]), names=("a", "b", "c", "d"))
EVENT = {
    "receiver_files": ["aru/a.wav", "aru/b.wav", "aru/c.wav"], "receiver_locations": PLACES[:3], "max_delay": 0.4,
    "duration": 3.0, "class_name": "owl", "bandpass_range": [200, 900], "start_timestamp": "2022-06-20 14:30:00-04:00",
    "receiver_start_time_offsets": [6.0, 6.0, 6.0], "tdoas": [0.0, 0.05, -0.02], "cc_maxs": [1.0, 0.2, 0.3],
    "location_estimate": [20.0, 10.0],
}  # fmt: skip


def table(path, files, places, **options):
    """As pandas writes a DataFrame that is indexed by file."""
    frame = pandas.DataFrame(places, columns=["x", "y", "z"][: len(places[0])], index=files)
    frame.to_csv(path, **options)
    return path


def located(path, *changes):
    path.write_text(json.dumps([EVENT | change for change in changes]))
    return path


@pytest.mark.parametrize("options", [{}, {"index_label": "file"}])
def test_an_indexed_table_is_a_list(tmp_path, options):
    files = [f"/data/aru/{name}.wav" for name in "abcd"]
    read = read_microphones(table(tmp_path / "aru.csv", files, PLACES, **options))
    assert (read.names, read.files) == (("a", "b", "c", "d"), tuple(files))
    np.testing.assert_array_equal(read.positions[:, :2], PLACES)


def test_an_index_of_numbers_is_no_file(tmp_path):
    read = read_microphones(table(tmp_path / "m.csv", [0, 1, 2, 3], PLACES))
    assert (read.files, read.names) == (None, ("mic1", "mic2", "mic3", "mic4"))


def test_a_recorder_of_several_files_is_one_microphone_by_its_folder(tmp_path):
    files = [f"d/{name}/20220620_1{k}0000.WAV" for name in "abcd" for k in range(3)]
    read = read_microphones(table(tmp_path / "aru.csv", files, np.repeat(PLACES, 3, axis=0)))
    assert (read.names, read.files) == (("a", "b", "c", "d"), ("d/a", "d/b", "d/c", "d/d"))


def test_or_by_what_is_left_of_the_names_without_the_times(tmp_path):
    files = [f"d/SMA0{name}_20220620_1{k}0000.wav" for name in "123" for k in range(2)] + [
        "d/SMA04_20220620_100000.wav"
    ]
    read = read_microphones(table(tmp_path / "aru.csv", files, [*np.repeat(PLACES[:3], 2, axis=0).tolist(), PLACES[3]]))
    assert read.files == ("d/SMA01", "d/SMA02", "d/SMA03", "d/SMA04_20220620_100000.wav")
    np.testing.assert_array_equal(read.positions[:, :2], PLACES)


def test_unknown_places_are_not_one_spot(tmp_path):
    (tmp_path / "m.csv").write_text("file,x,y\na.wav,,\nb.wav,,\nc.wav,0,0\nd.wav,1,1\n")
    assert len(read_microphones(tmp_path / "m.csv")) == 4


def test_a_named_list_with_two_on_one_spot_is_refused_as_before(tmp_path):
    (tmp_path / "m.csv").write_text("name,file,x,y\na,a.wav,0,0\nb,b.wav,0,0\n")
    with pytest.raises(MicrophoneFileError, match=r"within 0 mm|on the same spot"):
        read_microphones(tmp_path / "m.csv")


def test_spatial_events_are_events(tmp_path):
    read = read_events(located(tmp_path / "e.json", {}, {"class_name": "jay", "bandpass_range": None})).events
    assert [(each.label, each.start_s, each.end_s) for each in read] == [("owl", 6.0, 9.0), ("jay", 6.0, 9.0)]
    assert [each.band_hz for each in read] == [(200.0, 900.0), None]
    assert read[0].stations == ("aru/a.wav", "aru/b.wav", "aru/c.wav")


def test_their_delays_are_arrivals(tmp_path):
    first, second, third = read_delays(
        located(tmp_path / "e.json", {}, {"tdoas": [0.0, float("nan"), 0.03]}, {"tdoas": [0.0, None, 0.03]}), LISTED
    )
    assert isinstance(first, Delays)
    assert (first.first.tolist(), first.second, first.delay_s.tolist()) == ([0, 1, 2], None, [0.0, 0.05, -0.02])
    assert (second.first.tolist(), second.delay_s.tolist()) == ([0, 2], [0.0, 0.03])
    assert third.delay_s.tolist() == second.delay_s.tolist()
    assert [first.label, second.label] == ["owl 1", "owl 2"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"receiver_locations": [[0, 0], [50, 0], [50, 41]]}, "where no listed microphone is"),
        ({"tdoas": [0.0, 0.1]}, "3 receiver_locations and 2 tdoas"),
        ({"tdoas": None}, "3 receiver_locations and 0 tdoas"),
        ({"receiver_locations": None, "tdoas": None}, "wanted one of each"),
        ({"receiver_locations": PLACES[:2] + PLACES[:1]}, "a delay is there twice"),
        ({"tdoas": ["x", 1, 2]}, "0.tdoas.0"),
        ({"receiver_locations": [[0, 0], [50], [1, 1]]}, "0.receiver_locations.1"),
        ({"receiver_locations": [[0, 0], [50, 1e400], [1, 1]]}, "0.receiver_locations.1"),
    ],
)
def test_delays_that_cannot_be_are_refused(tmp_path, change, message):
    with pytest.raises(DelayFileError, match=message):
        read_delays(located(tmp_path / "e.json", change), LISTED)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"receiver_start_time_offsets": None}, "wanted both"),
        ({"receiver_start_time_offsets": []}, "wanted both"),
        ({"duration": None}, "wanted both"),
        ({"duration": -1}, "0.duration"),
        ({"receiver_start_time_offsets": [-1]}, "0.receiver_start_time_offsets.0"),
        ({"bandpass_range": [900, 200]}, "900 to 200 Hz"),
        ({"bandpass_range": [900]}, "0.bandpass_range"),
        ({"class_name": 3}, "0.class_name"),
    ],
)
def test_events_that_cannot_be_are_refused(tmp_path, change, message):
    with pytest.raises(EventFileError, match=message):
        read_events(located(tmp_path / "e.json", change))


@pytest.mark.parametrize("text", ["", "{}", "[1]", "[{]", "[" * 50_000])
def test_what_is_no_list_of_events_is_refused(tmp_path, text):
    (tmp_path / "e.json").write_text(text)
    with pytest.raises(DelayFileError, match=r"e\.json"):
        read_delays(tmp_path / "e.json", LISTED)
    with pytest.raises(EventFileError, match=r"e\.json"):
        read_events(tmp_path / "e.json")
