"""Coordinates as people have them: easting and northing, degrees, no heights; which columns count, and what is said."""

import numpy as np
import pytest

from soundfix.files.coordinates import LEVEL, columns_of
from soundfix.files.microphones import read_microphones, write_microphones

UTM = [[691_000.2, 5_330_000.1, 510.0], [691_045.2, 5_330_000.1, 513.0]]


@pytest.mark.parametrize(
    ("header", "east", "north", "up"),
    [
        ("name,x,y,z", "x", "y", "z"),
        ("station,easting,northing,elevation", "easting", "northing", "elevation"),
        ("x_m,y (m),z [m]", "x_m", "y (m)", "z [m]"),
        ("easting,northing,x,y,elevation,z", "x", "y", "z"),
        ("x,easting,northing", "easting", "northing", None),
        ("lat,lon,x,y", "x", "y", None),
        ("lat,lon,alt", "lon", "lat", "alt"),
        ("latitude,lng,altitude", "lng", "latitude", "altitude"),
        ("ele,long,latitude", "long", "latitude", "ele"),
    ],
)
def test_columns_by_their_names(header, east, north, up):
    columns = columns_of(header.split(","))
    assert columns is not None
    assert (columns.east, columns.north, columns.up) == (east, north, up)
    assert columns.is_degrees == (north in ("lat", "latitude"))


@pytest.mark.parametrize("header", ["name,x,z", "x,northing", "lat,x", "a,0,0,1", "easting_ft,northing_ft"])
def test_a_header_without_coordinates(header):
    assert columns_of(header.split(",")) is None


@pytest.mark.parametrize("name", ["m.csv", "m.json"])
def test_a_list_in_utm(listed, name):
    rows = ["a", *UTM[0]], ["b", *UTM[1]]
    table = "Station,Easting,Northing,Elevation\n" + "\n".join(",".join(map(str, row)) for row in rows)
    entries = ",".join(
        f'{{"Station": "{s}", "Easting": {x}, "Northing": {y}, "Elevation": {z}}}' for s, x, y, z in rows
    )
    found = listed(table if name == "m.csv" else f"[{entries}]", name)
    assert found.positions.tolist() == UTM
    assert found.names == ("a", "b")
    assert (found.crs, found.notes) == (None, ())


def test_without_heights_all_are_at_one_height_and_that_is_said(listed):
    found = listed("name,X,Y\na,0,1\nb,2,3\nc,,\n")
    assert found.positions[:2].tolist() == [[0, 1, 0], [2, 3, 0]]
    assert found.is_known.tolist() == [True, True, False]
    assert found.notes == (LEVEL,)
    assert "No z" in LEVEL
    assert "one height, 0 m" in LEVEL


def test_degrees_become_metres_of_the_zone_and_that_is_said(listed):
    """On the central meridian of zone 32 the easting is 500 km; the scale there is 0.9996."""
    found = listed("id,lat,lon,alt\na,48.0,9.0,500\nb,48.0,9.001,510\nc,,,\n")
    assert found.crs == "EPSG:32632"
    assert found.positions[0] == pytest.approx([500_000, 5_316_300.22, 500], abs=0.01)
    width_m = (
        0.9996
        * np.radians(0.001)
        * 6_378_137
        * np.cos(np.radians(48))
        / (1 - 0.00669438 * np.sin(np.radians(48)) ** 2) ** 0.5
    )
    assert found.positions[1] - found.positions[0] == pytest.approx([width_m, 0, 10], abs=1e-3)
    assert found.is_known.tolist() == [True, True, False]
    assert found.names == ("a", "b", "c")
    (note,) = found.notes
    assert "EPSG:32632 (WGS 84 / UTM zone 32N)" in note


def test_degrees_of_a_site_across_two_zones_are_in_that_of_the_first(listed):
    found = listed("lat,lon\n-20,-0.0001\n-20,0.0001\n")
    assert found.crs == "EPSG:32730"
    assert np.linalg.norm(found.positions[0] - found.positions[1]) == pytest.approx(20.9, abs=0.1)


def test_a_list_of_unknown_positions_in_degrees(listed):
    found = listed("name,lat,lon\na,,\n")
    assert not found.is_known.any()
    assert found.crs is None


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("file,x,y\nrec/north.wav,0,0\nC:\\rec\\south.wav,1,0\n", ("north", "south")),
        ("file,name,x,y\na.wav,,0,0\nb.wav,east,1,0\n", ("mic1", "east")),
        ("file,channel,x,y\na.wav,1,0,0\na.wav,2,1,0\n", ("mic1", "mic2")),
        ("Point,Id,x,y\np,1,0,0\nq,2,1,0\n", ("p", "q")),
        ("recorder,x,y\nr1,0,0\nr2,1,0\n", ("r1", "r2")),
    ],
)
def test_names(listed, content, names):
    assert listed(content).names == names


def test_a_system_of_coordinates_comes_back(listed, tmp_path):
    found = listed("x,y,z,crs\n691000,5330000,1,EPSG:32632\n691001,5330000,1,\n")
    assert found.crs == "EPSG:32632"
    write_microphones(tmp_path / "again.csv", found)
    assert read_microphones(tmp_path / "again.csv").crs == "EPSG:32632"
