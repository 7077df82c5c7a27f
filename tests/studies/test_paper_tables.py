"""The paper's tables as text: what was evaluated, in the paper's order, beside what was published."""

from dataclasses import replace

from helpers.studies import SETTING
from soundfix.evaluation.metrics import Score
from soundfix.evaluation.rows import Row
from soundfix.studies.paper_tables import HIDDEN, OURS, beside, tables


def row(method, error_m, *, clip=0, sound="speech", **changes):
    score = Score(error_m=error_m, xy_m=error_m, z_m=0.0, is_answered=True, covered=1.0)
    given = {
        "clip": clip, "moment": clip, "labels": {"sound": sound}, "sources": 1, "window_s": 0.128, "microphones": 11,
        "unknown": 0, "fault": "none", "rt60_s": 0.3, "snr_db": 15.0, "method": method, "verdict": "ok", "true_m": [],
        "said_m": [[0.0, 0.0, 0.0]], "seconds": 0.1, "score": score,
    }  # fmt: skip
    return Row(**(given | changes))


def cells(text, name):
    line = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_table_1_has_both_sounds_beside_what_was_published():
    rows = [row("GNN", 0.2, clip=k, sound=sound) for k in range(2) for sound in ("music", "speech")]
    rows += [row("wav2pos", error, clip=k) for k, error in enumerate((0.1, 0.5))]
    text = tables(SETTING, {"1": rows}, "")
    assert cells(text, "GNN") == ["20.0 ± 0.0 (17)", "100.0 % (90.7)", "20.0 ± 0.0 (31.9)", "100.0 % (71.2)"]
    assert cells(text, "wav2pos")[2:] == ["30.0 ± 14.1 (23.6)", "50.0 % (81.6)"]
    assert text.index("| GNN |") < text.index("| wav2pos |")
    assert "DI-NN" not in text  # nobody evaluated it


def test_a_table_without_rows_is_left_out():
    text = tables(SETTING, {"1": [row("GNN", 0.2)], "2": []}, "trained")
    assert "## Table 1" in text
    assert "## Table 2" not in text
    assert text.endswith("## What was trained\n\ntrained\n")


def test_table_2_says_who_had_no_place():
    rows = [row("GNN", 1.0, microphones=count, said_m=[] if count == 5 else [[0.0, 0.0, 0.0]]) for count in (5, 7, 9)]
    text = tables(SETTING, {"2": rows}, "")
    assert cells(text, "GNN") == ["100.0 ± nan (80.5)", "100.0 ± nan (53.1)", "100.0 ± nan (41.1)"]
    assert cells(text[text.index("without any place") :], "GNN") == ["100.0 %", "0.0 %", "0.0 %"]


def test_table_3_is_of_microphones():
    rows = [row(OURS, 1.0, unknown=count) for count in HIDDEN]
    rows = [replace(each, score=each.score._replace(microphones_m=(0.5, 0.7))) for each in rows]
    rows += [replace(each, told=True, score=each.score._replace(microphones_m=(0.2,))) for each in rows]
    told = [line for line in tables(SETTING, {"3": rows}, "").splitlines() if line.startswith(f"| {OURS} | known |")]
    assert cells(tables(SETTING, {"3": rows}, ""), OURS)[:2] == ["unknown", "60.0 ± nan"]
    assert "20.0" in told[0]


def test_the_title_says_where():
    assert "as its recordings are" in tables(SETTING, {}, "").splitlines()[0]
    assert "hard" in tables(replace(SETTING, world="luvira-hard"), {}, "").splitlines()[0]


def test_beside():
    assert beside("1.0", None) == "1.0"
    assert beside("1.0", 23.60) == "1.0 (23.6)"
