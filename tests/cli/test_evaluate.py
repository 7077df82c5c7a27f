"""`soundfix evaluate`."""

from helpers.command import assert_refused


def test_evaluate_prints_its_table(tmp_path, command):
    words = ["--methods", "srp-phat", "--clips", 2, "--microphones", "5", "--windows", "0.2"]
    status, said, _ = command("evaluate", "luvira-twin", "--out", tmp_path / "e", *words)
    assert status == 0
    assert said == (tmp_path / "e/table.md").read_text() + "\n"
    assert "### 5 microphones, 0.2 s: 2 windows" in said
    assert_refused(command("evaluate", "twin", "--out", tmp_path / "f"), "no test set is called 'twin'")
