"""The command line: every option does something, every mistake is one sentence, and a run that fails leaves nothing."""

import csv
import json
import subprocess
import sys
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import soundfix
from helpers.networks import tiny
from helpers.scenes import anechoic_scene
from soundfix.cli import app, terminal
from soundfix.datasets.shards import Shards
from soundfix.datasets.simulated import Simulated
from soundfix.errors import SoundfixError
from soundfix.files.scenes import write_scene
from soundfix.methods.catalog import CATALOG
from soundfix.microphones import Microphones
from soundfix.networks import checkpoint
from soundfix.report.exports import CSV_COLUMNS, locate_schema
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import LUVIRA_TWIN

CORNERS = np.array(
    [[0.3, 0.4, 0.5], [5.6, 0.5, 1.1], [5.5, 4.6, 0.4], [0.4, 4.5, 1.3], [0.5, 0.3, 2.6], [5.4, 4.4, 2.5], [3.0, 2.4, 2.8]]
)  # fmt: skip
SOURCE = np.array([3.9, 1.8, 1.3])
ROOM = "0,0,0,6,5,3"
SPEED = ("--speed-of-sound", "343")


@pytest.fixture
def take(tmp_path, rng):
    """A folder with scene.wav (1 s, anechoic, seven microphones) and microphones.csv."""
    write_scene(tmp_path / "take", anechoic_scene(CORNERS, SOURCE, rng, seconds=1.0))
    return tmp_path / "take"


def given(take, *options):
    return ["locate", take / "scene.wav", "--microphones", take / "microphones.csv", *SPEED, *options]


def answers(command, folder, *words):
    """The estimates that the command writes."""
    status, _, complaint = command(*words, "--json", folder / "answers.json")
    assert status == 0, complaint
    return json.loads((folder / "answers.json").read_text())["estimates"]


def place(estimate):
    return np.array(estimate["sources"][0]["position_m"])


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


