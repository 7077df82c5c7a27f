"""Answers on disk: JSON whole or not at all, rows as they come, valid by their own schema, and harmless in a spreadsheet."""

import csv
import errno
import json
import os
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from helpers.disks import assert_untouched, refuse
from helpers.drawings import directed
from soundfix.calibration.hypotheses import FaultHypothesis
from soundfix.errors import OutputError
from soundfix.estimate import Estimate, Finding, MicrophoneReport, Regions, Source
from soundfix.files.silences import Silence
from soundfix.report import exports
from soundfix.report.exports import CsvWriter, JsonLinesWriter, JsonWriter, locate_schema
from soundfix.report.summary import summary_dict, summary_lines
from soundfix.session.microphone_history import Event
from soundfix.session.summary import Interruption, Summary
from soundfix.survey.start_offsets import StartOffset

SOURCE = Source(position_m=np.array([1.5, -2.0, 0.25]), covariance_m2=np.eye(3), radius90_m=2.5, score=0.75)
REPORTS = (
    MicrophoneReport(name="a", status="ok", weight=1.0, position_m=np.zeros(3), pull_m=0.5),
    MicrophoneReport(name="b", status="unknown-position", weight=0.0, position_m=None, range_m=3.0),
)
REGIONS = Regions(method="split conformal", coverage=0.9, held_out=600)
ANSWER = Estimate(
    method="srp", start_s=0.0, end_s=0.5, verdict="ambiguous",
    findings=(Finding("mirror", "Two places."), Finding("late:b", "")),
    sources=(SOURCE, SOURCE), regions=REGIONS, microphones=REPORTS,
)  # fmt: skip
WATER_M_S = 1480.0
CONCLUSION = Summary(
    events=(Event(time_s=723.0, microphone="a", status="dead"),),
    microphones=(
        MicrophoneReport(name="a", status="misplaced", weight=0.2, position_m=np.zeros(3), pull_m=1.5),
        MicrophoneReport(name="b", status="late", weight=0.0, position_m=np.ones(3), pull_m=8.9),
        MicrophoneReport(name="c", status="ok", weight=1.0, position_m=np.array([4.0, 0, 0]), pull_m=0.0),
    ),
    explanations={
        "a": FaultHypothesis(position_m=np.array([4.0, 0, 0.1]), is_elsewhere=True, share=0.9),
        "b": FaultHypothesis(
            position_m=np.ones(3),
            offset_m=0.006 * WATER_M_S,
            drift_m_s=20e-6 * WATER_M_S,
            is_late=True,
            drifts=True,
            share=1.0,
        ),
    },
    speed_m_s=WATER_M_S,
    starts=(StartOffset("b", 2.0, "a"),),
    silences=(Silence("c", 720.0, 900.0, "no sound after 12:00 (c.wav ends there)"),),
)
SILENCE = Estimate(method="srp", start_s=0.5, end_s=1.0, verdict="abstain", findings=(Finding("silence", ""),))


def validate(document: dict) -> None:
    jsonschema.validate(document, locate_schema(), cls=jsonschema.Draft202012Validator)


def writers(path):
    return [JsonWriter(path, "srp", "0.1.0"), CsvWriter(path)]


def test_json_replaces_only_at_the_end(old):
    with JsonWriter(old, "srp", "0.1.0") as writer:
        writer.write(ANSWER)
        assert old.read_text() == "old"
    assert old.read_text() != "old"
    assert list(old.parent.iterdir()) == [old]


def test_json_of_a_run_that_fails_leaves_the_old_file_and_its_own_error(old):
    def run():
        with JsonWriter(old, "srp", "0.1.0") as writer:
            writer.write(ANSWER)
            raise ConnectionError("an OSError that has nothing to do with our file")

    with pytest.raises(ConnectionError):
        run()
    assert_untouched(old)


@pytest.mark.parametrize(("writer", "before"), [(CsvWriter, 1), (JsonLinesWriter, 0)])
def test_rows_are_there_as_they_come_and_stay(old, writer, before):
    def run():
        with writer(old) as rows:
            rows.write(ANSWER)
            assert len(old.read_text().splitlines()) == before + (2 if before else 1)
            rows.write(SILENCE)
            raise ConnectionError("an OSError that has nothing to do with our file")

    with pytest.raises(ConnectionError):
        run()
    assert len(old.read_text().splitlines()) == before + (3 if before else 2)
    assert list(old.parent.iterdir()) == [old]


