"""All windows of a recording, in turn: located, followed, smoothed."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import takewhile

import numpy as np
from jaxtyping import Float

from soundfix.api.events import with_clock
from soundfix.api.sound import Sound
from soundfix.estimate import Estimate
from soundfix.session.ahead import begun_ahead
from soundfix.session.from_there import sounds_from
from soundfix.session.level import with_levels
from soundfix.session.session import Session
from soundfix.session.standing_out import Window, is_field, standing_out
from soundfix.tracking.smoother import smoothed
from soundfix.tracking.tracker import tracked

Tell = Callable[[Estimate, list[Float[np.ndarray, "time"]], float], Estimate]


def heard_windows(
    sound: Sound,
    span_s: tuple[float, float],
    session: Session,
    *,
    follows: bool = False,
    passes_over: bool | None = None,
    passed: Callable[[], None] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Estimate]:
    """The estimates of all windows; in the field, of those in which something stands out, and `passed` is called for others.
    passes_over: whether it is so here, whatever the place.

    span_s: length of a window, and from window to window. follows: sources say how loud they are, and of what kind.
    stop: no window begins once it says so.
    """
    told = _teller() if follows else None
    rate, windows = sound.sample_rate, sound.windows(*span_s)
    located: Iterable[tuple[Window, bool]] = ((window, True) for window in windows)
    if is_field(sound.microphones, sound.count_windows(*span_s)) if passes_over is None else passes_over:
        reach_s = sound.microphones.width_m / session.speed
        located = standing_out(windows, rate, reach_s=reach_s, band_hz=session.band_hz)
    turns = begun_ahead(located, session, lambda turn: session.scene(*turn[0], rate) if turn[1] else None)
    for (start_s, part), stands_out in takewhile(lambda _: not stop(), turns):
        if stands_out:
            estimate = with_clock(session.hear(start_s, part, rate), sound)
            yield estimate if told is None else _with_sound(estimate, part, rate, session.speed, told)
        else:
            session.pass_over(start_s, part, rate)
            passed()


def _teller() -> Tell:
    """What adds the kinds; a network is imported, and its weights read, where it is asked for alone."""
    from soundfix.networks.kinds import load_kinds
    from soundfix.session.kinds import with_kinds

    return partial(with_kinds, kinds=load_kinds())


def _with_sound(
    estimate: Estimate, part: Float[np.ndarray, "mic time"], rate_hz: float, speed_m_s: float, told: Tell
) -> Estimate:
    """The estimate, whose sources say how loud they are and of what kind."""
    sounds = sounds_from(estimate, part, rate_hz, speed_m_s)
    return told(with_levels(estimate, sounds), sounds, rate_hz)


def followed(heard: Iterable[Estimate], *, tracks: bool, smooth: bool) -> Iterator[Estimate]:
    """With tracks, where they are asked for; smoothed, by tracks or as one source."""
    if tracks:
        return tracked(heard, smooth=smooth)
    return smoothed(heard) if smooth else iter(heard)
