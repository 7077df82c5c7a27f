"""Answers on a map: where they are, the shape of their regions, and what is refused before the work."""

import json
from dataclasses import replace

import numpy as np
import pytest

from helpers.disks import assert_untouched
from helpers.drawings import directed, estimate
from soundfix.errors import ConfigError
from soundfix.files.projection import to_metres
from soundfix.microphones import Microphones
from soundfix.report.geojson import GeoJsonWriter, crs_of, features

CRS = "EPSG:32632"
PLACE = (500_000.0, 5_316_300.22, 512.0)  # on the meridian of 9 degrees, near 48 degrees north
ANSWER = estimate(0.5, (PLACE,))
LOCAL = Microphones(positions=np.eye(3))


def test_a_source_is_a_point_with_what_is_known_of_it():
    point, _ = features(ANSWER, CRS)
    assert point["geometry"]["type"] == "Point"
    assert point["geometry"]["coordinates"] == pytest.approx([9.0, 48.0], abs=1e-6)
    assert point["properties"] == {
        "what": "source", "start_s": 0.5, "end_s": 1.0, "verdict": "ok", "reasons": "", "source": 1,
        "x_m": PLACE[0], "y_m": PLACE[1], "z_m": 512.0, "radius90_m": 0.6, "score": 0.5,
    }  # fmt: skip


def test_its_region_is_a_closed_ring_against_the_clock_that_holds_90_percent(rng):
    """Of draws from the covariance."""
    covariance = np.array([[4.0, 2.5, 0.1], [2.5, 3.0, 0.0], [0.1, 0.0, 9.0]])
    source = ANSWER.sources[0].spread(covariance)
    _, region = features(replace(ANSWER, sources=(source,)), CRS)
    (ring,) = region["geometry"]["coordinates"]
    assert region["geometry"]["type"] == "Polygon"
    assert region["properties"]["what"] == "90 % region"
    assert ring[0] == ring[-1]
    corners = to_metres(np.array(ring), CRS) - PLACE[:2]
    x, y = corners.T
    area = 0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])
    assert area > 0
    draws = rng.multivariate_normal(np.zeros(2), covariance[:2, :2], 4000)
    quantile = np.einsum("ki,ij,kj->k", corners, np.linalg.inv(covariance[:2, :2]), corners)
    assert np.ptp(quantile) < 0.05
    inside = np.einsum("ki,ij,kj->k", draws, np.linalg.inv(covariance[:2, :2]), draws) < quantile.mean()
    assert inside.mean() == pytest.approx(0.9, abs=0.02)


def test_a_place_that_is_known_along_an_axis_has_a_thin_region():
    _, region = features(replace(ANSWER, sources=(ANSWER.sources[0].spread(np.diag([0.0, 1.0, 0.0])),)), CRS)
    assert np.ptp(np.array(region["geometry"]["coordinates"][0])[:, 0]) < 1e-7


def test_directions_and_abstentions_are_not_on_the_map():
    assert list(features(directed(), CRS)) == []
    assert list(features(estimate(places=()), CRS)) == []


def test_a_file_is_one_collection_and_several_places_are_numbered(tmp_path):
    with GeoJsonWriter(tmp_path / "found.geojson", CRS) as writer:
        for answer in (ANSWER, directed(), estimate(1.0, (PLACE, PLACE))):
            writer.write(answer)
    written = json.loads((tmp_path / "found.geojson").read_text())
    assert written["type"] == "FeatureCollection"
    assert [(each["type"], each["properties"]["source"]) for each in written["features"]] == [
        ("Feature", 1), ("Feature", 1), ("Feature", 1), ("Feature", 1), ("Feature", 2), ("Feature", 2),
    ]  # fmt: skip


def test_an_empty_collection_is_one(tmp_path):
    with GeoJsonWriter(tmp_path / "none.geojson", CRS):
        pass
    assert json.loads((tmp_path / "none.geojson").read_text())["features"] == []


def test_a_run_that_fails_leaves_the_file_as_it_was(old):
    with pytest.raises(ConfigError), GeoJsonWriter(old, CRS) as writer:
        writer.write(estimate(places=((1e30, 0.0, 0.0),)))
    assert_untouched(old)


def test_the_system_is_that_of_the_list_or_as_told():
    assert crs_of(LOCAL, "EPSG:25832") == "EPSG:25832"
    assert crs_of(replace(LOCAL, crs=CRS)) == CRS
    assert crs_of(replace(LOCAL, crs=CRS), "epsg:32632") == "epsg:32632"


@pytest.mark.parametrize(
    ("listed", "told", "message"),
    [
        (None, None, "nothing says which coordinate system.*--crs EPSG:32632"),
        (CRS, "EPSG:32633", "EPSG:32633 was given, but the list's places are in EPSG:32632"),
        (None, "EPSG:4326", "no projection in metres"),
        ("EPSG:4326", None, "no projection in metres"),
    ],
)
def test_without_a_system_there_is_no_map(listed, told, message):
    with pytest.raises(ConfigError, match=message):
        crs_of(replace(LOCAL, crs=listed), told)
