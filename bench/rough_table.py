"""Writes docs/rough.md from a folder that `soundfix evaluate rough-rooms` made with three-stream and srp-phat.

    soundfix evaluate rough-rooms --out FOLDER --methods three-stream,srp-phat --windows 0.5 --microphones 11,7,5 \\
        --clips 900 --audio AUDIO
    python bench/rough_table.py FOLDER > docs/rough.md

Every kind of sound with all roughness at random, then every kind of roughness by itself with all sounds: the share under
30 cm of both (where a method abstains, the place it did not believe in counts), and of three-stream how many windows it
answers, how many answers are at a fan, how many of the others' 90 % regions hold the source, and how many standing sources
it says move.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from soundfix import physics
from soundfix.evaluation.rows import NAME, Row, RowFile

OURS, YARDSTICK, NEAR_M = "three-stream", "srp-phat", 0.3
HEAD = """# Rooms as rough as reality

Written by `soundfix evaluate rough-rooms` and `bench/rough_table.py`: {clips} scenes, windows of 0.5 s heard by
{microphones} microphones. Speakers, pieces, sounds and rooms that nothing was trained on, the same windows for both
methods. Share under 30 cm (where a method abstains, the place it did not believe in counts); of `three-stream` how
many windows it answers, how many of its answers are at a fan (within 30 cm, where the source is not: a fan sounds too,
and the louder it is), how many 90 % regions of the others hold the source, and how many of these sources, which all
stand, it says move. A row has 36 or 39 windows of 12 or 13 scenes: a share is good to 8 % at best.

| | windows | three-stream | srp-phat | ahead by | answered | at a fan | in 90 % region | moves |
|---|---:|---:|---:|---:|---:|---:|---:|---:|"""


def main() -> None:
    rows = RowFile(Path(sys.argv[1]) / NAME).read()
    arrays = sorted({row.microphones for row in rows}, reverse=True)
    print(HEAD.format(clips=len({row.clip for row in rows}), microphones=", ".join(map(str, arrays))))
    print(line("**all**", rows))
    for count in arrays:
        print(line(f"{count} microphones", [row for row in rows if row.microphones == count]))
    sounds = dict.fromkeys(row.labels["sound"] for row in rows if row.labels["roughness"] == "all")
    for sound in sounds:
        print(line(f"sound: {sound}", [row for row in rows if row.labels["sound"] == sound]))
    apart = dict.fromkeys(row.labels["roughness"] for row in rows if row.labels["roughness"] != "all")
    for kind in apart:
        print(line(f"rough: {kind}", [row for row in rows if row.labels["roughness"] == kind]))


def line(name: str, rows: Iterable[Row]) -> str:
    ours, theirs = ([row for row in rows if row.method == method] for method in (OURS, YARDSTICK))
    near = [100 * np.mean([row.score.error_m < NEAR_M for row in each]) for each in (ours, theirs)]
    answered = [row for row in ours if row.score.is_answered]
    fans = [row for row in answered if is_at_fan(row)]
    covered = 100 * np.mean([row.score.covered for row in answered if row not in fans])
    moves = 100 * np.mean(["moves" in row.reasons for row in ours])
    numbers = f"{near[0]:.1f} % | {near[1]:.1f} % | {near[0] - near[1]:+.1f}"
    share = 100 * len(answered) / len(ours)
    return f"| {name} | {len(ours)} | {numbers} | {share:.0f} % | {len(fans)} | {covered:.0f} % | {moves:.1f} % |"


def is_at_fan(row: Row) -> bool:
    """Whether the answer is where something else sounds, and not the source."""
    if row.score.error_m < NEAR_M or not row.beside_m:
        return False
    return bool(physics.distances(np.array(row.said_m[0]), np.array(row.beside_m)).min() < NEAR_M)


if __name__ == "__main__":
    main()
