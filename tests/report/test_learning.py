"""How a run learned, as a table and a picture; nothing that goes wrong with them stops it."""

import csv
import json
import os

import pytest

from helpers.disks import refuse
from soundfix.errors import MissingPackageError
from soundfix.report import learning
from soundfix.report.learning import Curves, draw_learning, read_notes, terms_of, write_learning


def notes(*, validated=True):
    """Two stages; 20 notes each, a validation every tenth of the second."""
    made = []
    for begins, stage, terms in ((0, "autoencoder", ("sound",)), (400, "localization", ("sound", "likelihood"))):
        for done in range(20, 401, 20):
            note = {"step": begins + done, "stage": stage, "of": 400, "done": done}
            note |= {term: (k + 1) / done for k, term in enumerate(terms)} | {"windows_a_second": 9.0, "waiting": 0.1}
            note |= {"left_s": 10.0, "left_besides": ["votes"], "stops_in_s": 4.0}
            if validated and stage == "localization" and done % 200 == 0:
                note |= {
                    "mae_m": 20 / done,
                    "median_m": 10 / done,
                    "acc": 0.5,
                    "srp_mae_m": 0.3,
                    "decoder_error_m": 0.9,
                }
            made.append(note)
    return made


@pytest.fixture
def folder(tmp_path):
    lines = [json.dumps(note) for note in notes()]
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + '\n{"step": 820, "stage')
    return tmp_path


def test_the_table_has_what_was_noted(folder):
    write_learning(folder)
    with (folder / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "step", "stage", "sound", "likelihood", "mae_m", "median_m", "acc", "srp_mae_m", "decoder_error_m",
    ]  # fmt: skip
    assert len(rows) == 40  # the line that was cut short is none
    assert (rows[0]["likelihood"], rows[0]["mae_m"]) == ("", "")
    assert (float(rows[29]["likelihood"]), float(rows[29]["mae_m"])) == (0.01, 0.1)


def drawn(made, path, monkeypatch):
    """The axes of the picture."""
    kept = []
    monkeypatch.setattr(learning, "write_figure", lambda figure, path: kept.append(figure))
    draw_learning(made, path)
    return kept[0].axes


def lines(axis):
    return {line.get_label(): line.get_xydata() for line in axis.get_lines() if not line.get_label().startswith("_")}


def test_the_picture_has_losses_errors_and_stages(tmp_path, monkeypatch):
    losses, errors = drawn(notes(), tmp_path / "curves.png", monkeypatch)
    assert lines(losses).keys() == {"sound", "likelihood"}
    assert lines(losses)["likelihood"][0].tolist() == [420, 0.1]
    sound = lines(losses)["sound"]
    assert len(sound) == 41
    assert sound[20, 1] != sound[20, 1]  # broken where the stage is another
    assert lines(errors)["mean"].tolist() == [[600, 0.1], [800, 0.05]]
    assert lines(errors)["median"].tolist() == [[600, 0.05], [800, 0.025]]
    assert lines(errors)["SRP-PHAT, mean"].tolist() == [[600, 0.3], [800, 0.3]]
    named = {text.get_text(): text.xy[0] for text in losses.texts}
    assert named == {"autoencoder": 0, "localization": 400}
    assert not errors.texts
    for axis in (losses, errors):
        assert [line.get_xdata()[0] for line in axis.get_lines() if line.get_label().startswith("_")] == [0, 400]
        assert axis.get_yscale() == "log"
    assert [label.get_text() for label in errors.get_yticklabels()] == ["0.05", "0.1", "0.2"]


def test_names_of_short_stages_are_in_rows_of_their_own(tmp_path, monkeypatch):
    losses, _ = drawn(notes(), tmp_path / "curves.png", monkeypatch)
    assert len({text.xyann[1] for text in losses.texts}) == 2


def test_without_validation_there_is_one_picture_and_what_is_0_is_not_in_it(tmp_path, monkeypatch):
    made = [note | {"pairs": 0.0} for note in notes(validated=False)]
    assert "pairs" in terms_of(made)
    (losses,) = drawn(made, tmp_path / "curves.png", monkeypatch)
    assert lines(losses).keys() == {"sound", "likelihood"}


def test_the_picture_is_written(folder):
    write_learning(folder)
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_where_nothing_was_noted_nothing_is_written(tmp_path):
    write_learning(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_once_and_stops_nothing(folder, monkeypatch):
    said = []
    curves = Curves(folder, said.append)
    curves.draw()
    before = (folder / "curves.png").read_bytes()
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse(28))
        curves.draw()
        curves.draw()
    assert len(said) == 1
    assert said[0].startswith("no curves: cannot write")
    assert "the disk is full" in said[0]
    assert (folder / "curves.png").read_bytes() == before
    assert not list(folder.glob(".soundfix-*"))
    (folder / "curves.png").unlink()
    curves.draw()
    assert (folder / "curves.png").exists()


def test_without_matplotlib_there_is_the_table_and_a_sentence(folder, monkeypatch):
    def missing(module):
        raise MissingPackageError("matplotlib", "report")

    monkeypatch.setattr(learning, "library", missing)
    said = []
    curves = Curves(folder, said.append)
    curves.draw()
    curves.draw()
    assert len(said) == 1
    assert "pip install" in said[0]
    assert (folder / "curves.csv").exists()
    assert not (folder / "curves.png").exists()


def test_notes_that_cannot_be_read_are_left_out(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "stage": "votes", "done": 1}\nnonsense}\n')
    assert [note["step"] for note in read_notes(tmp_path)] == [1]