def test_json_lines_are_the_estimates(tmp_path):
    with JsonLinesWriter(tmp_path / "a.jsonl") as writer:
        for estimate in (ANSWER, SILENCE):
            writer.write(estimate)
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [ANSWER.to_dict(), SILENCE.to_dict()]


@pytest.mark.parametrize("which", [0, 1])
def test_a_full_disk_in_the_middle_leaves_the_old_file(old, which):
    def run():
        with writers(old)[which] as writer:
            writer._file._file.write = refuse(errno.ENOSPC)
            writer.write(ANSWER)

    with pytest.raises(OutputError, match="the disk is full; the old file is untouched"):
        run()
    assert_untouched(old)


@pytest.mark.parametrize("which", [0, 1])
def test_a_full_disk_at_the_end_leaves_the_old_file(old, which, monkeypatch):
    monkeypatch.setattr(os, "fsync", refuse(errno.ENOSPC))
    with pytest.raises(OutputError, match="the disk is full; the old file is untouched"), writers(old)[which] as writer:
        writer.write(ANSWER)
    assert_untouched(old)


@pytest.mark.parametrize("which", [0, 1])
def test_a_read_only_folder_is_said_before_any_work(old, which, monkeypatch):
    monkeypatch.setattr("pathlib.Path.open", refuse(errno.EROFS))
    with pytest.raises(OutputError, match="the disk is read-only; the old file is untouched"):
        writers(old)[which].__enter__()


@pytest.mark.parametrize("estimates", [[], [ANSWER], [ANSWER, SILENCE, ANSWER]])
def test_json_holds_every_estimate_one_a_line(tmp_path, estimates):
    with JsonWriter(tmp_path / "a.json", "srp", "0.1.0") as writer:
        for estimate in estimates:
            writer.write(estimate)
    text = (tmp_path / "a.json").read_text()
    document = json.loads(text)
    assert document["estimates"] == [estimate.to_dict() for estimate in estimates]
    assert list(document) == [
        "method",
        "version",
        "estimates",
        "events",
        "summary",
        "explanations",
        "starts",
        "silences",
    ]
    assert len(text.splitlines()) == len(estimates) + 7
    validate(document)


def test_json_ends_with_what_was_concluded(tmp_path):
    with JsonWriter(tmp_path / "a.json", "srp", "0.1.0") as writer:
        writer.write(ANSWER)
        writer.conclude(CONCLUSION)
    document = json.loads((tmp_path / "a.json").read_text(), parse_constant=pytest.fail)
    validate(document)
    assert document["events"] == [{"time_s": 723.0, "microphone": "a", "status": "dead", "text": "00:12:03  a: dead"}]
    assert document["summary"]["text"] == list(summary_lines(CONCLUSION))[1:-2]
    (start,) = document["starts"]
    assert (start["microphone"], start["late_s"], start["reference"]) == ("b", 2.0, "a")
    assert f"  b: {start['text']}" == list(summary_lines(CONCLUSION))[-2]
    (silence,) = document["silences"]
    assert silence == CONCLUSION.silences[0]._asdict()
    assert f"  c: {silence['text']}" == list(summary_lines(CONCLUSION))[-1]
    assert [report["status"] for report in document["summary"]["microphones"]] == ["misplaced", "late", "ok"]
    moved, late = document["explanations"]
    assert (moved["microphone"], moved["position_m"], moved["exchanged_with"]) == ("a", [4.0, 0.0, 0.1], "c")
    assert (moved["offset_s"], moved["drift_ppm"], moved["share"]) == (None, None, 0.9)
    assert moved["text"].endswith("where c is listed: are their channels, or their rows, exchanged?")
    assert (late["offset_s"], late["drift_ppm"]) == (pytest.approx(0.006), pytest.approx(20.0))
    assert (late["text"], late["position_m"]) == ("its clock is +6.0 ms off, and drifts by +20 ppm", None)


