"""Curves: every validation of every run, with the windows seen and the minutes by then."""

import csv
import json

import pytest

from soundfix.studies.curves import draw_curves, points_of, write_curves


@pytest.fixture
def tables(tmp_path):
    """Two runs: one with two stages and two validations, one of two sources."""
    for of, run, stages in (("one", "gnn", ("autoencoder", "localization")), ("sources2", "ours", ("localization",))):
        folder = tmp_path / of / "runs" / run
        folder.mkdir(parents=True)
        recipe = {"autoencoder": {"batch": 2}, "localization": {"batch": 10}}
        (folder / "settings.json").write_text(json.dumps({"recipe": recipe}))
        notes, step = [], 0
        for stage in stages:
            for k in range(2):
                step += 60
                note = {"step": step, "stage": stage, "windows_a_second": 10.0 if stage == "localization" else 1.0}
                if stage == "localization":
                    note |= {"mae_m": 1.0 - 0.5 * k, "acc": 0.1 + k / 10}
                notes.append(json.dumps(note))
        (folder / "metrics.jsonl").write_text("\n".join(notes) + "\n")
    return tmp_path


def test_windows_and_minutes_of_all_stages_count(tables):
    first, last = points_of(tables / "one" / "runs" / "gnn", "gnn")
    assert (first.windows, first.minutes) == (2 * 120 + 10 * 60, 5.0)
    assert (last.windows, last.minutes) == (2 * 120 + 10 * 120, 6.0)
    assert (last.step, last.stage, last.mae_m, last.acc) == (240, "localization", 0.5, 0.2)


def test_a_table_and_a_picture(tables):
    points = write_curves(tables, {"gnn": "GNN"})
    with (tables / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == ["GNN", "GNN", "ours, sources2", "ours, sources2"]
    assert float(rows[1]["mae_m"]) == points[1].mae_m == 0.5
    assert (tables / "curves.png").stat().st_size > 5000
    assert draw_curves(points, tables / "again.png").exists()


def test_where_nothing_was_trained(tmp_path):
    assert write_curves(tmp_path, {}) == []
    assert list(tmp_path.iterdir()) == []
