"""`soundfix locate --delays`: as from sound, without any."""

import csv
import json

import jsonschema
import numpy as np
import pytest

from helpers.command import assert_refused, given
from helpers.tables import playback, write_table
from soundfix.files.microphones import write_microphones
from soundfix.microphones import Microphones
from soundfix.report.exports import locate_schema


@pytest.fixture
def table(tmp_path):
    """(table of pairs, list, sources): three sounds, one wrong delay in ten."""
    positions, sources, times_s, _ = playback(31, recorders=10, places=3, wrong=0.1)
    microphones = Microphones(positions=positions)
    write_microphones(tmp_path / "mics.csv", microphones)
    rows = [
        (f"song{e}", microphones.names[m], 1e3 * times[m]) for e, times in enumerate(times_s) for m in range(len(times))
    ]
    return write_table(tmp_path / "tdoas.csv", "event,mic,delay_ms", rows), tmp_path / "mics.csv", sources


def words(table, *options):
    return ["locate", "--delays", table[0], "-m", table[1], "--height", "1.5", *options]


def test_it_prints_writes_and_draws(table, tmp_path, command):
    outputs = [tmp_path / name for name in ("a.json", "a.csv", "a.png")]
    status, said, _ = command(*words(table, "--json", outputs[0], "--csv", outputs[1], "--plot", outputs[2]))
    assert status == 0
    assert [line.split()[0] for line in said.splitlines()[:3]] == ["song0", "song1", "song2"]
    assert said.splitlines()[-1] == f"drawn: {outputs[2]}"
    written = json.loads(outputs[0].read_text())
    jsonschema.validate(written, locate_schema())
    assert written["method"] == "delays"
    places = np.array([each["sources"][0]["position_m"] for each in written["estimates"]])
    assert np.abs(places - table[2]).max() < 1.0
    with outputs[1].open() as file:
        assert [row["event"] for row in csv.DictReader(file)] == ["song0", "song1", "song2"]


def test_rows_go_to_standard_output_and_lines_to_standard_error(table, command):
    status, said, complaint = command(*words(table, "--jsonl", "-"))
    assert status == 0
    assert [json.loads(line)["event"]["label"] for line in said.splitlines()] == ["song0", "song1", "song2"]
    assert "song0" in complaint


def test_the_speed_and_the_region_count(table, tmp_path, command):
    answers = []
    for options in ([], ["--speed-of-sound", "330"], ["--search", "-900,-900,0,-800,-800,9"]):
        command(*words(table, "--json", tmp_path / "a.json", *options))
        answers.append(json.loads((tmp_path / "a.json").read_text())["estimates"][0])
    assert answers[0]["sources"] != answers[1]["sources"]
    assert answers[2]["reasons"] == ["outside_search"]


def test_the_opposite_sign_is_told(table, command):
    text = table[0].read_text().replace(",", ",", 1).splitlines()
    turned = [text[0], *(f"{line.rsplit(',', 1)[0]},{-float(line.rsplit(',', 1)[1])}" for line in text[1:])]
    table[0].write_text("\n".join(turned) + "\n")
    assert "With the opposite sign" in command(*words(table))[2]


def test_neither_or_both_is_refused(table, take, command):
    assert_refused(command("locate", "-m", table[1]), "neither a recording nor --delays")
    assert_refused(command(*given(take, "--delays", table[0])), "both a recording and --delays")


@pytest.mark.parametrize(
    "option", [["--room", "0,0,0,1,1,1"], ["--explain"], ["--smooth"], ["--hop", "1"], ["--turns", "turns.csv"]]
)
def test_what_would_do_nothing_is_refused(option, table, command):
    assert_refused(command(*words(table, *option)), f"{option[0]} does nothing with --delays")


def test_a_stranger_is_refused_with_its_row(table, command):
    table[0].write_text("mic,delay_s\nmic99,1\n")
    assert_refused(command(*words(table)), "tdoas.csv, line 2: 'mic99' is not in the list")


def test_the_table_is_not_written_over(table, command):
    before = table[0].read_text()
    assert_refused(command(*words(table, "--csv", table[0])), "it is an input")
    assert table[0].read_text() == before


def test_the_wind_makes_regions_larger(table, tmp_path, command):
    def radius_m(*options):
        command(*words(table, "--json", tmp_path / "a.json", *options))
        return json.loads((tmp_path / "a.json").read_text())["estimates"][0]["sources"][0]["radius90_m"]

    assert radius_m("--wind", 5) > 1.3 * radius_m()
