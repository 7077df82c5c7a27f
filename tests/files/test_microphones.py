"""Lists of microphones: three formats, one meaning; every mistake is named with its line."""

import json
from pathlib import Path

import numpy as np
import pytest

from soundfix.errors import MicrophoneFileError, OutputError, SceneError
from soundfix.files import tables
from soundfix.files.audio import Channel
from soundfix.files.microphones import arrange, read_microphones, write_microphones
from soundfix.microphones import Microphones

PLAIN = "name,x,y,z\na,0,0,1\nb,2.5,-1e-1,1\nc,,,\n"
ROWS = [{"name": "a", "x": 0, "y": 0, "z": 1}, {"name": "b", "x": 2.5, "y": -0.1, "z": 1.0}, {"name": "c", "x": None}]


@pytest.fixture
def listed(tmp_path):
    """Write a list and read it back."""

    def read(content: str | bytes, name: str = "mics.csv") -> Microphones:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_microphones(tmp_path / name)

    return read


def assert_plain(microphones: Microphones) -> None:
    assert microphones.names == ("a", "b", "c")
    assert microphones.is_known.tolist() == [True, True, False]
    assert microphones.positions[:2].tolist() == [[0, 0, 1], [2.5, -0.1, 1]]
    assert microphones.files is None
    assert microphones.channels is None


def channels(*counts: int, folder: str = "/rec") -> list[Channel]:
    return [
        Channel(file=Path(folder, f"t{f}.wav"), number=c + 1) for f, count in enumerate(counts) for c in range(count)
    ]


def microphones(count: int = 3, **columns: object) -> Microphones:
    return Microphones(positions=np.arange(3.0 * count).reshape(count, 3), **columns)


# what is tolerated


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", " , "),
        PLAIN.upper().replace("A,", "a,").replace("B,", "b,").replace("C,", "c,"),
        "# made in May\n\n" + PLAIN.replace("b,", "  # windy; moved, twice\n\nb,") + ",,,\n\n",
        'z,notes,"y",name,x\n1,"oak, big",0,a,0\n1,,-.1,b,+2.5\n,,,c,\n',
    ],
)
def test_a_csv_is_read_however_it_was_saved(listed, content):
    assert_plain(listed(content))


@pytest.mark.parametrize("name", ["mics.json", "mics.yaml", "mics.YML"])
@pytest.mark.parametrize("document", [ROWS, {"microphones": ROWS}])
def test_json_and_yaml_mean_the_same(listed, name, document):
    assert_plain(listed(json.dumps(document), name))


def test_yaml_as_people_write_it(listed):
    content = (
        "# garden\nmicrophones:\n- {Name: a, x: 0, y: 0, z: 1}\n- name: b\n  x: 2.5\n  y: -0.1\n  z: 1\n"
        "- {name: c, x: ~, y: null}"
    )
    assert_plain(listed(content, "mics.yml"))
    with pytest.raises(MicrophoneFileError, match="microphone 3: y, z is blank"):
        listed(content.replace("~", "5"), "mics.yml")


def test_yaml_words_stay_names(listed):
    assert listed("[{name: no, x: 0, y: 0, z: 0}, {name: 2024-01-02, x: 1, y: 0, z: 0}]", "m.yaml").names == (
        "no",
        "2024-01-02",
    )


def test_all_columns_are_read(listed):
    read = listed(
        "name,x,y,z,file,channel,sigma_m,offset_s,drift_ppm\na,0,0,0,l.wav,2,0.1,-0.5,30\nb,1,0,0,r.wav,,,,\n"
    )
    assert (read.files, read.channels) == (("l.wav", "r.wav"), (2, 1))
    assert [read.sigma_m.tolist(), read.offset_s.tolist(), read.drift_ppm.tolist()] == [[0.1, 0], [-0.5, 0], [30, 0]]


