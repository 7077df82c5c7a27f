"""`soundfix locate`: every option does something, and what is printed is what is written."""

import csv
import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
import soundfile

import soundfix
from helpers.bands import ANIMAL, CAGE, HIGH_HZ, RATE, shared_sound
from helpers.command import CORNERS, ROOM, SOURCE, SPEED, assert_refused, given, names_in
from helpers.scenes import anechoic_scene
from soundfix.errors import SoundfixError
from soundfix.files.microphones import read_microphones, write_microphones
from soundfix.files.projection import to_degrees, to_metres
from soundfix.files.scenes import write_scene
from soundfix.methods.catalog import CATALOG
from soundfix.microphones import Microphones
from soundfix.report.exports import CSV_COLUMNS, locate_schema
from soundfix.session.session import Session


def answers(command, folder, *words):
    """The estimates that the command writes."""
    status, _, complaint = command(*words, "--json", folder / "answers.json")
    assert status == 0, complaint
    return json.loads((folder / "answers.json").read_text())["estimates"]


def place(estimate):
    return np.array(estimate["sources"][0]["position_m"])


def test_simulate_then_locate(tmp_path, command):
    """The whole way: the place in the JSON is the place in truth.json, and the JSON obeys its schema."""
    scene = tmp_path / "scene"
    words = ["simulate", scene, "--world", "luvira-twin", "--seed", 1, "--set", "duration_s=1"]
    assert command(*words) == (0, f"1 scene of luvira-twin in {scene}\n", "")
    truth = json.loads((scene / "truth.json").read_text())
    low, high = truth["room_m"]
    room = ",".join(map(str, [*low, *high]))
    words = ["locate", scene / "scene.wav", "-m", scene / "microphones.csv", "--room", room, *SPEED]
    estimates = answers(command, tmp_path, *words)
    jsonschema.validate(json.loads((tmp_path / "answers.json").read_text()), locate_schema())
    assert len(estimates) == 2
    for estimate in estimates:
        assert np.linalg.norm(place(estimate) - truth["sources_m"][0]) < 0.05
        assert estimate["verdict"] == "ok"


def test_what_is_printed_is_what_is_written(take, tmp_path, command):
    _, said, complaint = command(*given(take, "--json", tmp_path / "answers.json"))
    lines = said.splitlines()
    assert "(3.90, 1.80, 1.30) m ±" in lines[0]
    assert "ok" in lines[0]
    assert lines[-1] == "microphones: 7 of 7 ok"
    assert "its rows are, in turn: scene.wav channels 1-7." in complaint
    assert json.loads((tmp_path / "answers.json").read_text())["version"] == soundfix.__version__


def test_two_processes_write_the_answers_of_one(take, tmp_path, command):
    one, two = (answers(command, tmp_path, *given(take, "--method", "srp-phat", "--jobs", jobs)) for jobs in (1, 2))
    assert one == two


