"""The report of `soundfix check`: each microphone's signal, what the geometry can tell, and the error to expect."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from soundfix.microphones import Microphones
from soundfix.scene import Room, Scene
from soundfix.search_region import SearchRegion
from soundfix.survey.array_geometry import (
    TIMING_SIGMA_M,
    Array,
    Geometry,
    Loss,
    Prediction,
    judge,
    lattice,
    losses,
    predict,
    survey_box,
)
from soundfix.survey.channel_grades import MicrophoneGrade, grade, tally_channels
from soundfix.survey.requirement import Promise, Requirement, promise


@dataclass(frozen=True, kw_only=True, eq=False)
class Survey:
    """sigma_m: timing error assumed. box: where sources may be (m). is_used: the microphones that the geometry counts.

    losses: what each of these is worth, the most harmful loss first. promise: what they can keep of a contract. exchanged:
    each channel that hears as if it stood at another's row of the list, and whose.
    """

    sigma_m: float
    windows: int
    box: Float[np.ndarray, "2 3"]
    microphones: tuple[MicrophoneGrade, ...]
    is_used: Bool[np.ndarray, "mic"]
    geometry: Geometry
    prediction: Prediction
    losses: tuple[Loss, ...]
    promise: Promise | None = None
    exchanged: tuple[tuple[str, str], ...] = ()


def survey(
    microphones: Microphones,
    *,
    room: Room | None,
    search: SearchRegion | None = None,
    windows: Iterable[Scene],
    sigma_m: float = TIMING_SIGMA_M,
    require: Requirement | None = None,
) -> Survey:
    """Grade the signals in these windows and the geometry of the microphones that are usable.

    sigma_m: timing error of one arrival, in metres of path. Without windows only the geometry is judged. require: a
    contract on the loss of microphones.
    Raises SceneError where no microphone has a known position.
    """
    box = survey_box(microphones, room, search)
    heard = tally_channels(microphones, windows)
    grades = tuple(grade(heard, m) for m in range(len(microphones)))
    is_used = _usable(microphones, grades)
    array, points = Array(microphones.where(is_used), sigma_m, box), lattice(box)
    prediction = predict(array, points)
    return Survey(
        sigma_m=sigma_m,
        windows=heard.windows,
        box=box,
        microphones=grades,
        is_used=is_used,
        geometry=judge(array, points, prediction.axes_m),
        prediction=prediction,
        losses=losses(array, points),
        promise=promise(require, array) if require else None,
    )


def _usable(microphones: Microphones, grades: tuple[MicrophoneGrade, ...]) -> Bool[np.ndarray, "mic"]:
    """Placed, and worth listening to; all that are placed where none is worth it."""
    is_worth = np.array([graded.grade not in ("dead", "poor") for graded in grades])
    is_used = np.logical_and(microphones.is_known, is_worth)
    return is_used if is_used.any() else microphones.is_known
