"""`soundfix demo`."""

from dataclasses import replace

from helpers.command import names_in
from soundfix.cli import demo


def test_demo_finds_its_talker(tmp_path, command, monkeypatch):
    monkeypatch.setattr(demo, "WALK", replace(demo.WALK, duration_s=3.0))
    status, said, _ = command("demo", "--out", tmp_path / "d")
    lines = said.splitlines()
    error_cm = next(float(line.split()[2]) for line in lines if line.startswith("median error"))
    assert status == 0
    assert error_cm < 10
    assert any("mic4: dead" in line for line in lines)
    assert any("mic9: late" in line for line in lines)
    assert {"scene.wav", "scene.png", "scene.html", "truth.json"} <= set(names_in(tmp_path / "d"))
