"""A map's points as a list of microphones."""

import json

import numpy as np
import pytest

from soundfix.errors import MicrophoneFileError
from soundfix.files.microphones import read_microphones


def feature(name, coordinates, kind="Point", **more):
    return {
        "type": "Feature",
        "properties": {"Name": name},
        "geometry": {"type": kind, "coordinates": coordinates},
    } | more


def write(path, *features, **more):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)} | more))
    return path


STATIONS = (feature("a", [9.0, 48.0, 512.0]), feature("b", [9.001, 48.0, 515.5]), feature("c", [9.0, 48.001, 510]))


@pytest.mark.parametrize("suffix", [".geojson", ".json", ".GeoJSON"])
def test_points_are_microphones_in_metres_of_utm(tmp_path, suffix):
    read = read_microphones(write(tmp_path / f"m{suffix}", *STATIONS))
    assert (read.names, read.crs) == (("a", "b", "c"), "EPSG:32632")
    np.testing.assert_allclose(read.positions[0], [500_000.0, 5_316_300.22, 512.0], atol=0.01)
    np.testing.assert_allclose(read.positions[:, 2], [512, 515.5, 510])


def test_without_heights_all_are_level(tmp_path):
    flat = [feature(each["properties"]["Name"], each["geometry"]["coordinates"][:2]) for each in STATIONS]
    read = read_microphones(write(tmp_path / "m.geojson", *flat))
    assert not read.positions[:, 2].any()
    assert any("No z in the list" in note for note in read.notes)


def test_other_features_are_no_microphones_and_names_may_be_missing(tmp_path):
    others = (
        feature("way", [[9, 48], [9, 49]], "LineString"),
        {"type": "Feature", "properties": None, "geometry": None},
        7,
    )
    named = [feature(None, each["geometry"]["coordinates"], id=k) for k, each in enumerate(STATIONS[1:], 7)]
    read = read_microphones(write(tmp_path / "m.geojson", *others, STATIONS[0], *named))
    assert read.names == ("a", "7", "8")
    nameless = [each | {"properties": None} for each in STATIONS]
    assert read_microphones(write(tmp_path / "n.geojson", *nameless)).names == ("mic1", "mic2", "mic3")


def test_a_named_system_may_say_wgs84(tmp_path):
    told = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    assert len(read_microphones(write(tmp_path / "m.geojson", *STATIONS, crs=told))) == 3


@pytest.mark.parametrize(
    ("features", "more", "message"),
    [
        (STATIONS, {"crs": {"type": "name", "properties": {"name": "EPSG:32632"}}}, "names a coordinate system"),
        ((), {"features": None}, "has no list of features"),
        ((), {}, "lists no microphones"),
        ((*STATIONS, feature("d", [9.0])), {}, "feature 4: its coordinates are not"),
        ((*STATIONS, feature("d", "9 48")), {}, "feature 4: its coordinates are not"),
        ((*STATIONS, feature("d", [9.0, 48.0, None])), {}, "feature 4: its coordinates are not"),
        ((*STATIONS, feature("d", [9.0, 48.0])), {}, "some points have a height"),
        ((*STATIONS, feature("d", [float("nan"), 48.0, 1.0])), {}, "'NaN' is not a number"),
        ((*STATIONS, feature("d", [181.0, 48.0, 1.0])), {}, "beyond 180"),
        ((*STATIONS, feature("d", [1e400, 48.0, 1.0])), {}, "is not a number"),
        ((*STATIONS, feature("a", [9.0, 48.2, 1.0])), {}, "the name 'a' is taken"),
    ],
)
def test_what_is_no_place_is_refused(tmp_path, features, more, message):
    with pytest.raises(MicrophoneFileError, match=message):
        read_microphones(write(tmp_path / "m.geojson", *features, **more))
