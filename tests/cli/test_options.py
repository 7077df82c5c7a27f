"""What people get wrong: one sentence and exit status 2, and nothing is left behind."""

import pytest

from helpers.command import assert_refused, given, names_in


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


def other_unit(take):
    text = (take / "microphones.csv").read_text()
    (take / "microphones.csv").write_text(text.replace("name,x,y", "name,x_mm,y_mm"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (missing, "no such file"),
        (text_as_wav, "scene.wav"),
        (empty, "scene.wav"),
        (more_channels, "7 channels"),
        (fewer_channels, "8 microphones"),
        (millimetres, "given in mm"),
        (same_place_twice, "mic1 and mic2 stand on the same spot"),
        (same_row_twice, "the name 'mic2' is taken"),
        (nan_coordinate, "'nan' is not a number"),
        (no_list, "microphones.csv cannot be read"),
        (other_unit, "to the unit wanted"),
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


def test_what_is_left_of_a_truncated_file_is_used_and_told(take, command):
    truncated(take)
    status, _, told = command("check", take / "scene.wav", "-m", take / "microphones.csv")
    assert status == 0
    assert "scene.wav is cut short (its header promises more)" in told


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
        (["--plot", "map.bmp"], "wanted one of .png, .svg"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_options_are_one_sentence_and_leave_nothing(take, tmp_path, command, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    before = names_in(tmp_path)
    words = given(take) if "--temperature" not in options else given(take)[:-2]  # a speed wins over a temperature
    assert_refused(command(*words, *options), message)
    assert names_in(tmp_path) == before
