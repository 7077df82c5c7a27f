"""A recording laid out as LOCATA's development set: sound, timestamps a row a sample, motion capture at 120 Hz."""

from datetime import UTC, datetime, timedelta

import numpy as np
import soundfile

BEGUN = datetime(2017, 7, 11, 15, 2, 59, 500_000, tzinfo=UTC)
CLOCK = ("year", "month", "day", "hour", "minute", "second")
POSE = (
    "x",
    "y",
    "z",
    "ref_vec_x",
    "ref_vec_y",
    "ref_vec_z",
    *(f"rotation_{r}{c}" for r in (1, 2, 3) for c in (1, 2, 3)),
)
RATE_HZ = 120.0  # of the motion capture


def clock_cells(at):
    return [
        str(at.year),
        str(at.month),
        str(at.day),
        str(at.hour),
        str(at.minute),
        f"{at.second + at.microsecond / 1e6:.6f}",
    ]


def write_table(path, header, rows):
    path.write_text("\n".join("\t".join(cells) for cells in [header, *rows]) + "\n")


def times(seconds, offset_s=0.0):
    return [BEGUN + timedelta(seconds=offset_s + k / RATE_HZ) for k in range(round(seconds * RATE_HZ))]


def pose_cells(place):
    return [*(f"{x:.6f}" for x in place), "0", "1", "0", *"100010001"]


def write_recording(
    folder, sound, rate, positions, sources, *, name="benchmark2", offset_s=0.0, valid=None, moves=None
):
    """sound: (time, channel). positions: (M, 3). sources: name -> (3,) or a function of seconds. offset_s: by which the
    motion capture begins after the sound. valid: of each row. moves: of the array, a function of seconds."""
    folder.mkdir(parents=True)
    seconds = len(sound) / rate
    soundfile.write(folder / f"audio_array_{name}.wav", sound, rate)
    stamps = ([*clock_cells(BEGUN + timedelta(seconds=k / rate))] for k in range(0, len(sound), 50))
    write_table(folder / f"audio_array_timestamps_{name}.txt", CLOCK, stamps)
    at = times(seconds - offset_s, offset_s)
    mics = [f"mic{m}_{axis}" for m in range(1, len(positions) + 1) for axis in "xyz"]
    rows = []
    for k, moment in enumerate(at):
        now = positions + (0 if moves is None else np.array(moves(k / RATE_HZ)))
        rows.append([*clock_cells(moment), *pose_cells(now.mean(axis=0)), *(f"{x:.6f}" for x in now.ravel())])
    write_table(folder / f"position_array_{name}.txt", [*CLOCK, *POSE, *mics], rows)
    for who, where in sources.items():
        places = [where(offset_s + k / RATE_HZ) if callable(where) else where for k in range(len(at))]
        rows = [[*clock_cells(moment), *pose_cells(place)] for moment, place in zip(at, places, strict=True)]
        write_table(folder / f"position_source_{who}.txt", [*CLOCK, *POSE], rows)
    flags = np.ones(len(at), dtype=int) if valid is None else np.array(valid).astype(int)
    rows = [[*clock_cells(moment), str(flag)] for moment, flag in zip(at, flags, strict=True)]
    write_table(folder / "required_time.txt", [*CLOCK, "valid_flag"], rows)
    return folder
