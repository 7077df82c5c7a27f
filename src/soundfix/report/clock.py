"""Time as colours: from dark to light over the recording, with a bar that says which is when."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from soundfix.report.canvas import library
from soundfix.report.picture import Picture

COLOURS = "viridis"
SHARES = np.linspace(0.15, 0.9, 256)  # of them: the lightest, which white would swallow, are not used


def clock_colours() -> Any:
    """What 0, the beginning, to 1, the end, looks like."""
    return library("matplotlib.colors").ListedColormap(library("matplotlib").colormaps[COLOURS](SHARES))


def time_colours(picture: Picture, time_s: Float[np.ndarray, "time"]) -> Float[np.ndarray, "time 4"]:
    """Of these times; the middle of all colours where the picture knows one time alone."""
    first, last = span_s(picture)
    share = (time_s - first) / (last - first) if last > first else np.full(len(time_s), 0.5)
    colours: np.ndarray = clock_colours()(share)
    return colours


def span_s(picture: Picture) -> tuple[float, float]:
    """From the first answer to the last one."""
    times = [*picture.time_s, *(time_s for time_s, _ in picture.directions)]
    return (min(times), max(times)) if times else (0.0, 0.0)


def draw_clock(figure: Any, views: Sequence[Any], picture: Picture) -> None:
    """The bar, beside all views; none where there is one time alone."""
    first, last = span_s(picture)
    if last > first:
        colours = library("matplotlib.cm").ScalarMappable(
            library("matplotlib.colors").Normalize(first, last), clock_colours()
        )
        bar = figure.colorbar(colours, ax=list(views), location="left", shrink=0.6, aspect=45, pad=0.03)
        bar.set_label("time (s)")
