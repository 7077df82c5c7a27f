"""`soundfix check`."""

import json

from helpers.command import ROOM, assert_refused


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
