"""Longitude and latitude (WGS 84, degrees) to metres of a projected coordinate reference system, and back, by pyproj."""

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from jaxtyping import Float

from soundfix.errors import ConfigError, MissingPackageError

WGS84 = "EPSG:4326"


def utm_at(longitude_deg: float, latitude_deg: float) -> str:
    """The UTM zone that is used there, as "EPSG:32632". Raises ConfigError near the poles, which have none."""
    area = _pyproj("pyproj.aoi").AreaOfInterest(longitude_deg, latitude_deg, longitude_deg, latitude_deg)
    found = _pyproj("pyproj.database").query_utm_crs_info(datum_name="WGS 84", area_of_interest=area)
    if not found:
        raise ConfigError(
            f"latitude {latitude_deg:g} is in no zone of UTM, wanted -80 to 84 degrees: are latitude and longitude "
            "exchanged? Else project it, and list metres"
        )
    return f"EPSG:{found[0].code}"


def to_metres(degrees: Float[np.ndarray, "*batch 2"], crs: str) -> Float[np.ndarray, "*batch 2"]:
    """Easting and northing (m) of longitudes and latitudes."""
    return np.stack(_transformer(WGS84, crs).transform(degrees[..., 0], degrees[..., 1]), axis=-1)


def to_degrees(metres: Float[np.ndarray, "*batch 2"], crs: str) -> Float[np.ndarray, "*batch 2"]:
    """Longitudes and latitudes of eastings and northings (m). Raises ConfigError where one is not in this system."""
    degrees = np.stack(_transformer(crs, WGS84).transform(metres[..., 0], metres[..., 1]), axis=-1)
    if not np.isfinite(degrees).all():
        east, north = metres.reshape(-1, 2)[0]
        raise ConfigError(f"x {east:g} m, y {north:g} m is nowhere in {crs}: is that the system of the list?")
    return degrees


def checked_crs(crs: str) -> str:
    """As it was given. Raises ConfigError where this is no coordinate reference system, or not one in metres."""
    try:
        system = _pyproj("pyproj").CRS.from_user_input(crs)
    except _pyproj("pyproj.exceptions").CRSError as error:
        raise ConfigError(f"{crs!r} is no coordinate reference system, wanted one such as EPSG:32632") from error
    units = {axis.unit_name for axis in system.axis_info[:2]}
    if not system.is_projected or units != {"metre"}:
        raise ConfigError(
            f"{crs} ({system.name}, in {' and '.join(sorted(units))}) is no projection in metres, wanted that of the list's "
            "x and y: the UTM zone, EPSG:32601 to 32660 in the north, EPSG:32701 to 32760 in the south?"
        )
    return crs


def described(crs: str) -> str:
    """With its name: EPSG:32632 (WGS 84 / UTM zone 32N)."""
    return f"{crs} ({_pyproj('pyproj').CRS.from_user_input(crs).name})"


@lru_cache(maxsize=8)
def _transformer(source: str, target: str) -> Any:
    """East before north on both sides."""
    return _pyproj("pyproj").Transformer.from_crs(source, target, always_xy=True)


def _pyproj(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingPackageError("pyproj", "geo") from error