def test_missing_names_are_given(listed):
    assert listed("x,y,z\n0,0,0\n1,0,0\n").names == ("mic1", "mic2")
    assert listed("name,x,y,z\nb,0,0,0\n,1,0,0\n").names == ("b", "mic2")


# what is refused


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("# nothing yet\n\n", "is empty"),
        ("name,x,y,z\n", "lists no microphones"),
        (
            "a,0,0,1\nb,1,0,1\n",
            "line 1: columns 'a, 0, 0, 1'; wanted name, x, y, z in metres.*line with the names missing",
        ),
        ("name,x,y\na,0,0\n", "line 1: columns 'name, x, y'; wanted"),
        ("name,Lat,Lon\na,48.1,11.5\n", "degrees: convert to metres first"),
        ("name,x_mm,y_mm,z_mm\na,0,0,1\n", "convert x_mm to the unit wanted and call it x"),
        ("name,x,y,z,sigma_cm\na,0,0,1,1\n", "convert sigma_cm to the unit wanted and call it sigma_m"),
        ("name,x,y,z,offset\na,0,0,1,1\n", "call it offset_s"),
        ("name,x,x,y,z\na,0,0,0,1\n", "a column is there twice"),
        ("name,x,y,z\na,0,0,1\nb,one,0,1\n", "line 3, column x: 'one' is not a number"),
        ("name;x;y;z\na;0,5;0;1\n", "line 2, column x: '0,5' is not a number.*1.5, not 1,5"),
        ("name,x,y,z\na,0,5,0,0,1,0\n", "line 2 has 7 cells, wanted 4.*1.5, not 1,5"),
        ("name,x,y,z\na\n", "line 2 has 1 cells, wanted 4"),
        ("name,x,y,z\na,nan,0,1\n", "line 2, column x: 'nan' is not a number; blank means unknown"),
        ("name,x,y,z\na,inf,0,1\n", "'inf' is not a number"),
        ("name,x,y,z\na,1_0,0,1\n", "'1_0' is not a number"),
        ("name,x,y,z\na,1e308,0,1\n", "line 2, column x: '1e308' is beyond 1,000,000: a unit or a typo"),
        ("name,x,y,z\na,1e999,0,1\n", "'1e999' is beyond"),
        ("name,x,y,z\na,1,,\n", "line 2: y, z is blank: give all three, or none"),
        ("name,x,y,z\na,0,0,1\n# moved\na,1,0,1\n", r"line 4: the name 'a' is taken \(.*line 2\)"),
        ("name,x,y,z\na,0,0,1\nb,0,0,1\nc,9,0,1\n", "mics.csv: microphones a and b stand on the same spot"),
        ("name,x,y,z,sigma_m\na,0,0,1,-1\n", "line 2: sigma_m is -1, wanted 0 or more"),
        ("name,x,y,z,channel\na,0,0,1,0\n", "line 2: channel is '0', wanted 1, 2, .*count from 1"),
        ("name,x,y,z,channel\na,0,0,1,1\nb,1,0,1,\n", "line 3: channel is ''"),
        ("name,x,y,z,channel\na,0,0,1,1.5\n", "line 2: channel is '1.5'"),
        ("name,x,y,z,file\na,0,0,1,a.wav\nb,1,0,1,\n", "line 3: file is blank, but other rows name theirs"),
        ('name,x,y,z\n"a,0,0,1\n', "line 2: unexpected end of data.*quotation mark"),
        ("name,x,y,z\na\x07,0,0,1\n", "line 2: the name 'a.x07' holds control characters"),
        (b"RIFF\0\0\0\0WAVE", "is binary or UTF-16"),
        (PLAIN.encode("utf-16"), "is binary or UTF-16"),
        ("name,x,y,z\nKüche,0,0,1\n".encode("latin-1"), "line 2: byte 0xfc is not UTF-8"),
    ],
)
def test_a_mistake_is_named_with_its_line(listed, content, message):
    with pytest.raises(MicrophoneFileError, match=rf"mics\.csv.*{message.removeprefix('mics.csv')}"):
        listed(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.json", "[{", "line 1 is not JSON"),
        ("m.json", '{"mics": []}', "holds a mapping of .'mics'.*wanted a list of microphones"),
        ("m.json", "[]", "lists no microphones"),
        ("m.json", "[3]", "microphone 1 is '3', wanted a mapping"),
        ("m.json", '[{"x": NaN, "y": 0, "z": 0}]', "microphone 1, column x: 'NaN' is not a number"),
        ("m.json", '[{"x": 1e308, "y": 0, "z": 0}]', "column x: '1e308' is beyond"),
        ("m.json", '[{"x": true, "y": 0, "z": 0}]', "microphone 1, x is True, wanted a number or text"),
        ("m.json", '[{"x": [0], "y": 0, "z": 0}]', "microphone 1, x is a list"),
        ("m.json", "[" * 100_000, "is not JSON"),
        ("m.json", f'[{{"x": {"9" * 9999}, "y": 0, "z": 0}}]', "is beyond"),
        ("m.yaml", "a: [", "line 1 is not YAML"),
        ("m.yaml", "- {x: 0\n- y: 1", "line 2 is not YAML"),
        ("m.yaml", "[" * 1000, "is not YAML: nested too deeply"),
        ("m.yaml", "just words", "holds 'just words', wanted a list"),
        ("m.yaml", "- {x: .nan, y: 0, z: 0}", "'.nan' is not a number"),
        ("m.yaml", "!!python/object/apply:os.system [echo]", "wanted a list|wanted a mapping"),
    ],
)
def test_a_mistake_in_json_or_yaml_is_named(listed, name, content, message):
    with pytest.raises(MicrophoneFileError, match=message):
        listed(content, name)


def test_a_bomb_of_aliases_stays_small(listed):
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    with pytest.raises(MicrophoneFileError) as caught:
        listed(bomb, "m.yaml")
    assert len(str(caught.value)) < 1000


def test_too_many_rows_are_refused(listed, monkeypatch):
    monkeypatch.setattr(tables, "LARGEST_ROW_COUNT", 2)
    assert len(listed("x,y,z\n0,0,0\n1,0,0\n")) == 2
    with pytest.raises(MicrophoneFileError, match="more than 2 microphones"):
        listed("x,y,z\n0,0,0\n1,0,0\n2,0,0\n")


def test_a_huge_file_is_refused_unread(listed, monkeypatch):
    monkeypatch.setattr(tables, "LARGEST_FILE_BYTES", 10)
    with pytest.raises(MicrophoneFileError, match=r"has 38 bytes.*wrong file"):
        listed(PLAIN)


def test_no_file_is_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(MicrophoneFileError, match="cannot be read"):
            read_microphones(path)


# round trip


@pytest.mark.parametrize("names", [("a", "b", "c"), ("#1", "a, b", 'the "big" one'), ("null", "=1+1", "Küche 猫")])
@pytest.mark.parametrize(
    "where", [{}, {"files": ("a b.wav", "x/y.wav", "#.wav"), "channels": (1, 2, 16)}, {"channels": (3, 2, 1)}]
)
def test_what_is_written_reads_back_to_the_last_bit(tmp_path, rng, names, where):
    positions = rng.normal(size=(3, 3)) / 3
    positions[1] = np.nan
    columns = {column: rng.random(3) / 7 for column in ("sigma_m", "offset_s", "drift_ppm")}
    written = Microphones(positions=positions, names=names, **columns, **where)
    write_microphones(tmp_path / "m.csv", written)
    read = read_microphones(tmp_path / "m.csv")
    np.testing.assert_array_equal(read.border_positions(), positions)
    assert (read.names, read.files, read.channels) == (names, written.files, written.channels)
    for column, values in columns.items():
        np.testing.assert_array_equal(getattr(read, column), values)


@pytest.mark.parametrize("name", ["", " a", "a\nb"])
def test_a_name_that_would_not_survive_is_refused(tmp_path, name):
    with pytest.raises(OutputError, match="would read back differently"):
        write_microphones(tmp_path / "m.csv", microphones(names=("x", "y", name)))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_list(tmp_path, monkeypatch):
    (tmp_path / "m.csv").write_text(PLAIN)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OutputError, match="the disk is full"):
        write_microphones(tmp_path / "m.csv", microphones())
    assert (tmp_path / "m.csv").read_text() == PLAIN


