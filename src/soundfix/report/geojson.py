"""Answers on a map: GeoJSON (RFC 7946), longitude and latitude in WGS 84.

Of every source a Point, and the 90 % ellipse of its covariance, seen from above, as a Polygon; heights are properties, for
those of GeoJSON are above the ellipsoid. Directions have no place, and are left out.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from soundfix.errors import ConfigError
from soundfix.estimate import Estimate, Source
from soundfix.files.projection import checked_crs, to_degrees
from soundfix.microphones import Microphones
from soundfix.report.outputs import whole
from soundfix.report.plots import ELLIPSE_90

CORNERS = 32  # of an ellipse
DECIMALS = 8  # of a degree: a millimetre
THINNEST_M2 = 1e-8  # of a covariance that is known along an axis


class GeoJsonWriter:
    """A FeatureCollection, one feature a line, whole at the end. crs: of the estimates' x and y, in metres."""

    def __init__(self, path: Path | str, crs: str) -> None:
        self._file, self._crs, self._separator = whole(path), crs, "\n"

    def __enter__(self) -> "GeoJsonWriter":
        self._file.open()
        self._file.write('{"type": "FeatureCollection", "features": [')
        return self

    def write(self, estimate: Estimate) -> None:
        for feature in features(estimate, self._crs):
            self._file.write(self._separator + json.dumps(feature, allow_nan=False))
            self._separator = ",\n"

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.finish(is_good=kind is None, ending="\n]}\n")


def crs_of(microphones: Microphones, told: str | None = None) -> str:
    """Of their x and y, by the list or as it was told.

    Raises ConfigError where nothing says it, the two differ, or it is none in metres; MissingPackageError without pyproj.
    """
    listed = microphones.crs
    if listed is None and told is None:
        raise ConfigError(
            "GeoJSON is in longitude and latitude, and nothing says which coordinate system the list is in: give it, as "
            "--crs EPSG:32632 or crs='EPSG:32632', or list latitude and longitude"
        )
    if listed and told and listed.upper() != told.upper():
        raise ConfigError(f"the crs {told} was given, but the list's places are in {listed}: leave it out")
    return checked_crs(told or listed or "")


def features(estimate: Estimate, crs: str) -> Iterator[dict[str, Any]]:
    """Two of every source."""
    if estimate.direction:
        return
    span = {"start_s": estimate.start_s, "end_s": estimate.end_s, "verdict": estimate.verdict}
    for number, source in enumerate(estimate.sources, 1):
        told = span | {"reasons": " ".join(estimate.reasons), "source": number} | _plain(source)
        yield _feature("Point", _degrees(source.position_m[:2], crs), {"what": "source"} | told)
        yield _feature("Polygon", [_degrees(_ellipse(source), crs)], {"what": "90 % region"} | told)


def _plain(source: Source) -> dict[str, float]:
    x_m, y_m, z_m = source.position_m.tolist()
    return {"x_m": x_m, "y_m": y_m, "z_m": z_m, "radius90_m": source.radius90_m, "score": source.score}


def _ellipse(source: Source) -> Float[np.ndarray, "corner 2"]:
    """From the east against the clock, and closed, as RFC 7946 wants a ring."""
    turn = np.append(2 * np.pi * np.arange(CORNERS) / CORNERS, 0.0)
    half = np.linalg.cholesky(source.covariance_m2[:2, :2] + THINNEST_M2 * np.eye(2))
    return source.position_m[:2] + ELLIPSE_90 * np.stack([np.cos(turn), np.sin(turn)], axis=1) @ half.T


def _degrees(metres: Float[np.ndarray, "*batch 2"], crs: str) -> list[Any]:
    degrees: list[Any] = to_degrees(metres, crs).round(DECIMALS).tolist()
    return degrees


def _feature(kind: str, coordinates: list[Any], properties: dict[str, Any]) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}