def test_csv_is_a_row_a_source(take, tmp_path, command):
    estimates = answers(command, tmp_path, *given(take, "--csv", tmp_path / "answers.csv"))
    with (tmp_path / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == CSV_COLUMNS
    assert [float(row["x_m"]) for row in rows] == [place(estimate)[0] for estimate in estimates]
    assert [float(row["start_s"]) for row in rows] == [0.0, 0.5]


@pytest.mark.parametrize("method", [name for name, entry in CATALOG.items() if "--checkpoint" not in entry.summary])
def test_method_is_the_one_that_answers(take, tmp_path, command, method):
    words = given(take, "--method", method, "--window", 1.0)
    estimates = answers(command, tmp_path, *words)
    assert json.loads((tmp_path / "answers.json").read_text())["method"] == method
    assert np.linalg.norm(place(estimates[0]) - SOURCE) < 0.05


def test_a_room_decides_between_mirror_twins(tmp_path, rng, command):
    """Microphones in one plane: two places without a room, one in a room with that plane for its ceiling."""
    flat = np.where([False, False, True], 2.5, CORNERS)
    write_scene(tmp_path / "flat", anechoic_scene(flat, SOURCE, rng, seconds=0.5))
    free = answers(command, tmp_path, *given(tmp_path / "flat"))[0]
    roomed = answers(command, tmp_path, *given(tmp_path / "flat", "--room", "0,0,0,6,5,2.5"))[0]
    assert free["verdict"] == "ambiguous"
    assert sorted(round(source["position_m"][2], 1) for source in free["sources"]) == [1.3, 3.7]
    assert (roomed["verdict"], len(roomed["sources"])) == ("ok", 1)
    assert np.linalg.norm(place(roomed) - SOURCE) < 0.05


def test_a_thin_room_is_a_known_height(take, tmp_path, command):
    estimate = answers(command, tmp_path, *given(take, "--room", "0,0,1.3,6,5,1.3"))[0]
    assert place(estimate) == pytest.approx(SOURCE, abs=0.02)


def test_a_temperature_is_a_speed_and_the_speed_wins(take, tmp_path, command):
    words = ["locate", take / "scene.wav", "-m", take / "microphones.csv", "--method", "srp-phat", "--window", 1.0]
    cold, warm, given_speed = (
        place(answers(command, tmp_path, *words, *options)[0])
        for options in (["--temperature", -40], ["--temperature", 20], ["--temperature", -40, *SPEED])
    )
    assert np.linalg.norm(warm - SOURCE) < 0.01
    assert np.linalg.norm(cold - SOURCE) > 0.05
    assert np.linalg.norm(given_speed - SOURCE) < 0.005


def test_the_wind_makes_regions_larger(take, tmp_path, command):
    still, windy = (
        answers(command, tmp_path, *given(take, "--window", 1.0, *options))[0]["sources"][0]["radius90_m"]
        for options in ([], ["--wind", 10])
    )
    assert windy > 2 * still


@pytest.mark.parametrize(
    ("options", "starts"),
    [
        ([], [0.0, 0.5]),
        (["--window", 0.25], [0.0, 0.25, 0.5, 0.75]),
        (["--window", 0.5, "--hop", 0.25], [0.0, 0.25, 0.5]),
        (["--window", 1.0], [0.0]),
    ],
)
def test_window_and_hop_set_the_number_of_answers(take, tmp_path, command, options, starts):
    estimates = answers(command, tmp_path, *given(take, "--method", "srp-phat", *options))
    assert [estimate["start_s"] for estimate in estimates] == starts


def test_smooth_changes_places_and_nothing_else(take, tmp_path, command):
    options = (["--window", 0.25], ["--window", 0.25, "--smooth"])
    usual, smooth = (answers(command, tmp_path, *given(take, "--method", "srp-phat", *words)) for words in options)
    assert [estimate["start_s"] for estimate in smooth] == [estimate["start_s"] for estimate in usual]
    assert any((place(a) != place(b)).any() for a, b in zip(smooth, usual, strict=True))


@pytest.mark.parametrize(("name", "magic"), [("map.png", b"\x89PNG"), ("map.html", b"<")])
def test_plot_draws(take, tmp_path, command, name, magic):
    _, said, _ = command(*given(take, "--plot", tmp_path / name))
    assert said.splitlines()[-1] == f"drawn: {tmp_path / name}"
    assert (tmp_path / name).read_bytes().lstrip().startswith(magic)


def test_faulty_microphones_are_listed(tmp_path, rng, command):
    scene = anechoic_scene(CORNERS, SOURCE, rng, seconds=1.0)
    audio = scene.audio.copy()
    audio[2] = 0
    write_scene(tmp_path / "take", replace(scene, audio=audio))
    _, said, _ = command(*given(tmp_path / "take"))
    assert "degraded" in said
    assert said.splitlines()[-2:] == ["microphones: 6 of 7 ok", "  mic3: dead"]


def test_a_folder_of_mono_files(take, tmp_path, command):
    """A file for each microphone, in a folder, in natural order."""
    audio, rate = soundfile.read(take / "scene.wav", dtype="float32")
    (tmp_path / "tracks").mkdir()
    for m in range(7):
        soundfile.write(tmp_path / "tracks" / f"Track {m + 5}.wav", audio[:, m], rate, subtype="FLOAT")
    words = ["locate", tmp_path / "tracks", "-m", take / "microphones.csv", *SPEED]
    assert np.linalg.norm(place(answers(command, tmp_path, *words)[0]) - SOURCE) < 0.01


def test_a_channel_column_reorders(take, tmp_path, command):
    rows = (take / "microphones.csv").read_text().splitlines()[1:]
    lines = [f"{','.join(row.split(',')[:4])},{m + 1}" for m, row in enumerate(rows)]
    (take / "microphones.csv").write_text("\n".join(["name,x,y,z,channel", *reversed(lines)]))
    assert np.linalg.norm(place(answers(command, tmp_path, *given(take))[0]) - SOURCE) < 0.01


@pytest.mark.parametrize("option", [["--plot", "nowhere/map.png"], ["--plot", "map.bmp"]], ids=" ".join)
def test_a_plot_that_cannot_be_is_refused_before_the_work(take, tmp_path, command, monkeypatch, option):
    monkeypatch.chdir(tmp_path)
    status, said, _ = command(*given(take, *option))
    assert (status, said) == (2, "")


def test_silence_has_no_place(take, tmp_path, command):
    soundfile.write(take / "scene.wav", np.zeros((16_000, 7)), 16_000)
    estimates = answers(command, tmp_path, *given(take, "--csv", tmp_path / "answers.csv"))
    assert [estimate["verdict"] for estimate in estimates] == ["abstain"] * 2
    assert all("no_signal" in estimate["reasons"] for estimate in estimates)
    jsonschema.validate(json.loads((tmp_path / "answers.json").read_text()), locate_schema())
    assert (tmp_path / "answers.csv").read_text().splitlines()[1].endswith(",,,,,")


def test_three_known_microphones_are_too_few(tmp_path, rng, command):
    scene = anechoic_scene(CORNERS, SOURCE, rng, seconds=0.5)
    positions = np.where(np.arange(7)[:, None] < 3, CORNERS, np.nan)
    write_scene(tmp_path / "take", replace(scene, microphones=Microphones(positions=positions)))
    estimate = answers(command, tmp_path, *given(tmp_path / "take"))[0]
    assert estimate["verdict"] == "abstain"
    assert "too_few_microphones" in estimate["reasons"]
    assert [report["position_m"] is None for report in estimate["microphones"]] == [False] * 3 + [True] * 4


def test_a_run_that_breaks_midway_leaves_the_old_answers(take, tmp_path, command, monkeypatch):
    """The third window fails: the old JSON stays; rows of the first two are in the CSV file, and that is said."""
    for name in ("a.json", "a.csv"):
        (tmp_path / name).write_text("old")

    def breaks(self, start_s, audio, sample_rate, hear=Session.hear):
        if start_s >= 0.5:
            raise SoundfixError("the third window is cursed")
        return hear(self, start_s, audio, sample_rate)

    monkeypatch.setattr(Session, "hear", breaks)
    before = names_in(tmp_path)
    words = given(take, "--json", tmp_path / "a.json", "--csv", tmp_path / "a.csv", "--window", 0.25)
    result = command(*words)
    assert_refused(result, "cursed")
    assert f"what was located before is in {tmp_path / 'a.csv'}\n" in result[2]
    assert names_in(tmp_path) == before
    assert (tmp_path / "a.json").read_text() == "old"
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 3


def test_a_run_that_cannot_begin_leaves_the_old_rows(take, tmp_path, command):
    (tmp_path / "a.csv").write_text("old")
    words = given(take, "--csv", tmp_path / "a.csv", "--method", "three-stream-paper")
    status, _, complaint = command(*words)
    assert status == 2
    assert "what was located before" not in complaint
    assert (tmp_path / "a.csv").read_text() == "old"


def test_answers_never_overwrite_each_other_or_the_input(take, tmp_path, command):
    """--json and --csv at one path, or at the microphones' or the recording's: refused before anything is lost."""
    before = (take / "microphones.csv").read_bytes()
    status, _, _ = command(*given(take, "--csv", take / "microphones.csv"))
    assert (take / "microphones.csv").read_bytes() == before
    assert status == 2
    status, _, _ = command(*given(take, "--json", tmp_path / "a", "--csv", tmp_path / "a"))
    assert status == 2


def test_a_network_of_one_room_needs_its_checkpoint(command, take):
    status, _, complaint = command(*given(take, "--method", "three-stream-paper"))
    assert status == 2
    assert "three-stream-paper needs weights that were trained for its room" in complaint


def test_without_a_method_the_packaged_network_locates(command, take, tmp_path):
    found = answers(command, tmp_path, *given(take, "--room", ROOM, "--explain"))
    assert all(e["pairs"] for e in found)  # physics alone has nothing to explain
    assert all(np.linalg.norm(np.array(e["sources"][0]["position_m"]) - SOURCE) < 0.05 for e in found)


def test_a_checkpoint_locates(command, take, weights, tmp_path):
    found = answers(
        command, tmp_path, *given(take, "--method", "three-stream", "--checkpoint", weights, "--room", ROOM)
    )
    assert all(np.linalg.norm(np.array(e["sources"][0]["position_m"]) - SOURCE) < 0.05 for e in found)
    assert "pairs" not in found[0]


def test_explain_puts_every_pair_into_the_json(command, take, weights, tmp_path):
    words = given(take, "--method", "three-stream", "--checkpoint", weights, "--explain")
    found = answers(command, tmp_path, *words)
    assert len(found[0]["pairs"]) == 21
    assert {"microphones", "coherence", "attention", "gate"} == set(found[0]["pairs"][0])
    jsonschema.validate(json.loads((tmp_path / "answers.json").read_text()), locate_schema())


def test_a_method_without_weights_refuses_them(command, take, weights):
    status, _, complaint = command(*given(take, "--method", "srp-phat", "--checkpoint", weights))
    assert status == 2
    assert "srp-phat has no option 'checkpoint'; it takes correlator" in complaint


def test_a_height_is_known(take, tmp_path, command):
    for options in (["--height", 1.3], ["--height", "1.28,1.32"], ["--room", ROOM, "--height", 1.3]):
        estimate = answers(command, tmp_path, *given(take, "--method", "srp-phat", *options))[0]
        assert place(estimate) == pytest.approx(SOURCE, abs=0.02)
        assert "at_border" not in estimate["reasons"]


def test_a_search_region_is_a_box_or_a_polygon(take, tmp_path, command):
    (tmp_path / "stage.csv").write_text("x,y\n0,0\n3,0\n3,5\n0,5\n")
    for search in ("0,0,0,3,5,3", tmp_path / "stage.csv"):
        for estimate in answers(command, tmp_path, *given(take, "--method", "srp-phat", "--search", search)):
            assert estimate["sources"] == []
            assert estimate["reasons"] == ["outside_search"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--search", "1,2,3"], "six numbers"),
        (["--search", "none.csv"], "cannot be read"),
        (["--height", "low"], "LOWEST,HIGHEST"),
        (["--height", "2,1"], "lowest and the highest"),
        (["--room", ROOM, "--height", "7"], "outside the room"),
    ],
)
def test_a_search_region_that_cannot_be(take, command, options, message):
    assert_refused(command(*given(take, *options)), message)


