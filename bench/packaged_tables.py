"""Writes docs/three_stream.md from folders that `soundfix evaluate` made with the packaged network.

    python bench/packaged_tables.py FOLDER... > docs/three_stream.md

One table a data set: mean error (standard error) and share under 30 cm of every method, then what else there is to know of
three-stream: coverage, abstentions, medians. Methods may lie in several folders of the same windows; the last one counts.
"""

import csv
import json
import sys
from pathlib import Path
from typing import Any

OURS, YARDSTICK = "three-stream", "srp-phat"
TITLES = {
    "luvira-twin": "The LuViRA studio's twin",
    "luvira-hard": "The same, hard: positions 2 cm off, gains, speed of sound 1 % off, directional sources, diffuse noise",
    "random-rooms": "Random rooms, arrays never seen",
    "measured": "Measured rooms (dEchorate: 12 microphones, 6, a compact line of 5; positions good to 2-4 cm, no room told)",
}
HEAD = """# The packaged network beside classical methods

Written by `soundfix evaluate` and `bench/packaged_tables.py` with the weights in the package, last on {day}. Speakers,
pieces and rooms that nothing was trained on, the same windows for every method. MAE (standard error), share under 30 cm;
where a method abstains, the place it did not believe in counts. The last three lines are of `three-stream`: how many of its
90 % regions hold the truth, how many windows get no answer, and medians.
"""
Row = dict[str, str]


def main() -> None:
    folders = [Path(text) for text in sys.argv[1:]]
    if not folders:
        raise SystemExit(__doc__)
    sets: dict[str, list[Path]] = {}
    for folder in folders:
        plan = manifest_of(folder)["plan"]
        sets.setdefault(json.dumps([plan["dataset"], plan["grid"], plan["sources"], plan["wanted"]]), []).append(folder)
    print(HEAD.format(day=max(manifest_of(folder)["ended"] for folder in folders)[:10]))
    print("\n".join(section(of_one) for of_one in sets.values()))


def manifest_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


def section(folders: list[Path]) -> str:
    """The table of one data set under its title and the command that makes it."""
    by_place = {(row["method"], column(row)): row for folder in folders for row in summary(folder)}
    methods, columns = (list(dict.fromkeys(names)) for names in zip(*by_place, strict=True))
    methods.sort(key=lambda name: name != OURS)
    lines = [line(method, [score(by_place[method, c]) for c in columns]) for method in methods]
    ours = [by_place[OURS, c] for c in columns]
    lines.append(line("in 90 % region", [share(row["coverage"]) for row in ours]))
    lines.append(line("no answer", [share(row["abstained"]) for row in ours]))
    if YARDSTICK in methods:
        pairs = zip(ours, [by_place[YARDSTICK, c] for c in columns], strict=True)
        lines.append(line(f"median; of `{YARDSTICK}`", [f"{cm(a)}; {cm(b)} cm" for a, b in pairs]))
    head = [line("MAE (standard error), share under 30 cm", columns), line("---", ["---:"] * len(columns))]
    plan = manifest_of(folders[0])["plan"]
    return "\n".join([f"## {title(plan)}\n", f"`{command(plan, methods)}`\n", *head, *lines, ""])


def summary(folder: Path) -> list[Row]:
    """Means over all windows of a condition."""
    with (folder / "summary.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["part"] == "all"]


def title(plan: dict[str, Any]) -> str:
    talkers = "" if plan["sources"] == [1] else f", {' and '.join(map(str, plan['sources']))} sources at once"
    return TITLES[plan["dataset"]] + talkers


def command(plan: dict[str, Any], methods: list[str]) -> str:
    """The words that make it."""
    grid, wanted = plan["grid"], plan["wanted"]
    said = {
        "--methods": methods,
        "--windows": grid["windows_s"],
        "--microphones": grid["microphones"],
        "--sources": plan["sources"] if plan["sources"] != [1] else [],
        "--clips": [wanted["clips"]],
        "--root": ["ROOMS"] if plan["dataset"] == "measured" else [],
        "--audio": ["AUDIO"],
    }
    options = (f"{option} {','.join(map(str, values))}" for option, values in said.items() if values)
    return " ".join(["soundfix evaluate", plan["dataset"], *options])


def column(row: Row) -> str:
    several = "" if row["sources"] == "1" else f"{row['sources']} sources, "
    return f"{several}{row['microphones']} microphones, {row['window_s']} s"


def score(row: Row) -> str:
    return f"{100 * float(row['mae_m']):.1f} ({100 * float(row['mae_m_error']):.1f}) cm, {share(row['acc'])}"


def share(text: str) -> str:
    return f"{100 * float(text):.1f} %"


def cm(row: Row) -> str:
    return f"{100 * float(row['median_m']):.2f}"


def line(name: str, cells: list[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
