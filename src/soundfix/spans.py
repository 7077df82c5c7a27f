"""Where the windows of a recording begin and end: one definition, for files and for arrays.

Windows of a recording of `total` samples start every `hop_s` from 0. Every window that fits is given. What is left
beyond them is given as one last, shorter window only if at least half a window of new sound is left there; with a
hop longer than the window, sound skipped between windows does not count as left. A recording shorter than one
window is one window of what there is.
"""

from collections.abc import Iterator

from soundfix.errors import SceneError

LEAST_SHARE = 0.5  # of a window that a last, shorter one must hold


def spans(total: int, sample_rate: float, *, window_s: float, hop_s: float) -> Iterator[tuple[int, int]]:
    """(start, stop) of every window, in samples. Starts are rounded each for itself, so that they never drift.

    Raises SceneError where a window or a hop is shorter than a sample.
    """
    window = in_samples(window_s, sample_rate, "window_s")
    in_samples(hop_s, sample_rate, "hop_s")
    start, stop, number = 0, 0, 0
    while start + window <= total:
        stop = start + window
        yield start, stop
        number += 1
        start = round(number * hop_s * sample_rate)
    if number == 0 or total - max(start, stop) >= LEAST_SHARE * window:
        yield start, total


def in_samples(length_s: float, sample_rate: float, name: str) -> int:
    """The nearest number of samples. Raises SceneError, which says `name`, below one."""
    if not (0 < length_s < float("inf") and length_s * sample_rate >= 1):
        raise SceneError(f"{name} is {length_s} s, wanted at least one sample ({1 / sample_rate:g} s)")
    return round(length_s * sample_rate)
