"""Are answers the same as before a change? The first call writes them to a file, the next ones compare theirs with it.

    python bench/same_answers.py FILE [--windows 60] [--methods three-stream,srp-phat]

Windows of half a second: the twin, its hard variant, random and rough rooms, in turn as they are drawn, with faults, with
people who walk, with two sources, without a room. What differs is printed: verdicts, findings, statuses, and the largest
distance between places that should be one (m). A change of layout gives 0; one of speed may give less than positions mean.
"""

import argparse
import json
import pickle
import sys
import time
from pathlib import Path

import numpy as np
import torch

import soundfix
from soundfix.scene import Scene

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.kept_answers import said, windows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--windows", type=int, default=60)
    parser.add_argument("--methods", default="three-stream,srp-phat")
    options = parser.parse_args()
    torch.set_num_threads(1)
    scenes = drawn(options.windows, options.file.with_suffix(".scenes"))
    for method in options.methods.split(","):
        path = options.file.with_suffix(f".{method}.json")
        localizer, answers, times = soundfix.load(method), [], []
        for scene in scenes:
            start = time.process_time()
            estimate = localizer.locate(scene)
            times.append(time.process_time() - start)
            answers.append(said(estimate))
        print(
            f"{method}: {len(scenes)} windows, CPU {1e3 * np.mean(times):.0f} ms, median {1e3 * np.median(times):.0f}"
        )
        if path.exists():
            compare(json.loads(path.read_text()), json.loads(json.dumps(answers)))
        else:
            path.write_text(json.dumps(answers))


def drawn(count: int, path: Path) -> list[Scene]:
    """The windows, kept beside the answers: to draw them takes longer than to locate them."""
    if path.exists():
        with path.open("rb") as file:
            return pickle.load(file)[:count]
    scenes = list(windows(count))
    with path.open("wb") as file:
        pickle.dump(scenes, file)
    return scenes


def compare(before: list[dict], after: list[dict]) -> None:
    """Words that differ, one line a window; then how far numbers are apart."""
    furthest = dict.fromkeys(("places", "spreads", "pulls", "ranges", "guesses"), 0.0)
    for k, (old, new) in enumerate(zip(before, after, strict=False)):
        for key in ("verdict", "findings", "statuses"):
            if old[key] != new[key]:
                print(f"  window {k}: {key} {old[key]} -> {new[key]}")
        for key in furthest:
            was, now = np.array(old[key]), np.array(new[key])
            if was.shape != now.shape:
                print(f"  window {k}: {key} {was.shape} -> {now.shape}")
            elif was.size:
                off = float(np.abs(was - now).max())
                if off > 1e-4:
                    print(f"  window {k}: {key} {off:.3g} m apart")
                furthest[key] = max(furthest[key], off)
    print("  furthest apart: " + ", ".join(f"{key} {off:.2g} m" for key, off in furthest.items()))


if __name__ == "__main__":
    main()
