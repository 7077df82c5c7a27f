"""The report of `soundfix check`: each microphone's signal, what the geometry can tell, and the error to expect."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from soundfix.contract import Contract, Promise, promise
from soundfix.geometry import (
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
from soundfix.listening import MicrophoneGrade, grade, listen
from soundfix.scene import Microphones, Room, Scene

MOST_LOSSES_PRINTED = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Survey:
    """sigma_m: timing error assumed. box: where sources may be (m). is_used: the microphones that the geometry counts.

    losses: what each of these is worth, the most harmful loss first. promise: what they can keep of a contract.
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

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, in SI units."""
        prediction = _plain(self.prediction)
        report = {
            "timing_error_m": self.sigma_m,
            "windows": self.windows,
            "box_m": self.box.tolist(),
            "microphones": [
                _plain(microphone) | {"is_used": bool(is_used)}
                for microphone, is_used in zip(self.microphones, self.is_used, strict=True)
            ],
            "geometry": _plain(self.geometry),
            "predicted_error": prediction | {"slices": [_plain(plane) for plane in self.prediction.slices]},
            "without": [loss._asdict() for loss in self.losses],
        }
        return report | {"contract": self.promise.to_dict()} if self.promise else report

    def lines(self) -> list[str]:
        """The report as text, centimetres in print."""
        return [
            *_microphone_lines(self),
            "",
            *_geometry_lines(self.geometry),
            "",
            *_prediction_lines(self.prediction, self.sigma_m),
            "",
            *_loss_lines(self.losses),
            *(("", *self.promise.lines()) if self.promise else ()),
        ]


def survey(
    microphones: Microphones,
    *,
    room: Room | None,
    windows: Iterable[Scene],
    sigma_m: float = TIMING_SIGMA_M,
    require: Contract | None = None,
) -> Survey:
    """Grade the signals in these windows and the geometry of the microphones that are usable.

    sigma_m: timing error of one arrival, in metres of path. Without windows only the geometry is judged. require: a
    contract on the loss of microphones.
    Raises SceneError where no microphone has a known position.
    """
    box = survey_box(microphones, room)
    heard = listen(microphones, windows)
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


def _plain(result: Any) -> dict[str, Any]:
    """The fields of a dataclass, arrays as lists to a hundredth of a millimetre."""
    return {name: v.round(5).tolist() if isinstance(v, np.ndarray) else v for name, v in vars(result).items()}


def _cm(length_m: float) -> str:
    """Two digits, or whole centimetres: 0.82, 1.2, 35, 810."""
    cm = 100 * length_m
    return f"{cm:.{2 if cm < 1 else 1 if cm < 10 else 0}f}"


def _microphone_lines(report: Survey) -> Iterator[str]:
    count = f"{report.is_used.sum()} of {len(report.microphones)} microphones are usable"
    yield f"{count} ({report.windows} windows heard)"
    width = max(len(microphone.name) for microphone in report.microphones)
    for microphone in report.microphones:
        level = "" if microphone.level_db is None else f"{microphone.level_db:+.0f} dB"
        yield f"  {microphone.name:<{width}}  {microphone.grade:<7}  {level:>7}  {microphone.why}"


def _geometry_lines(geometry: Geometry) -> Iterator[str]:
    shape = ("is a single point", "is a line", "is flat", "has depth")[geometry.rank]
    yield f"Geometry: {geometry.grade}; the array {shape}"
    yield f"  {geometry.integrity}"
    yield f"  it can lose {geometry.can_lose}, whichever they are, before the geometry fails"
    for limit in geometry.limits:
        yield f"  it cannot tell {limit}"


def _prediction_lines(prediction: Prediction, sigma_m: float) -> Iterator[str]:
    x, y, z = (_cm(deviation) for deviation in prediction.axes_m)
    yield f"Predicted error, where every arrival is good to {1000 * sigma_m:.0f} mm"
    median, p90, worst = (_cm(error_m) for error_m in (prediction.median_m, prediction.p90_m, prediction.worst_m))
    yield f"  median {median} cm, 90 % below {p90} cm, worst {worst} cm"
    yield f"  x {x} cm, y {y} cm, z {z} cm"


def _loss_lines(losses: tuple[Loss, ...]) -> Iterator[str]:
    yield "Median predicted error without"
    width = max(len(loss.name) for loss in losses)
    for loss in losses[:MOST_LOSSES_PRINTED]:
        yield f"  {loss.name:<{width}}  " + ("no position" if loss.error_m is None else f"{_cm(loss.error_m):>5} cm")
    if len(losses) > MOST_LOSSES_PRINTED:
        yield f"  each of the other {len(losses) - MOST_LOSSES_PRINTED}: less"