def test_the_band_is_told_or_chosen(rng, tmp_path, command):
    low = shared_sound(rng, (300.0, 6000.0), seconds=0.5)[::-1]
    both = 0.1 * shared_sound(rng, HIGH_HZ, seconds=0.5) + low
    soundfile.write(tmp_path / "scene.wav", both.T / 4, round(RATE), subtype="FLOAT")
    write_microphones(tmp_path / "microphones.csv", Microphones(positions=CAGE))
    words = given(tmp_path, "--method", "srp-phat", "--json", tmp_path / "answers.json")
    status, said, complaint = command(*words, "--band", "20000,40000")
    written = json.loads((tmp_path / "answers.json").read_text())
    jsonschema.validate(written, locate_schema())
    assert status == 0, complaint
    assert "listened at 85.3 kHz, to what sounds from 20 to 40 kHz" in said.splitlines()
    assert written["listening"] == {"rate_hz": 85_334.0, "band_hz": list(HIGH_HZ)}
    assert np.linalg.norm(place(written["estimates"][0]) - ANIMAL) < 0.01
    status, said, complaint = command(*words)
    assert "listening" not in json.loads((tmp_path / "answers.json").read_text())
    assert "listened" not in said


@pytest.mark.parametrize("band", ["20000", "20000,forty", "1,2,3"])
def test_a_band_is_two_numbers(take, command, band):
    assert_refused(command(*given(take, "--band", band)), "wanted two numbers lo,hi in Hz")