# which channel is which microphone


def test_without_columns_rows_follow_the_channels():
    order, notes = arrange(channels(2, 1), microphones())
    assert order == [0, 1, 2]
    assert notes == (
        "The list of microphones has no file and no channel column: row 1 is channel 1 of t0.wav, "
        "row 2 is channel 2 of t0.wav, row 3 is channel 1 of t1.wav.",
    )


def test_a_channel_column_counts_through_all_files():
    order, notes = arrange(channels(2, 2), microphones(channels=(3, 1, 2)))
    assert order == [2, 0, 1]
    assert "no file column: row 1 is channel 1 of t1.wav" in notes[0]
    assert notes[1] == "Not in the list of microphones and left out: channel 2 of t1.wav."


@pytest.mark.parametrize(
    "files", [("t1.wav", "t0.wav", "t2.wav"), ("/rec/t1.wav", "rec\\t0.wav", "../elsewhere/t2.wav")]
)
def test_files_are_matched_by_name_relative_or_absolute(files):
    assert arrange(channels(1, 1, 1), microphones(files=files)) == ([1, 0, 2], ())


def test_files_are_matched_with_their_channel():
    order, notes = arrange(channels(2, 2), microphones(2, files=("t1.wav", "t0.wav"), channels=(2, 1)))
    assert order == [3, 0]
    assert notes == ("Not in the list of microphones and left out: channel 2 of t0.wav, channel 1 of t1.wav.",)


