"""Lists as people save them: CSV, JSON and YAML mean the same, and a mistake is named with its line."""

import json

import pytest

from helpers.lists import PLAIN
from soundfix.errors import MicrophoneFileError
from soundfix.files import tables
from soundfix.files.microphones import read_microphones
from soundfix.microphones import Microphones

ROWS = [{"name": "a", "x": 0, "y": 0, "z": 1}, {"name": "b", "x": 2.5, "y": -0.1, "z": 1.0}, {"name": "c", "x": None}]


def assert_plain(microphones: Microphones) -> None:
    assert microphones.names == ("a", "b", "c")
    assert microphones.is_known.tolist() == [True, True, False]
    assert microphones.positions[:2].tolist() == [[0, 0, 1], [2.5, -0.1, 1]]
    assert microphones.files is None
    assert microphones.channels is None


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
        ("name,x,z\na,0,0\n", "line 1: columns 'name, x, z'; wanted"),
        ("name,Lat\na,48.1\n", "wanted name, x, y, z in metres, or latitude and longitude"),
        ("name,Easting_ft,Northing_ft\na,0,0\n", "or one of them spelt otherwise"),
        ("name,x,y,elevation (ft)\na,0,0,0\n", r"convert elevation \(ft\) to the unit wanted and call it elevation"),
        ("name,lat,lat,lon\na,0,0,0\n", "a column is there twice"),
        ("name,lat,lon\na,148.1,11.5\n", "line 2, column lat: '148.1' is beyond 90"),
        ("name,lat,lon\na,48.1,181\n", "line 2, column lon: '181' is beyond 180"),
        ("name,lat,lon\na,88.1,11\n", "latitude 88.1 is in no zone of UTM"),
        ("name,easting,northing\na,1,\n", "line 2: northing is blank: give both, or none"),
        ("name,x,y,z,drift_ppm\na,0,0,0,1000001\n", "column drift_ppm: '1000001' is beyond 1,000,000"),
        ("name,x,y,z,crs\na,0,0,0,EPSG:1\nb,1,0,0,EPSG:2\n", "line 2 and on: crs is EPSG:1 and EPSG:2"),
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
        ("name,x,y,z\na,1e308,0,1\n", "line 2, column x: '1e308' is beyond 20,000,000: a unit or a typo"),
        ("name,x,y,z\na,1e999,0,1\n", "'1e999' is beyond"),
        ("name,x,y,z\na,1,,\n", "line 2: y, z is blank: give all three, or none"),
        ("name,x,y,z\na,0,0,1\n# moved\na,1,0,1\n", r"line 4: the name 'a' is taken \(.*line 2\)"),
        ("name,x,y,z\na,0,0,1\nb,0,0,1\nc,9,0,1\n", "mics.csv: microphones a and b stand on the same spot"),
        ("name,x,y,z,sigma_m\na,0,0,1,-1\n", "line 2: sigma_m is -1, wanted 0 or more"),
        ("name,x,y,z,channel\na,0,0,1,0\n", "line 2: channel is '0', wanted 1, 2, .*count from 1"),
        ("name,x,y,z,channel\na,0,0,1,1\nb,1,0,1,\n", "line 3: channel is ''"),
        ("name,x,y,z,channel\na,0,0,1,1.5\n", "line 2: channel is '1.5'"),
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