def test_a_map(take, tmp_path, command):
    words = given(take, "--geojson", tmp_path / "found.geojson")
    assert_refused(command(*words), "nothing says which coordinate system the list is in")
    assert command(*words, "--crs", "EPSG:32632")[0] == 0
    found = json.loads((tmp_path / "found.geojson").read_text())["features"]
    assert [each["properties"]["start_s"] for each in found] == [0.0, 0.0, 0.5, 0.5]
    assert found[0]["properties"]["x_m"] == pytest.approx(SOURCE[0], abs=0.01)
    assert_refused(command(*given(take, "--crs", "EPSG:32632")), "--crs does nothing without --geojson")
    assert_refused(command(*given(take, "--geojson", take / "microphones.csv", "--crs", "EPSG:1")), "is an input")


def test_a_list_in_degrees_is_projected_and_that_is_said(take, tmp_path, command):
    """Placed on the equator at 9 degrees east, where a metre is the same in both."""
    positions = read_microphones(take / "microphones.csv").positions
    degrees = to_degrees(positions[:, :2] + [500_000.0, 100.0], "EPSG:32632")
    rows = [f"{lat!r},{lon!r},{z!r}" for (lon, lat), z in zip(degrees.tolist(), positions[:, 2].tolist(), strict=True)]
    (tmp_path / "gps.csv").write_text("Latitude,Longitude,Altitude\n" + "\n".join(rows))
    words = ["locate", take / "scene.wav", "-m", tmp_path / "gps.csv", *SPEED, "--geojson", tmp_path / "gps.geojson"]
    status, said, complaint = command(*words)
    assert status == 0
    assert "were projected to EPSG:32632 (WGS 84 / UTM zone 32N)" in complaint
    assert "(500003.90, 101.80, 1.30) m" in said
    point = json.loads((tmp_path / "gps.geojson").read_text())["features"][0]["geometry"]["coordinates"]
    assert to_metres(np.array(point), "EPSG:32632") == pytest.approx([500_003.9, 101.8], abs=0.01)