def test_a_folder_tells_two_files_of_one_name_apart():
    given = [*channels(1, folder="/rec/left"), *channels(1, folder="/rec/right")]
    assert arrange(given, microphones(2, files=("right/t0.wav", "left/t0.wav")))[0] == [1, 0]
    with pytest.raises(MicrophoneFileError, match=r"/rec/left/t0\.wav, /rec/right/t0\.wav: name the folder too"):
        arrange(given, microphones(1, files=("t0.wav",)))


def test_long_notes_are_shortened():
    (note,) = arrange(channels(40), microphones(40))[1]
    assert len(note) < 400
    assert note.endswith("..., row 40 is channel 40 of t0.wav.")


@pytest.mark.parametrize(
    ("given", "columns", "error", "message"),
    [
        (channels(2), {}, SceneError, r"2 channels \(t0\.wav\) for 3 microphones: is a file missing"),
        (channels(2, 2), {}, SceneError, r"4 channels \(t0\.wav, t1\.wav\) for 3 microphones: is a microphone missing"),
        (channels(3), {"channels": (1, 2, 4)}, SceneError, r"mic3 is channel 4, but .* has 3 .*count from 1"),
        (channels(3), {"channels": (1, 2, 2)}, MicrophoneFileError, r"mic2 and mic3 are both channel 2 of t0\.wav"),
        (channels(1), {"files": ("t0.wav", "a", "b")}, MicrophoneFileError, r"mic2 is in a, but given were t0\.wav"),
        (channels(1, 1), {"files": ("t0.wav", "t1.wav", ".")}, MicrophoneFileError, r"in \., but given were"),
        (channels(2), {"files": ("t0.wav",) * 3, "channels": (1, 2, 3)}, MicrophoneFileError, r"channel 3 of .* has 2"),
        (channels(2), {"files": ("t0.wav",) * 3}, MicrophoneFileError, r"mic1 and mic2 are both channel 1 of t0\.wav"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_named(given, columns, error, message):
    with pytest.raises(error, match=message):
        arrange(given, microphones(**columns))
