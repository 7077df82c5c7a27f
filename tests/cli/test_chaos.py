"""`soundfix chaos`: what it prints and writes, with a method of one's own too."""

import json

import pytest

from helpers.chaos import recording
from soundfix.evaluation.chaos_report import FILES
from soundfix.files.scenes import write_scene


@pytest.fixture
def take(tmp_path):
    """A folder as `soundfix simulate` writes it."""
    write_scene(tmp_path / "take", recording())
    return tmp_path / "take"


def words(take, *options):
    method = [] if "--localizer" in options else ["--method", "srp-phat"]
    audio = ["chaos", take / "scene.wav", "-m", take / "microphones.csv", "--room", "0,0,0,6,5,3", *method]
    return [*audio, "--speed-of-sound", 343, "--tries", 1, "--fault", "dead", *options]


def test_the_command_prints_and_writes_three_files(take, tmp_path, command):
    status, said, complaint = command(*words(take, "--fault", "gain", "--seconds", 1, "--out", tmp_path / "c"))
    assert status == 0, complaint
    assert "srp-phat on 1 s of 9 microphones. Errors are measured from the truth" in said
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == sorted(FILES)
    rows = [line.split()[0] for line in said.splitlines()]
    assert rows[-4:-1] == ["fault", "dead", "gain"]
    written = json.loads((tmp_path / "c/chaos.json").read_text())
    assert [one["label"] for one in written["tries"]] == ["dead", "gain"]
    assert written["reference"] == "truth"
    assert "| dead | 1 | 100 | 100 | 0 |" in (tmp_path / "c/chaos.md").read_text()
    assert (tmp_path / "c/chaos.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("text", [None, '{"room_m": [[0, 0, 0], [6, 5, 3]]}'])
def test_the_command_says_when_there_is_no_truth(take, command, text):
    (take / "truth.json").unlink()
    if text:
        (take / "truth.json").write_text(text)
    _, said, _ = command(*words(take, "--broken", 2, "--seconds", 0.5))
    assert "from what srp-phat itself answers on the clean recording" in said


def test_a_method_of_ones_own(take, command, monkeypatch, tmp_path):
    (tmp_path / "theirs.py").write_text(
        "from soundfix.methods.srp_phat import SrpPhat\n"
        "from helpers.chaos import Accuser\n"
        "def good(): return SrpPhat(name='theirs')\n"
        "def number(): return 7\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    _, said, _ = command(*words(take, "--localizer", "theirs:good"))
    assert said.startswith("theirs on 2 s of 9 microphones")
    for made, message in (
        ("theirs:Accuser", "theirs:Accuser breaks the contract of localizers: accuser: moves_with_the_room"),
        ("theirs:number", "theirs:number made 7, wanted an object with a name and locate(scene)"),
        ("theirs:absent", "is it installed, or on PYTHONPATH?"),
        ("theirs", "wanted MODULE:FACTORY"),
    ):
        status, _, complaint = command(*words(take, "--localizer", made))
        assert status == 2
        assert message in complaint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fault", "rusty"], "no fault is called 'rusty'"),
        (["--broken", 7], "where most are broken, nobody can say which"),
        (["--localizer", "a:b", "--method", "srp-phat"], "--method and --localizer exclude each other"),
    ],
)
def test_the_command_refuses_in_a_sentence(take, command, options, message):
    status, _, complaint = command(*words(take, *options))
    assert status == 2
    assert message in complaint.splitlines()[-1]
    assert "Traceback" not in complaint


def test_the_command_refuses_a_file_for_a_folder(take, command):
    status, _, complaint = command(*words(take, "--out", take / "scene.wav"))
    assert status == 2
    assert "cannot write" in complaint
