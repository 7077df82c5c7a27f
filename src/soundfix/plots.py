"""Pictures for a report: what a survey predicts, and where the sounds were.

Views are from above (x, y) and from the side (x, z), in metres. Ellipses hold 90 % of the covariance, projected.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from soundfix.canvas import (
    AXES, Plane, blank_figure, checked_suffix, frame, label, library, projected, settle, view_inches, write_png,
)  # fmt: skip
from soundfix.localizer import Estimate, Source
from soundfix.scene import Microphones, Room
from soundfix.space import write_html
from soundfix.survey import Survey

GRADE_COLOURS = {"good": "#ffffff", "fair": "#ffd23f", "poor": "#ff6b35", "dead": "#000000", "unheard": "#bbbbbb"}
USED = ("ok", "clipped", "inverted")
ELLIPSE_90 = float(np.sqrt(2 * np.log(10)))  # standard deviations that hold 90 % of a Gaussian in a plane
INTERVAL_90 = 1.645  # and on a line
NICE = np.array([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8])
MOST_LEVELS, MOST_BARS = 10, 20
SURVEY_INCHES, TIME_INCHES = 3.4, 5.2
MANY = 40  # sources, from which on dots and ellipses are drawn fainter


def plot_survey(survey: Survey, path: Path) -> None:
    """Predicted error from above and from the side, and what the loss of each microphone would cost: a PNG."""
    checked_suffix(path, [".png"])
    figure = blank_figure(survey.box, extra_inches=SURVEY_INCHES)
    grid = figure.add_gridspec(
        2, 2, width_ratios=[6.4, SURVEY_INCHES], height_ratios=view_inches(survey.box), hspace=0.02
    )
    top, side, bars = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0]), figure.add_subplot(grid[:, 1])
    _draw_error(figure, {"xy": top, "xz": side}, survey)
    _draw_losses(bars, survey)
    settle(figure)
    for plane, axes in (("xy", top), ("xz", side)):
        _draw_grades(axes, plane, survey)
    write_png(figure, path)
