"""The corners of a polygon, read from a file: with a header or without; what is no polygon names its line."""

import pytest

from soundfix.errors import SceneError
from soundfix.files.polygons import read_corners, told_region

CORNERS = [(0.0, 0.0), (4.0, 0.5), (4.0, -3.0)]


@pytest.mark.parametrize(
    "text",
    [
        "0,0\n4,0.5\n4,-3\n",
        "# the stage\nX, Y\n0, 0\n\n4, 0.5\n4, -3\n",
        "Easting,Northing,Elevation\n0,0,9\n4,.5,9\n4,-3,9\n",
        "name;y;x\na;0;0\nb;0.5;4\nc;-3;4\n",
        "x\ty\n0\t0\n4\t.5\n4\t-3",
    ],
)
def test_corners_are_read(tmp_path, text):
    (tmp_path / "stage.csv").write_text(text)
    assert read_corners(tmp_path / "stage.csv") == CORNERS
    region = told_region(tmp_path / "stage.csv", 1.0)
    assert region.bounds.tolist() == [[0, -3, 1], [4, 0.5, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 lines"),
        ("0,0\n1,2,3\n", "line 2 has 3 cells"),
        ("x,y\n0,0\n1,far\n", "line 3.*wanted the numbers"),
        ("x,y\n1\n", "line 2.*wanted the numbers"),
        ("0,0\n1,1\n", "three or more corners"),
        ("lat,lon\n48,11\n49,11\n49,12\n", "has longitude and latitude, wanted x,y in metres"),
    ],
)
def test_what_is_no_polygon_is_refused(tmp_path, text, message):
    (tmp_path / "stage.csv").write_text(text)
    with pytest.raises(SceneError, match=message):
        told_region(tmp_path / "stage.csv")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SceneError, match="cannot be read"):
        told_region(str(tmp_path / "none.csv"))


def test_numbers_need_no_file():
    assert told_region(None) is None
    assert told_region(None, 0.3).bounds[:, 2].tolist() == [0.3, 0.3]
