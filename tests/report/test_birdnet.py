"""BirdNET's rows with places behind them, read with pandas as BirdNET's users do."""

import io
from dataclasses import replace

import pandas
import pytest

from helpers.foreign import OF_EVENTS, RECORDED, answer, direction, event, source
from soundfix.files.events.joined import joined
from soundfix.files.events.reading import read_events
from soundfix.report.birdnet import detection_lines, header

TABLE = (
    "Start (s),End (s),Scientific name,Common name,Confidence,File\n"
    '1.0,1.5,Strix aluco,"Owl, Tawny",0.91,a.wav\n1.0,1.5,Strix aluco,"Owl, Tawny",0.83,b.wav\n'
)


def frame(*texts):
    return pandas.read_csv(io.StringIO(header() + "".join(texts)))


@pytest.fixture
def of_birdnet(tmp_path):
    (tmp_path / "b.csv").write_text(TABLE)
    return replace(OF_EVENTS, table=read_events(tmp_path / "b.csv"))


def test_the_columns_are_birdnets_with_the_place_behind():
    assert list(frame().columns) == [
        "Start (s)", "End (s)", "Scientific name", "Common name", "Confidence", "File",
        "X (m)", "Y (m)", "Z (m)", "Radius 90 (m)", "Verdict",
    ]  # fmt: skip


def test_rows_of_a_birdnet_table_stay_as_they_were(of_birdnet):
    (listed,) = joined(of_birdnet.table.events)
    read = frame(detection_lines(answer(source(1, 2, 3), event=listed), of_birdnet))
    assert read["Common name"].tolist() == ["Owl, Tawny"] * 2
    assert read["Confidence"].tolist() == [0.91, 0.83]
    assert read["File"].tolist() == ["a.wav", "b.wav"]
    assert read[["X (m)", "Y (m)", "Z (m)", "Radius 90 (m)"]].values.tolist() == [[1, 2, 3, 0.25]] * 2


def test_a_row_that_was_not_located_stays_without_a_place(of_birdnet):
    (listed,) = joined(of_birdnet.table.events)
    read = frame(detection_lines(answer(event=listed), of_birdnet))
    assert len(read) == 2
    assert read["X (m)"].isna().all()
    assert set(read["Verdict"]) == {"abstain"}


def test_other_answers_have_the_confidence_of_their_kind_or_none():
    kinds = {"speech": 0.7, "music": 0.2, "other": 0.1, "none": 0.0}
    read = frame(
        detection_lines(answer(source(1, 2, 3, kinds=kinds), source(4, 5, 6)), RECORDED),
        detection_lines(direction(), RECORDED),
        detection_lines(answer(), RECORDED),
    )
    assert read["Common name"].fillna("").tolist() == ["speech", ""]
    assert read["Confidence"].fillna(-1).tolist() == [0.7, -1]
    assert read["X (m)"].tolist() == [1, 4]


def test_they_read_back_as_events(tmp_path):
    text = header() + detection_lines(answer(source(1, 2, 3), event=event(label='an "owl",\nor two')), OF_EVENTS)
    (tmp_path / "b.csv").write_text(text)
    (read,) = read_events(tmp_path / "b.csv").events
    assert (read.start_s, read.end_s, read.label) == (1.0, 1.5, 'an "owl", or two')


def test_times_are_whole_after_hours_too():
    (line,) = detection_lines(answer(source(1, 2, 3), start_s=12345.678, end_s=100000.25), RECORDED).splitlines()
    assert line.startswith("12345.678,100000.25,")
