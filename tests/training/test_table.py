"""What a run prints of itself."""

import io

import pytest
from rich.console import Console

from soundfix.training.table import TrainingTable, duration, line

NUMBERS = {
    "step": 40, "stage": "localization", "of": 100, "done": 40, "likelihood": 1.234, "sound": 0.01,
    "windows_a_second": 21.5, "waiting": 0.031, "left_s": 7260.0, "left_besides": [],
}  # fmt: skip
VALIDATED = {
    "mae_m": 0.31, "median_m": 0.02, "acc": 0.91, "srp_mae_m": 0.62, "srp_median_m": 0.03, "srp_acc": 0.81,
    "decoder_error_m": 0.9,
}  # fmt: skip


def test_a_line_says_where_it_is_what_it_lost_and_how_long_it_takes():
    text = line(NUMBERS | VALIDATED)
    assert text == (
        "localization 40 of 100  likelihood 1.23  sound 0.01  validation 31 cm, 91 % < 30 cm  "
        "(srp-phat 62 cm, 81 % < 30 cm  windows/s 21.5  waiting 3 %  left 2 h 01 min"
    ).replace("< 30 cm  windows", "< 30 cm)  windows")


def test_what_was_not_timed_yet_is_named():
    assert line(NUMBERS | {"left_besides": ["validation", "reranker"]}).endswith(
        "left 2 h 01 min + validation + reranker"
    )
    unknown = {name: value for name, value in NUMBERS.items() if not name.startswith("left")}
    assert line(unknown).endswith("waiting 3 %")


def test_when_the_minutes_of_this_call_are_over():
    """It is said where the run takes longer than that."""
    assert line(NUMBERS | {"stops_in_s": 7259.0}).endswith("left 2 h 01 min  stops in 2 h 01 min")
    assert line(NUMBERS | {"stops_in_s": 7261.0}).endswith("left 2 h 01 min")
    unknown = {name: value for name, value in NUMBERS.items() if not name.startswith("left")}
    assert line(unknown | {"stops_in_s": 600.0}).endswith("waiting 3 %  stops in 10 min")


@pytest.mark.parametrize("is_terminal", [False, True])
def test_what_is_said_stands_by_itself(is_terminal):
    console = Console(file=io.StringIO(), force_terminal=is_terminal, width=100)
    with TrainingTable(console) as show:
        show({"said": ["run[1] goes on after step 3", "device: cpu -> cuda"]})
        show(NUMBERS)
    drawn = console.file.getvalue().replace("\r\x1b[2K", "")
    assert "run[1] goes on after step 3\ndevice: cpu -> cuda\n" in drawn


def test_the_table_keeps_the_last_validation_on_a_terminal():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with TrainingTable(console) as show:
        show(NUMBERS | VALIDATED)
        show(NUMBERS | {"done": 60})
    drawn = console.file.getvalue()
    assert "60 of 100" in drawn
    assert drawn.rindex("31 cm, 91 %") > drawn.index("60 of 100") - 2000


@pytest.mark.parametrize(
    ("seconds", "text"), [(20.4, "20 s"), (59.4, "59 s"), (59.6, "1 min"), (100.0, "2 min"), (7260.0, "2 h 01 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text
