"""OpenSoundscape's part of bench/peers.py, which runs it with a Python of its own: recordings and detections in, places out.

    PEER_PYTHON bench/peers_opensoundscape.py JOB ANSWERS

Its package as a whole imports torchvision and what else its classifiers need; what locates does not. So the package is
entered without running its first file, and `opensoundscape.localization` is as it was published. CPU seconds are those of
one thread.
"""

import importlib.util
import json
import sys
import types
import warnings
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from time import process_time

import numpy as np
import pandas as pd
import torch

found = importlib.util.find_spec("opensoundscape")
package = types.ModuleType("opensoundscape")
package.__path__ = list(found.submodule_search_locations)
sys.modules["opensoundscape"] = package

from opensoundscape.localization import SynchronizedRecorderArray  # noqa: E402

ALGORITHMS = ("least_squares", "soundfinder", "gillette")
FILTERS = {"phat": (0.0, 0.02, 0.05), "cc_norm": (0.0, 0.1, 0.2)}  # and thresholds of each; 0 is its default
DAY = datetime(2026, 5, 1, tzinfo=UTC)


def main() -> None:
    job_path, answers_path = sys.argv[1:]
    with open(job_path) as file:
        job = json.load(file)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    candidates(job["woods"][0], "phat")[0].estimate_location()  # what it imports at its first call is not counted
    ways = FILTERS if job["all_ways"] else {"phat": (0.0,)}
    said = [row for wood in job["woods"] for name in ways for row in located(wood, name, ways[name])]
    with open(answers_path, "w") as file:
        json.dump({"version": version("opensoundscape"), "rows": said}, file)


def candidates(wood: dict, cc_filter: str) -> list:
    """Of every recorder that has a detection, as reference, one; the others are all that have it too."""
    stations = pd.read_csv(wood["stations"]).set_index("file")[["x", "y", "z"]]
    detections = pd.read_csv(wood["detections"])
    detections["start_timestamp"] = [DAY + timedelta(seconds=each) for each in detections["start_time"]]
    detections = detections.set_index(["file", "start_time", "end_time", "start_timestamp"])
    array = SynchronizedRecorderArray(stations, speed_of_sound=wood["speed_m_s"])
    return array.create_candidate_events(
        detections, min_n_receivers=4, max_receiver_dist=wood["width_m"], cc_threshold=0, cc_filter=cc_filter,
        bandpass_ranges=list(wood["band_hz"]),
    )  # fmt: skip


def located(wood: dict, cc_filter: str, thresholds: tuple[float, ...]) -> list[dict]:
    """A row for each candidate and way of locating it; seconds: to correlate, and to solve."""
    rows = []
    for event in candidates(wood, cc_filter):
        started = process_time()
        event._estimate_delays()
        correlated_s = process_time() - started
        if event.tdoas is None:
            continue
        flat, deep = event.receiver_locations[:, :2], event.receiver_locations
        for places, axes in ((deep, "3-D"), (flat, "2-D")):
            event.receiver_locations = places
            for algorithm in ALGORITHMS:
                for threshold in thresholds:
                    event.cc_threshold = threshold
                    started = process_time()
                    found = event.estimate_location(algorithm)
                    solved_s = process_time() - started
                    if found.location_estimate is None or not np.isfinite(found.location_estimate).all():
                        continue
                    rows.append({
                        "start_s": float(event.receiver_start_time_offsets[0]), "wood": wood["name"],
                        "reference": str(event.receiver_files[0]),
                        "way": f"{algorithm}, {axes}, {cc_filter}" + (f" over {threshold:g}" if threshold else ""),
                        "place": [float(x) for x in found.location_estimate], "residual_m": float(found.residual_rms),
                        "correlated_s": correlated_s, "solved_s": solved_s,
                        "delays": dict(zip(map(str, event.receiver_files), event.tdoas.tolist(), strict=True)),
                    })  # fmt: skip
        event.receiver_locations = deep
    return rows


if __name__ == "__main__":
    main()
