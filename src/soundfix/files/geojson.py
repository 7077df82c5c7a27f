"""Points of a map as rows of a list: GeoJSON (RFC 7946), longitude and latitude in WGS 84, and heights, where told."""

from collections.abc import Mapping
from typing import Any

from soundfix.errors import MicrophoneFileError

NAMES = ("name", "station", "point", "recorder", "id")  # of the property, or the member, that names a feature
WGS84 = ("crs84", "4326")  # a member crs, of before RFC 7946, may say so


def is_geojson(document: Any) -> bool:
    """By its type."""
    return isinstance(document, dict) and document.get("type") == "FeatureCollection"


def points(document: Mapping[str, Any], place: str) -> list[dict[str, str]]:
    """name, longitude, latitude and, where it is told, elevation of every point, as text; other features have none of these.

    place: of the file, for errors. Raises MicrophoneFileError.
    """
    _check_crs(document.get("crs"), place)
    features = document.get("features")
    if not isinstance(features, list):
        raise MicrophoneFileError(f"{place} has no list of features, wanted a FeatureCollection of Points")
    rows = [_row(feature, f"{place}, feature {number}") for number, feature in enumerate(features, 1)]
    found = [row for row in rows if row is not None]
    has_heights = {"elevation" in row for row in found}
    if len(has_heights) > 1:
        raise MicrophoneFileError(f"{place}: some points have a height and others none: wanted all, or none")
    return found


def _check_crs(crs: Any, place: str) -> None:
    if crs is not None and not any(word in str(crs).lower() for word in WGS84):
        raise MicrophoneFileError(
            f"{place} names a coordinate system, wanted longitude and latitude (RFC 7946): export it as WGS 84, EPSG:4326?"
        )


def _row(feature: Any, place: str) -> dict[str, str] | None:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        return None
    numbers = geometry.get("coordinates")
    if not isinstance(numbers, list) or not _are_coordinates(numbers):
        raise MicrophoneFileError(
            f"{place}: its coordinates are not longitude, latitude and perhaps a height, in numbers"
        )
    columns = ("longitude", "latitude", "elevation")
    return {"name": _name(feature)} | dict(zip(columns, numbers[:3], strict=False))


def _are_coordinates(numbers: list[Any]) -> bool:
    """JSON's numbers are still text (tables.py)."""
    return len(numbers) >= 2 and all(isinstance(each, str) for each in numbers[:3])


def _name(feature: Mapping[str, Any]) -> str:
    properties = feature.get("properties")
    told = {str(key).lower(): value for key, value in properties.items()} if isinstance(properties, dict) else {}
    found = (holder.get(name) for holder in (told, feature) for name in NAMES)
    return next((value for value in found if isinstance(value, str) and value), "")
