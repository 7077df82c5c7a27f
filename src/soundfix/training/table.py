"""What a run shows while it goes: where it is, what the loss is made of, how well it locates, how long it will take."""

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

NOT_TERMS = {"step", "stage", "of", "done", "windows_a_second", "waiting", "left_s", "left_besides", "stops_in_s"}
VALIDATED = ("mae_m", "median_m", "acc", "srp_mae_m", "srp_median_m", "srp_acc", "decoder_error_m")


class TrainingTable:
    """A live table on a terminal; elsewhere (a log file) a line a note. Use as a context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.validated: dict[str, float] = {}
        self.live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Callable[[dict[str, Any]], None]:
        if self.live:
            self.live.start()
        return self.show

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def show(self, numbers: dict[str, Any]) -> None:
        """The newest numbers; those of the last validation stay until the next."""
        fresh = {name: numbers[name] for name in VALIDATED if name in numbers}
        self.validated |= fresh
        if "said" in numbers:
            for text in numbers["said"]:
                self.console.print(text, soft_wrap=True, highlight=False, markup=False)
        elif self.live:
            self.live.update(table(numbers | self.validated), refresh=True)
        else:
            self.console.print(line(numbers), soft_wrap=True)


def line(numbers: dict[str, Any]) -> str:
    """One note in one line."""
    return "  ".join(f"{name} {value}" for name, value in cells(numbers))


def table(numbers: dict[str, Any]) -> Table:
    """One note as a table of two columns."""
    shown = Table(show_header=False, box=None, pad_edge=False)
    for name, value in cells(numbers):
        shown.add_row(name, value)
    return shown


def cells(numbers: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and values as they are shown."""
    if "keeping" in numbers:
        return [("kept", f"{numbers['keeping']}, {numbers['done']} of {numbers['of']} shards")]
    terms = {name: value for name, value in numbers.items() if name not in NOT_TERMS and name not in VALIDATED}
    return [
        (numbers["stage"], f"{numbers['done']} of {numbers['of']}"),
        *((name, f"{value:.3g}") for name, value in terms.items()),
        *_located(numbers),
        ("windows/s", f"{numbers['windows_a_second']:.1f}"),
        ("waiting", f"{100 * numbers['waiting']:.0f} %"),
        *_left(numbers),
    ]


def _left(numbers: dict[str, Any]) -> list[tuple[str, str]]:
    """Of the whole run; what could not be timed yet is named. And of this call, where it ends before."""
    left = (
        [("left", " + ".join([duration(numbers["left_s"]), *numbers["left_besides"]]))] if "left_s" in numbers else []
    )
    ends_before = numbers.get("stops_in_s", float("inf")) < numbers.get("left_s", float("inf"))
    return [*left, ("stops in", duration(numbers["stops_in_s"]))] if ends_before else left


def _located(numbers: dict[str, Any]) -> list[tuple[str, str]]:
    if "mae_m" not in numbers:
        return []
    shown = {
        who: f"{100 * numbers[f'{who}mae_m']:.0f} cm, {100 * numbers[f'{who}acc']:.0f} % < 30 cm"
        for who in ("", "srp_")
        if f"{who}mae_m" in numbers
    }
    beside = [("(srp-phat", f"{shown['srp_']})")] if "srp_" in shown else []
    return [("validation", shown[""]), *beside]


def duration(seconds: float) -> str:
    """Hours and minutes; seconds, where it is less than one."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