def test_help_starts_as_a_module():
    done = subprocess.run([sys.executable, "-m", "soundfix", "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("locate", "check", "simulate", "methods", "demo"))
    assert done.stderr == ""


def test_version(command):
    assert command("--version") == (0, f"{soundfix.__version__}\n", "")


def test_commands_under_the_test_runner():
    runner = CliRunner()
    assert runner.invoke(app.app, ["--version"]).output.strip() == soundfix.__version__
    assert runner.invoke(app.app, ["locate"]).exit_code == 2


def test_methods_are_the_catalog_with_its_default(command):
    _, said, _ = command("methods")
    lines = said.splitlines()
    assert [line.split()[0] for line in lines] == list(CATALOG)
    assert [line.split()[0] for line in lines if "(the default)" in line] == ["three-stream"]


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
    assert "row 1 is channel 1 of scene.wav" in complaint
    assert json.loads((tmp_path / "answers.json").read_text())["version"] == soundfix.__version__


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
    words = ["locate", take / "scene.wav", "-m", take / "microphones.csv", "--window", 1.0]
    cold, warm, given_speed = (
        place(answers(command, tmp_path, *words, *options)[0])
        for options in (["--temperature", -40], ["--temperature", 20], ["--temperature", -40, *SPEED])
    )
    assert np.linalg.norm(warm - SOURCE) < 0.01
    assert np.linalg.norm(cold - SOURCE) > 0.05
    assert np.linalg.norm(given_speed - SOURCE) < 0.005


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
    estimates = answers(command, tmp_path, *given(take, *options))
    assert [estimate["start_s"] for estimate in estimates] == starts


def test_smooth_changes_places_and_nothing_else(take, tmp_path, command):
    options = (["--window", 0.25], ["--window", 0.25, "--smooth"])
    usual, smooth = (answers(command, tmp_path, *given(take, *words)) for words in options)
    assert [estimate["start_s"] for estimate in smooth] == [estimate["start_s"] for estimate in usual]
    assert any((place(a) != place(b)).any() for a, b in zip(smooth, usual, strict=True))


def test_a_long_recording_prints_its_first_windows(take, command, tmp_path):
    words = given(take, "--window", 0.5, "--hop", 0.02)
    _, said, _ = command(*words)
    lines = said.splitlines()
    assert len(lines) == terminal.LINES_SHOWN + 2
    assert lines[-2] == "... and 6 more windows; --json FILE keeps them all"
    _, said, _ = command(*words, "--csv", tmp_path / "all.csv")
    assert said.splitlines()[-2] == f"... and 6 more windows; all are in {tmp_path / 'all.csv'}"


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


def test_check_reports_and_writes(take, tmp_path, command):
    words = ["check", take / "scene.wav", "-m", take / "microphones.csv", "--room", ROOM]
    status, said, complaint = command(*words, "--json", tmp_path / "r.json", "--plot", tmp_path / "r.png")
    report = json.loads((tmp_path / "r.json").read_text())
    assert (status, said.splitlines()[0]) == (0, "7 of 7 microphones are usable (2 windows heard)"), complaint
    assert report["box_m"] == [[0, 0, 0], [6, 5, 3]]
    assert [microphone["name"] for microphone in report["microphones"]] == [f"mic{m + 1}" for m in range(7)]
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    assert said.splitlines()[-1] == f"drawn: {tmp_path / 'r.png'}"


def test_check_refuses_an_impossible_temperature(take, command):
    result = command("check", take / "scene.wav", "-m", take / "microphones.csv", "--temperature", 293)
    assert_refused(result, "was it given in °F or K?")


def test_simulate_is_its_seed(tmp_path, command):
    for name, seed in (("one", 4), ("same", 4), ("other", 5)):
        command("simulate", tmp_path / name, "--seed", seed, "--set", "duration_s=0.3")
    one, same, other = (soundfile.read(tmp_path / n / "scene.wav")[0] for n in ("one", "same", "other"))
    assert np.array_equal(one, same)
    assert one.shape != other.shape or not np.array_equal(one, other)
    for file in ("microphones.csv", "truth.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "same" / file).read_bytes()


def test_simulate_counts_and_lasts(tmp_path, command):
    """--scenes makes numbered folders, each another scene; duration_s is the length."""
    _, said, _ = command("simulate", tmp_path / "many", "--scenes", 3, "--set", "duration_s=0.4")
    assert said == f"3 scenes of clean-rooms in {tmp_path}/many\n"
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == ["0000", "0001", "0002"]
    assert soundfile.info(tmp_path / "many/0001/scene.wav").frames == 6400
    rooms = {(tmp_path / "many" / name / "truth.json").read_text() for name in ("0000", "0001", "0002")}
    assert len(rooms) == 3


def test_simulate_world_and_faults(tmp_path, command):
    words = ["simulate", tmp_path / "s", "--world", "luvira-twin", "--set", "duration_s=0.3"]
    command(*words, "--fault", "dead:3", "--fault", "unknown:mic4")
    audio, _ = soundfile.read(tmp_path / "s/scene.wav")
    assert audio.shape == (4800, 11)
    assert np.flatnonzero(~audio.any(axis=0)).tolist() == [2]
    assert (tmp_path / "s/microphones.csv").read_text().splitlines()[4].startswith("mic4,,,")
    assert json.loads((tmp_path / "s/truth.json").read_text())["faults"] == ["dead:mic3", "unknown:mic4"]


def test_simulate_plays_a_folder(tmp_path, command):
    (tmp_path / "dry").mkdir()
    tone = 0.4 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    soundfile.write(tmp_path / "dry/tone.wav", tone, 16_000)
    command("simulate", tmp_path / "s", "--audio", tmp_path / "dry", "--set", "duration_s=0.5")
    audio, _ = soundfile.read(tmp_path / "s/scene.wav")
    assert np.square(np.abs(np.fft.rfft(audio, axis=0))).sum(axis=1).argmax() == 500


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--world", "cave"], "no world is called 'cave'; there are clean-rooms, random-rooms, luvira-twin"),
        (["--fault", "dead"], "KIND one of dead, cut, noisy"),
        (["--fault", "rusty:1"], "KIND one of dead, cut, noisy"),
        (["--fault", "dead:99"], "no microphone '99'"),
        (["--audio", "nowhere"], "no audio file in nowhere"),
    ],
)
def test_simulate_refuses_and_leaves_nothing(tmp_path, command, options, message):
    assert_refused(command("simulate", tmp_path / "s", "--set", "duration_s=0.3", *options), message)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("options", [["--seed", -1], ["--scenes", 0], ["--workers", 0]])
def test_simulate_numbers_out_of_range(tmp_path, command, options):
    status, _, complaint = command("simulate", tmp_path / "s", *options)
    assert status == 2
    assert "Invalid value" in complaint
    assert names_in(tmp_path) == []


def test_simulate_onto_a_file(tmp_path, command):
    (tmp_path / "s").touch()
    assert_refused(command("simulate", tmp_path / "s", "--set", "duration_s=0.3"), "cannot make the folder")


SMALL = ("--shards", "--world", "luvira-twin", "--scenes", 5, "--set", "duration_s=0.3", "--set", "image_order=1")


def test_simulate_makes_a_set(tmp_path, command):
    """As many scenes as asked for, of this world, with these settings; scene by scene those of the world in Python."""
    words = ["simulate", tmp_path / "set", *SMALL, "--seed", 3, "--workers", 2, "--set", "snr_db=[40, 41]"]
    assert command(*words) == (0, f"5 scenes of luvira-twin in {tmp_path}/set\n", "")
    assert names_in(tmp_path / "set") == ["000000.tar", "manifest.json"]
    shards = Shards(tmp_path / "set")
    world = replace(LUVIRA_TWIN, duration_s=0.3, image_order=1, snr_db=(40.0, 41.0))
    simulated = Simulated(world=world, sounds=BuiltInSounds(), seed=3, count=5)
    assert len(shards) == 5
    for k in range(5):
        assert shards[k].audio == pytest.approx(simulated[k].audio, abs=2e-5)
        assert shards[k].truth.snr_db == simulated[k].truth.snr_db


def test_simulate_ones_own_room(tmp_path, command):
    (tmp_path / "mics.csv").write_text("name,x,y,z\na,1.2,5.3,1\nb,4.8,5.2,1.5\nc,4.7,7.8,0.9\nd,1.3,7.7,2\n")
    words = ["--room", "1,5,0,5,8,2.5", "-m", tmp_path / "mics.csv", "--set", "duration_s=0.3", "--fault", "dead:c"]
    assert command("simulate", tmp_path / "s", *words)[0] == 0
    truth = json.loads((tmp_path / "s/truth.json").read_text())
    assert truth["room_m"] == [[1, 5, 0], [5, 8, 2.5]]
    assert (tmp_path / "s/microphones.csv").read_text().splitlines()[1].startswith("a,1.2,5.3,1")
    assert 5.5 <= truth["sources_m"][0][1] <= 7.5


def test_simulate_goes_on_with_a_set(tmp_path, command):
    words = ["simulate", tmp_path / "set", *SMALL]
    first = command(*words)
    before = (tmp_path / "set/000000.tar").read_bytes()
    (tmp_path / "set/000000.tar").unlink()
    assert command(*words) == first
    assert (tmp_path / "set/000000.tar").read_bytes() == before
    assert_refused(command(*words, "--seed", 1), "holds another set: seed is 0 in it, and 1 was asked for")
    assert_refused(command(*words, "--set", "peak=[0.2,0.3]"), "world.peak is [0.1, 0.9] in it, and [0.2, 0.3] was")


def test_a_set_of_recordings_knows_their_part(tmp_path, command, rng):
    """alice is one to train on, ivan to validate with; each in a folder of his own."""
    for name in ("alice", "ivan"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "a.wav", 0.1 * rng.standard_normal(16_000), 16_000)
        (tmp_path / name / "index.csv").write_text(f"file,kind,speaker\na.wav,speech,{name}\n")
    folders = ["--audio", tmp_path / "alice", "--audio", tmp_path / "ivan"]
    command("simulate", tmp_path / "set", *SMALL, *folders, "--part", "valid")
    assert Shards(tmp_path / "set").manifest.sounds["speakers"] == {"speech": 1}
    assert Shards(tmp_path / "set").manifest.sounds["part"] == "valid"
    refused = command("simulate", tmp_path / "other", *SMALL, *folders, "--part", "test")
    assert_refused(refused, "none of the 2 speakers in these folders belongs to part 'test'")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--world", "luvira-twin", "--set", "rt60=[0.2,0.3]"], "has no setting 'rt60'; did you mean 'rt60_s'?"),
        (
            ["--world", "luvira-twin", "--set", "rt60_s=0.2"],
            "rt60_s is 0.2; input should be a valid tuple, such as (0.2,",
        ),
        (["--world", "luvira-twin", "--set", "rt60_s=[0.9,0.2]"], "wanted 0 to 3, the lower first"),
        (["--world", "luvira-twin", "--part", "train"], "built-in sounds have no parts; give --audio too"),
        (["--shards", "--fault", "dead:1"], "--set share_faulty=1 breaks them all"),
        (["--workers", "2"], "--workers belongs to --shards"),
        (["--microphones", "list.csv"], "--microphones stand in a --room: give it too"),
        (["--room", "0,0,0,5,4,3"], "--room without --microphones: where do they stand in it"),
    ],
)
def test_simulate_refuses_what_would_do_nothing(tmp_path, command, options, message):
    assert_refused(command("simulate", tmp_path / "s", *options), message)
    assert names_in(tmp_path) == []


