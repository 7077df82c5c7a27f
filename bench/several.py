"""Several sources at once: counted, found, placed, and are their regions honest? In worlds that nothing learned.

    python bench/several.py --audio FOLDER [--world luvira-twin] [--part test] [--sources 1 2 3] [--windows 0.5 2]
        [--clips 150] [--moving] [--workers 2] [--method three-stream]

Every clip is a room, a sound of one kind (speech or music, each at every level of noise) and a window whose middle is loud.
counted: windows in which so many sources are told as there are. found: windows in which each true source has a place within
30 cm of it among those that are told. MAE: as in docs/evaluation.md (who is not told is in the middle of the room). held:
places of windows with several that hold a true source in their region; r90 and error: medians of these places.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import soundfix
from soundfix.datasets.benchmark import Wanted, alike, sounds_apart
from soundfix.datasets.simulated import Simulated
from soundfix.estimate import Estimate, Source
from soundfix.evaluation.conditions import Grid, windows_of
from soundfix.evaluation.metrics import is_inside, score
from soundfix.scene import Scene
from soundfix.simulation.soundbank import open_sounds

NEAR_M, FIRST_SEED = 0.3, 3_000_000


class Row(NamedTuple):
    """Of one window: sound, sources, seconds, how many were told, whether all were found, error (m); of each place that was
    told whether its region holds a true one, its radius (m), and its distance (m) from the nearest."""

    sound: str
    sources: int
    window_s: float
    told: int
    is_found: bool
    error_m: float
    held: list[bool]
    radii_m: list[float]
    off_m: list[float]


def told_sources(estimate: Estimate) -> tuple[Source, ...]:
    """Those that sound at once; alternatives of one source are one."""
    if not estimate.sources:
        return ()
    said = [finding.sentence for finding in estimate.findings if finding.code == "several_sources"]
    return estimate.sources[: int(said[0].split()[0]) if said else 1]


def row(estimate: Estimate, scene: Scene, sound: str) -> Row:
    """What became of this window."""
    assert scene.truth is not None
    truth, told = scene.truth.sources, told_sources(estimate)
    off = np.array([[np.linalg.norm(each.position_m - place) for place in truth] for each in told]).reshape(
        -1, len(truth)
    )
    return Row(
        sound=sound,
        sources=len(truth),
        window_s=scene.duration_s,
        told=len(told),
        is_found=bool(len(told) and (off.min(axis=0) < NEAR_M).all()),
        error_m=score(estimate, truth, middle_m=scene.search_box().mean(axis=0)).error_m,
        held=[any(is_inside(each, place) for place in truth) for each in told],
        radii_m=[each.radius90_m for each in told],
        off_m=off.min(axis=1).tolist() if len(told) else [],
    )


def rows_of(clip: int, asked: argparse.Namespace) -> list[Row]:
    """All windows of a clip."""
    torch.set_num_threads(1)
    return list(_rows(clip, asked))


def _rows(clip: int, asked: argparse.Namespace) -> Iterator[Row]:
    sounds = open_sounds(asked.audio, part=asked.part)
    localizer, worlds = soundfix.load(asked.method), sounds_apart(asked.world, sounds)
    labels, world = worlds[clip % len(worlds)]
    changes = {"share_moving": 1.0, "moving_m_s": (0.8, 1.2)} if asked.moving else {}
    for count in asked.sources:
        drawn = replace(alike(world, Wanted(sources=count)), **changes)
        data = Simulated(world=drawn, sounds=sounds, seed=FIRST_SEED + clip % len(worlds), count=clip + 1)
        for _, scene in windows_of(data[clip], Grid(windows_s=tuple(asked.windows)), (0, clip)):
            yield row(localizer.locate(replace(scene, truth=None)), scene, labels["sound"])


def table(rows: list[Row]) -> Iterator[str]:
    """Markdown."""
    yield "| sources | window | sounds | windows | counted | found | MAE | held | error | r90 |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    kinds = sorted({each.sound for each in rows})
    for count, window_s in sorted({(each.sources, each.window_s) for each in rows}):
        for some in (*([kind] for kind in kinds), kinds):
            chosen = [r for r in rows if (r.sources, r.window_s) == (count, window_s) and r.sound in some]
            counted = np.mean([each.told == count for each in chosen])
            error = np.array([each.error_m for each in chosen])
            several = [each for each in chosen if each.told > 1 or count == 1]
            held, radii, off = (
                [value for each in several for value in getattr(each, name)] for name in ("held", "radii_m", "off_m")
            )
            yield (
                f"| {count} | {window_s:g} s | {' and '.join(some)} | {len(chosen)} | {counted:.1%} | "
                f"{np.mean([each.is_found for each in chosen]):.1%} | {100 * error.mean():.1f} "
                f"({100 * error.std() / len(error) ** 0.5:.1f}) cm | {np.mean(held):.0%} of {len(held)} | "
                f"{100 * np.median(off):.1f} cm | {100 * np.median(radii):.1f} cm |"
            )


def main() -> None:
    asked = parsed()
    with get_context("fork").Pool(asked.workers) as pool:
        found = pool.imap_unordered(partial(rows_of, asked=asked), range(asked.clips))
        rows = [each for of_clip in found for each in of_clip]
    for line in table(rows):
        print(line)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, action="append", default=[])
    parser.add_argument("--world", default="luvira-twin")
    parser.add_argument("--part", default="test")
    parser.add_argument("--method", default="three-stream")
    parser.add_argument("--sources", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--windows", type=float, nargs="+", default=[0.5, 2.0])
    parser.add_argument("--clips", type=int, default=150)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--moving", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
