"""How methods learned: validation error against windows seen and minutes, of all runs below a folder, as CSV and picture."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from soundfix.atomic import atomic_path
from soundfix.report.canvas import DPI, library, write_figure
from soundfix.training.runs import METRICS, SETTINGS

SHOWN_M = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0)  # on the axis of errors


@dataclass(frozen=True)
class Point:
    """One validation of one run: windows seen and minutes of training by then, and what it found."""

    run: str
    stage: str
    step: int
    windows: int
    minutes: float
    mae_m: float
    acc: float


def write_curves(out: Path, names: Mapping[str, str]) -> list[Point]:
    """out / curves.csv and curves.png, of all runs below it; gives what they show. names: of folders of runs, in words."""
    folders = sorted(path.parent for path in out.glob(f"*/runs/*/{METRICS}"))
    points = [point for folder in folders for point in points_of(folder, _name(folder, names))]
    if not points:
        return points
    with atomic_path(out / "curves.csv") as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(points[0])))
        writer.writeheader()
        writer.writerows(asdict(point) for point in points)
    draw_curves(points, out / "curves.png")
    return points


def points_of(folder: Path, name: str) -> Iterator[Point]:
    """Every validation of the run in this folder."""
    recipe = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))["recipe"]
    windows, seconds, before = 0, 0.0, 0
    for line in (folder / METRICS).read_text(encoding="utf-8").splitlines():
        noted = json.loads(line)
        new = recipe[noted["stage"]]["batch"] * (noted["step"] - before)
        windows, seconds, before = windows + new, seconds + new / noted["windows_a_second"], noted["step"]
        if "mae_m" in noted:
            measured = noted["mae_m"], noted["acc"]
            yield Point(name, noted["stage"], noted["step"], windows, round(seconds / 60, 2), *measured)


def draw_curves(points: Sequence[Point], path: Path) -> Path:
    """Validation error against windows seen, a line a run."""
    figure = library("matplotlib.figure").Figure(figsize=(6.4, 4.0), dpi=DPI, layout="constrained")
    axis = figure.subplots()
    for run in dict.fromkeys(point.run for point in points):
        mine = [point for point in points if point.run == run]
        axis.plot([p.windows / 1000 for p in mine], [p.mae_m for p in mine], marker=".", linewidth=1.2, label=run)
    axis.set(yscale="log", xlabel="windows seen (thousands)", ylabel="validation error (m)", xlim=(0, None))
    axis.set_yticks(SHOWN_M, [f"{value:g}" for value in SHOWN_M])
    axis.minorticks_off()
    axis.legend(fontsize=8, frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    write_figure(figure, path)
    return path


def _name(folder: Path, names: Mapping[str, str]) -> str:
    """The run, and how many sources its network has slots for, if it is not one."""
    of, name = folder.parent.parent.name, names.get(folder.name, folder.name)
    return name if of == "one" else f"{name}, {of}"
