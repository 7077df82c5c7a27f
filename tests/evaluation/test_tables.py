"""Tables say what the rows say, and parts have tables of their own."""

import csv
import json

import numpy as np
import pytest

from soundfix.evaluation.tables import lines_of, markdown


def test_the_report_says_what_the_rows_say(whole):
    out, rows = whole
    assert {path.name for path in out.iterdir()} == {
        "windows.jsonl", "manifest.json", "table.md", "summary.csv", "errors.png", "microphones.png", "map.png",
    }  # fmt: skip
    with (out / "summary.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    line = next(
        row for row in table if row["part"] == "all" and row["microphones"] == "4" and row["window_s"] == "0.25"
    )
    errors = [row.score.error_m for row in rows if (row.microphones, row.window_s, row.method) == (4, 0.25, "srp-phat")]
    assert len(errors) == int(line["windows"]) == 3
    assert float(line["mae_m"]) == pytest.approx(np.mean(errors))
    assert f"{100 * np.mean(errors):.1f} (" in (out / "table.md").read_text()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["plan"]["wanted"]["clips"] == 3
    assert set(manifest["versions"]) >= {"soundfix", "torch"}
    assert manifest["seconds"] > 0


def test_parts_have_tables_of_their_own(whole):
    text = markdown("it", lines_of(whole[1]))
    assert "## Everything" in text
    assert "## Noise: 15 dB" in text
    assert "### 6 microphones, 0.128 s: 3 windows" in text