def test_evaluate_prints_its_table(tmp_path, command):
    words = ["--methods", "srp-phat", "--clips", 2, "--microphones", "5", "--windows", "0.2"]
    status, said, _ = command("evaluate", "luvira-twin", "--out", tmp_path / "e", *words)
    assert status == 0
    assert said == (tmp_path / "e/table.md").read_text() + "\n"
    assert "### 5 microphones, 0.2 s: 2 windows" in said
    assert_refused(command("evaluate", "twin", "--out", tmp_path / "f"), "no test set is called 'twin'")


def test_demo_finds_its_talker(tmp_path, command):
    status, said, _ = command("demo", "--out", tmp_path / "d")
    lines = said.splitlines()
    error_cm = next(float(line.split()[2]) for line in lines if line.startswith("median error"))
    assert status == 0
    assert error_cm < 10
    assert any("mic4: dead" in line for line in lines)
    assert any("mic9: late" in line for line in lines)
    assert {"scene.wav", "scene.png", "scene.html", "truth.json"} <= set(names_in(tmp_path / "d"))


# What people get wrong


def _rewrite(take, change):
    path = take / "microphones.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *change([row.split(",") for row in rows])]) + "\n")


def missing(take):
    (take / "scene.wav").unlink()


def text_as_wav(take):
    (take / "scene.wav").write_text("this is a letter, not a sound\n" * 50)


