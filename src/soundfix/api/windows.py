"""All windows of a recording, in turn: located, followed, smoothed."""

from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile

from soundfix.api.events import with_clock
from soundfix.api.sound import Sound
from soundfix.estimate import Estimate
from soundfix.session.level import with_levels
from soundfix.session.session import Session
from soundfix.session.standing_out import Window, is_field, standing_out
from soundfix.tracking.smoother import smoothed
from soundfix.tracking.tracker import tracked


def heard_windows(
    sound: Sound,
    span_s: tuple[float, float],
    session: Session,
    *,
    with_level: bool = False,
    passed: Callable[[], None] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Estimate]:
    """The estimates of all windows; in the field, of those in which something stands out, and `passed` is called for others.

    span_s: length of a window, and from window to window. with_level: sources say how loud they are. stop: no window begins
    once it says so.
    """
    rate, windows = sound.sample_rate, sound.windows(*span_s)
    located: Iterable[tuple[Window, bool]] = ((window, True) for window in windows)
    if is_field(sound.microphones, sound.count_windows(*span_s)):
        reach_s = sound.microphones.width_m / session.speed
        located = standing_out(windows, rate, reach_s=reach_s, band_hz=session.band_hz)
    for (start_s, part), stands_out in takewhile(lambda _: not stop(), located):
        if stands_out:
            estimate = with_clock(session.hear(start_s, part, rate), sound)
            yield with_levels(estimate, part, rate, session.speed) if with_level else estimate
        else:
            session.pass_over(start_s, part, rate)
            passed()


def followed(heard: Iterable[Estimate], *, tracks: bool, smooth: bool) -> Iterator[Estimate]:
    """With tracks, where they are asked for; smoothed, by tracks or as one source."""
    if tracks:
        return tracked(heard, smooth=smooth)
    return smoothed(heard) if smooth else iter(heard)
