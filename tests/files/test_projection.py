"""UTM and back, and what is no system of coordinates in metres."""

import sys

import numpy as np
import pytest

from soundfix.errors import ConfigError, MissingPackageError
from soundfix.files.projection import checked_crs, described, to_degrees, to_metres, utm_at


@pytest.mark.parametrize(
    ("longitude", "latitude", "crs"),
    [
        (11.5, 48.1, "EPSG:32632"),
        (-124.94, 53.5, "EPSG:32610"),
        (151.2, -33.9, "EPSG:32756"),
        (-179.9, -17.0, "EPSG:32701"),
    ],
)
def test_the_zone_of_a_place(longitude, latitude, crs):
    assert utm_at(longitude, latitude) == crs


def test_the_poles_have_no_zone():
    with pytest.raises(ConfigError, match=r"latitude 89 is in no zone of UTM.*exchanged"):
        utm_at(11.0, 89.0)


def test_by_hand():
    """Where the central meridian meets the equator: 500 km east, nothing north; 10 000 km in the south."""
    origin = np.array([9.0, 0.0])
    assert to_metres(origin, "EPSG:32632") == pytest.approx([500_000, 0], abs=1e-6)
    assert to_metres(origin, "EPSG:32732") == pytest.approx([500_000, 10_000_000], abs=1e-6)
    assert to_degrees(np.array([500_000.0, 0.0]), "EPSG:32632") == pytest.approx([9, 0], abs=1e-12)


def test_there_and_back(rng):
    metres = np.array([691_000.0, 5_330_000.0]) + rng.uniform(-1000, 1000, (4, 5, 2))
    again = to_metres(to_degrees(metres, "EPSG:32632"), "EPSG:32632")
    np.testing.assert_allclose(again, metres, atol=1e-6, rtol=0)


def test_what_is_nowhere_is_refused():
    with pytest.raises(ConfigError, match="is nowhere in EPSG:32632: is that the system of the list"):
        to_degrees(np.array([[5e5, 5e6], [1e30, 0.0]]), "EPSG:32632")


@pytest.mark.parametrize(
    ("crs", "message"),
    [
        ("EPSG:4326", r"\(WGS 84, in degree\) is no projection in metres"),
        ("EPSG:4978", r"\(WGS 84, in metre\) is no projection in metres"),
        ("EPSG:2227", r"in US survey foot\) is no projection in metres, wanted that of the list"),
        ("EPSG:999999", "is no coordinate reference system, wanted one such as EPSG:32632"),
        ("UTM", "is no coordinate reference system"),
    ],
)
def test_a_system_that_is_none_in_metres(crs, message):
    with pytest.raises(ConfigError, match=message):
        checked_crs(crs)


def test_a_system_in_metres():
    assert checked_crs("EPSG:25832") == "EPSG:25832"
    assert described("EPSG:32732") == "EPSG:32732 (WGS 84 / UTM zone 32S)"


def test_without_pyproj_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyproj", None)
    with pytest.raises(MissingPackageError, match=r"pyproj is not installed; .*pip install 'soundfix\[geo\]'"):
        checked_crs("EPSG:32632")