def empty(take):
    (take / "scene.wav").write_bytes(b"")


def truncated(take):
    whole = (take / "scene.wav").read_bytes()
    (take / "scene.wav").write_bytes(whole[: len(whole) // 2])


def more_channels(take):
    _rewrite(take, lambda rows: [",".join(row) for row in rows[:6]])


def fewer_channels(take):
    _rewrite(take, lambda rows: [",".join(row) for row in [*rows, ["mic8", "3", "3", "3", *rows[0][4:]]]])


def millimetres(take):
    _rewrite(take, lambda rows: [",".join([r[0], *(str(1000 * float(v)) for v in r[1:4]), *r[4:]]) for r in rows])


def same_place_twice(take):
    _rewrite(take, lambda rows: [",".join([rows[m][0], *rows[max(m, 1)][1:]]) for m in range(7)])


def same_row_twice(take):
    _rewrite(take, lambda rows: [",".join(rows[max(m, 1)]) for m in range(7)])


def nan_coordinate(take):
    _rewrite(take, lambda rows: [",".join([row[0], "nan", *row[2:]]) for row in rows])


def no_list(take):
    (take / "microphones.csv").unlink()


def degrees(take):
    text = (take / "microphones.csv").read_text()
    (take / "microphones.csv").write_text(text.replace("name,x,y", "name,lat,lon"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (missing, "no such file"),
        (text_as_wav, "scene.wav"),
        (empty, "scene.wav"),
        (truncated, "scene.wav"),
        (more_channels, "7 channels"),
        (fewer_channels, "8 microphones"),
        (millimetres, "given in mm"),
        (same_place_twice, "mic1 and mic2 stand on the same spot"),
        (same_row_twice, "the name 'mic2' is taken"),
        (nan_coordinate, "'nan' is not a number"),
        (no_list, "microphones.csv cannot be read"),
        (degrees, "convert to metres first"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("name", ["locate", "check"])
def test_bad_input_is_one_sentence_and_leaves_nothing(take, tmp_path, command, name, spoil, message):
    spoil(take)
    (tmp_path / "old.json").write_text("old")
    before = names_in(tmp_path)
    words = [name, take / "scene.wav", "-m", take / "microphones.csv", "--json", tmp_path / "old.json"]
    assert_refused(command(*words), message)
    assert names_in(tmp_path) == before
    assert (tmp_path / "old.json").read_text() == "old"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--room", "0,0,0,6,5"], "wanted six numbers"),
        (["--room", "0,0,0,6,5,high"], "wanted six numbers"),
        (["--room", "0,0,0,nan,5,3"], "wanted ((x0, y0, z0), (x1, y1, z1)) in metres"),
        (["--room", "6,5,3,0,0,0"], "give the lowest corner first"),
        (["--temperature", "293"], "was it given in °F or K?"),
        (["--temperature", "nan"], "was it given in °F or K?"),
        (["--speed-of-sound", "0.343"], "wanted 100 to 7000"),
        (["--window", "0"], "window_s is 0.0 s"),
        (["--window", "nan"], "window_s is nan s"),
        (["--hop", "0"], "hop_s is 0.0 s"),
        (["--hop", "-1"], "hop_s is -1.0 s"),
        (["--method", "srp"], "there are srp-phat, srp-phat-ascm, multilateration"),
        (["--method", "srp-fat"], "Did you mean 'srp-phat'?"),
        (["--json", "nowhere/answers.json"], "there is no folder"),
        (["--csv", "nowhere/answers.csv"], "there is no folder"),
        (["--plot", "nowhere/map.png"], "there is no folder"),
        (["--plot", "map.pdf"], "wanted one of .png, .html"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_options_are_one_sentence_and_leave_nothing(take, tmp_path, command, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    before = names_in(tmp_path)
    words = given(take) if "--temperature" not in options else given(take)[:-2]  # a speed wins over a temperature
    assert_refused(command(*words, *options), message)
    assert names_in(tmp_path) == before


@pytest.mark.parametrize("option", [["--plot", "nowhere/map.png"], ["--plot", "map.pdf"]], ids=" ".join)
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
    """The third window fails: nothing half-written, old files whole."""
    for name in ("a.json", "a.csv"):
        (tmp_path / name).write_text("old")

    def breaks(self, start_s, audio, sample_rate, hear=soundfix.session.session.Session.hear):
        if start_s >= 0.5:
            raise SoundfixError("the third window is cursed")
        return hear(self, start_s, audio, sample_rate)

    monkeypatch.setattr(soundfix.session.session.Session, "hear", breaks)
    before = names_in(tmp_path)
    words = given(take, "--json", tmp_path / "a.json", "--csv", tmp_path / "a.csv", "--window", 0.25)
    assert_refused(command(*words), "cursed")
    assert names_in(tmp_path) == before
    assert {(tmp_path / name).read_text() for name in ("a.json", "a.csv")} == {"old"}


def test_answers_never_overwrite_each_other_or_the_input(take, tmp_path, command):
    """--json and --csv at one path, or at the microphones' or the recording's: refused before anything is lost."""
    before = (take / "microphones.csv").read_bytes()
    status, _, _ = command(*given(take, "--csv", take / "microphones.csv"))
    assert (take / "microphones.csv").read_bytes() == before
    assert status == 2
    status, _, _ = command(*given(take, "--json", tmp_path / "a", "--csv", tmp_path / "a"))
    assert status == 2


# The networks


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "net.safetensors"
    checkpoint.save(tiny(is_untrained=True), path)
    return path


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


def test_info_describes_a_recipe_and_a_checkpoint(command, weights):
    for model in ("tiny", weights):
        status, said, _ = command("info", model)
        assert status == 0
        assert "trainable" in said
        assert "one 0.5 s window of 11 microphones" in said


def test_info_refuses_what_it_does_not_know(command):
    status, _, complaint = command("info", "huge")
    assert status == 2
    assert "neither a file nor a recipe" in complaint
