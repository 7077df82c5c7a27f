"""Answers of before, kept as numbers: windows of all worlds with all that goes wrong, and what every method said of them.

    PYTHONPATH=tests python -m helpers.kept_answers

writes them anew, where answers were meant to change (and EXPERIMENTS.md says why they are better).
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import torch

import soundfix
from helpers import TESTS
from helpers.compact import SQUARE, compact_scene, unit
from helpers.field_songs import wood_with_songs
from soundfix.estimate import Estimate
from soundfix.scene import Scene
from soundfix.simulation.soundbank import open_sounds
from soundfix.simulation.worlds import WORLDS, World, draw_world

PATH = TESTS / "data/kept_answers.json"
NAMES = ("luvira-twin", "luvira-hard", "random-rooms", "rough-rooms")
KINDS = {
    "drawn": {},
    "faults": {"share_faulty": 1.0},
    "walking": {"share_moving": 1.0},
    "two": {"sources": (2, 2)},
    "no room": {},
}
WINDOW_S, SEED = 0.5, 1999
DATA = TESTS / "data"
METHODS = {
    "three-stream": {},
    "srp-phat": {},
    "multilateration": {},
    "three-stream-paper": {"checkpoint": DATA / "three_stream_paper_contract.safetensors"},
}


def windows(count: int) -> Iterator[Scene]:
    """The first so many: in turn every world, then every kind."""
    sounds = open_sounds((), part="test")
    for k in range(count):
        kind = list(KINDS)[k // len(NAMES) % len(KINDS)]
        world: World = replace(WORLDS[NAMES[k % len(NAMES)]], duration_s=WINDOW_S, **KINDS[kind])
        scene = draw_world(world, sounds, np.random.default_rng([SEED, k]))
        yield scene.without_room() if kind == "no room" else scene


@cache
def kept_windows() -> dict[str, Scene]:
    """By name: one of every world and kind, a microphone of unknown position, a compact array."""
    drawn = list(windows(len(NAMES) * len(KINDS)))
    names = [f"{kind}, {name}" for kind in KINDS for name in NAMES]
    positions = drawn[0].microphones.border_positions().copy()
    positions[3] = np.nan
    unknown = replace(drawn[0], microphones=replace(drawn[0].microphones, positions=positions))
    compact = compact_scene(SQUARE, towards=unit(20, 14))
    others = {"unknown position": unknown, "compact": compact, "in a wood": in_a_wood()}
    return dict(zip(names, drawn, strict=True)) | others


def in_a_wood() -> Scene:
    """Three seconds round one song, heard by recorders whose clocks are off."""
    songs, _ = wood_with_songs(songs=1)
    return replace(songs, audio=songs.audio[:, : round(3 * songs.sample_rate)])


def said(estimate: Estimate) -> dict:
    """What is compared."""
    return {
        "verdict": estimate.verdict,
        "findings": [finding.code for finding in estimate.findings],
        "statuses": [report.status for report in estimate.microphones],
        "places": [source.position_m.tolist() for source in estimate.sources],
        "spreads": [np.sqrt(np.diag(source.covariance_m2)).tolist() for source in estimate.sources],
        "pulls": [report.pull_m or 0.0 for report in estimate.microphones],
        "ranges": [report.range_m or 0.0 for report in estimate.microphones],
        "guesses": [] if estimate.guess_m is None else estimate.guess_m.tolist(),
    }


def answers(method: str) -> dict[str, dict]:
    """Of this method, of every window."""
    localizer = soundfix.load(method, **METHODS[method])
    return {name: said(localizer.locate(scene)) for name, scene in kept_windows().items()}


def main() -> None:
    torch.set_num_threads(1)
    PATH.write_text(json.dumps({method: answers(method) for method in METHODS}, indent=0) + "\n", "utf-8")


if __name__ == "__main__":
    main()