def test_json_says_that_it_was_interrupted(tmp_path):
    with JsonWriter(tmp_path / "a.json", "srp", "0.1.0") as writer:
        writer.write(ANSWER)
        writer.conclude(replace(CONCLUSION, interrupted=Interruption(1, 3)))
    document = json.loads((tmp_path / "a.json").read_text())
    validate(document)
    assert document["interrupted"] == {"done": 1, "of": 3}
    assert "interrupted" not in answer()
    said = next(iter(summary_lines(replace(CONCLUSION, interrupted=Interruption(1, 3)))))
    assert said == "interrupted after 1 of 3: what follows is of these"


def test_a_conclusion_that_is_not_finite_is_refused(old):
    (late, *others) = CONCLUSION.microphones
    broken = replace(CONCLUSION, microphones=(replace(late, pull_m=float("inf")), *others))
    with pytest.raises(OutputError, match="not finite"), JsonWriter(old, "mine", "0") as writer:
        writer.conclude(broken)
    assert_untouched(old)


def test_json_refuses_what_is_not_finite(old):
    broken = Estimate(
        method="mine", start_s=3.0, end_s=4.0, verdict="abstain", findings=(Finding("silence", ""),),
        microphones=(MicrophoneReport(name="a", status="ok", weight=float("nan"), position_m=None),),
    )  # fmt: skip
    message = r"estimate at 3\.0 s holds a number that is not finite.* mine breaks"
    with pytest.raises(OutputError, match=message), JsonWriter(old, "mine", "0") as writer:
        writer.write(broken)
    assert_untouched(old)


def test_a_long_run_keeps_nothing_in_memory(tmp_path):
    import gc
    import tracemalloc

    with JsonWriter(tmp_path / "a.json", "srp", "0.1.0") as writer:
        writer.write(ANSWER)
        tracemalloc.start()
        for _ in range(300):
            writer.write(ANSWER)
        gc.collect()
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert grown < 50_000  # what was written is four times that


def answer(**changes: object) -> dict:
    return {"method": "srp", "version": "0", "estimates": [ANSWER.to_dict() | changes]} | summary_dict(CONCLUSION)


def concluded(name: str, **changes: object) -> dict:
    """With the first entry of events or of explanations changed."""
    (first, *others) = summary_dict(CONCLUSION)[name]
    return answer() | {name: [first | changes, *others]}


@pytest.mark.parametrize(
    "document",
    [
        {"method": "srp", "version": "0"},
        {name: part for name, part in answer().items() if name != "events"},
        concluded("events", status="tired"),
        concluded("events", time_s=None),
        concluded("explanations", exchanged_with=3),
        concluded("explanations", share=2),
        concluded("explanations", extra=1),
        concluded("starts", late_s="two"),
        concluded("silences", extra=1),
        answer() | {"summary": {"microphones": []}},
        answer() | {"extra": 1},
        answer(extra=1),
        answer(verdict="fine"),
        answer(verdict="abstain"),
        answer(sources=[]),
        answer(notes="one sentence"),
        answer(regions={"method": "split conformal"}),
        answer(regions=ANSWER.to_dict()["regions"] | {"coverage": 90}),
        answer(regions=ANSWER.to_dict()["regions"] | {"held_out": -1}),
        answer(sources=[{"position_m": [1, 2, 3]}]),
        answer(sources=[ANSWER.to_dict()["sources"][0] | {"position_m": [1, 2]}]),
        answer(sources=[ANSWER.to_dict()["sources"][0] | {"covariance_m2": [[1, 0, 0]]}]),
        answer(microphones=[ANSWER.to_dict()["microphones"][0] | {"status": "tired"}]),
        answer(microphones=[ANSWER.to_dict()["microphones"][0] | {"weight": 2}]),
        answer(microphones=[ANSWER.to_dict()["microphones"][0] | {"range_m": None}]),
    ],
)
def test_the_schema_is_strict(document):
    assert jsonschema.Draft202012Validator(locate_schema()).is_valid(answer())
    assert not jsonschema.Draft202012Validator(locate_schema()).is_valid(document)


