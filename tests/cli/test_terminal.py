"""What a long run prints of itself."""

import json
from pathlib import Path

from helpers.command import given
from soundfix.cli import terminal
from soundfix.cli.terminal import Compared
from soundfix.estimate import Estimate


def test_a_long_recording_prints_its_first_windows(take, command, tmp_path):
    words = given(take, "--method", "srp-phat", "--window", 0.5, "--hop", 0.02)
    _, said, _ = command(*words)
    lines = said.splitlines()
    assert len(lines) == terminal.LINES_SHOWN + 2
    assert lines[-2] == "... and 6 more windows; --json FILE keeps them all"
    _, said, _ = command(*words, "--csv", tmp_path / "all.csv")
    assert said.splitlines()[-2] == f"... and 6 more windows; all are in {tmp_path / 'all.csv'}"


def test_estimates_are_compared_as_they_are_written():
    estimate = Estimate(method="mine", start_s=0.0, end_s=0.5, verdict="abstain")
    compared = Compared(Path("a.json"), [json.loads(json.dumps(estimate.to_dict()))])
    compared(estimate)
    compared(estimate)
    assert compared.sentence() == "1 answers are the same as in a.json"