def test_the_schema_is_a_schema_and_names_every_status():
    from typing import get_args

    from soundfix.estimate import Status, Verdict

    jsonschema.Draft202012Validator.check_schema(locate_schema())
    definitions = locate_schema()["$defs"]
    assert definitions["microphone"]["properties"]["status"]["enum"] == list(get_args(Status))
    assert definitions["estimate"]["properties"]["verdict"]["enum"] == list(get_args(Verdict))
    for definition in (
        "estimate",
        "source",
        "regions",
        "microphone",
        "event",
        "summary",
        "explanation",
        "start",
        "direction",
    ):
        assert definitions[definition]["additionalProperties"] is False


def test_csv_is_a_row_a_source(tmp_path):
    with CsvWriter(tmp_path / "a.csv") as writer:
        writer.write(ANSWER)
        writer.write(SILENCE)
    assert (tmp_path / "a.csv").read_text().splitlines() == [
        "start_s,end_s,verdict,reasons,source,x_m,y_m,z_m,radius90_m,score,"
        "azimuth_deg,elevation_deg,cone90_deg,nearest_m,furthest_m,event,clock,track,level_dbfs",
        "0.0,0.5,ambiguous,mirror late:b,1,1.5,-2.0,0.25,2.5,0.75,,,,,,,,,",
        "0.0,0.5,ambiguous,mirror late:b,2,1.5,-2.0,0.25,2.5,0.75,,,,,,,,,",
        "0.5,1.0,abstain,silence,,,,,,,,,,,,,,,",
    ]


def test_a_direction_is_a_row_a_side_and_has_no_coordinates(tmp_path):
    with CsvWriter(tmp_path / "a.csv") as writer:
        writer.write(directed(range_m=(0.5, 3.0)))
        writer.write(directed(is_flat=True))
    assert (tmp_path / "a.csv").read_text().splitlines()[1:] == [
        "0.0,0.5,direction only,direction_only,1,,,,,0.5,20.0,14.0,6.0,0.5,3.0,,,,",
        "0.0,0.5,direction only,direction_only,1,,,,,0.5,20.0,14.0,6.0,,,,,,",
        "0.0,0.5,direction only,direction_only,2,,,,,0.5,20.0,-14.0,6.0,,,,,,",
    ]


@pytest.mark.parametrize("told", [{"range_m": (0.5, 3.0)}, {"is_flat": True}])
def test_a_direction_obeys_the_schema(tmp_path, told):
    with JsonWriter(tmp_path / "a.json", "srp", "1") as writer:
        writer.write(directed(**told))
    written = json.loads((tmp_path / "a.json").read_text())
    jsonschema.Draft202012Validator(locate_schema()).validate(written)
    direction = written["estimates"][0]["direction"]
    assert [direction[name] for name in ("azimuth_deg", "elevation_deg", "cone90_deg")] == [20, 14, 6]
    assert direction["from_m"] == [1, 1, 1]
    assert direction["range_m"] == (list(told["range_m"]) if "range_m" in told else None)
    assert (direction["mirror"] or {}).get("elevation_deg") == (-14 if "is_flat" in told else None)
    assert "direction" not in ANSWER.to_dict()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula_but_numbers_stay_numbers(tmp_path, start):
    evil = Estimate(
        method="srp",
        start_s=-1.0,
        end_s=0.0,
        verdict="degraded",
        findings=(Finding(f"{start}HYPERLINK(1)", ""),),
        sources=(SOURCE,),
    )
    with CsvWriter(tmp_path / "a.csv") as writer:
        writer.write(evil)
    with (tmp_path / "a.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["reasons"] == f"'{start}HYPERLINK(1)".replace("\r", " ")
    assert (row["start_s"], row["y_m"]) == ("-1.0", "-2.0")


def test_names_that_are_no_unicode_are_written_all_the_same(tmp_path):
    odd = Estimate(
        method="srp", start_s=0.0, end_s=1.0, verdict="abstain", findings=(Finding("late:\udcff Küche", ""),)
    )
    for writer in writers(tmp_path / "out"):
        with writer:
            writer.write(odd)
    assert "late:\\udcff Küche" in (tmp_path / "out").read_text("utf-8")


def test_columns_are_the_documented_ones():
    assert len(exports.CSV_COLUMNS) == len(set(exports.CSV_COLUMNS)) == 19
