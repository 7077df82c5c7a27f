"""A page in space holds its names and its own program."""

import numpy as np

from helpers.drawings import MICROPHONES, ROOM, directed, walk
from soundfix import physics
from soundfix.report.plots import plot_estimates
from soundfix.report.scene3d import unit_sphere


def test_a_page_holds_the_names_and_its_own_program(tmp_path):
    plot_estimates(walk(30), MICROPHONES, ROOM, tmp_path / "found.html")
    page = (tmp_path / "found.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("door", "$desk$", "shelf", "lamp: inverted", "roof: late"))
    assert "<b>: dead" not in page  # a name is no markup
    assert "cdn.plot.ly" not in page.split("Plotly.newPlot")[-1]
    assert "<script src=" not in page
    assert all(part in page for part in ("x (m)", "90 % region", "one of several places"))


def test_a_page_shows_directions(tmp_path):
    plot_estimates([directed()], MICROPHONES, ROOM, tmp_path / "found.html")
    assert "direction, 90 % cone" in (tmp_path / "found.html").read_text(encoding="utf-8")


def test_a_page_without_estimates_shows_the_microphones(tmp_path):
    plot_estimates([], MICROPHONES, ROOM, tmp_path / "none.html")
    assert "shelf" in (tmp_path / "none.html").read_text(encoding="utf-8")


def test_the_sphere_is_closed():
    """Every edge belongs to two triangles (Euler: V - E + F = 2), and all vertices are 1 from the middle."""
    vertices, triangles = unit_sphere()
    edges = {frozenset(pair) for t in triangles.tolist() for pair in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0]))}
    assert len(vertices) - len(edges) + len(triangles) == 2
    assert 3 * len(triangles) == 2 * len(edges)
    np.testing.assert_allclose(physics.distances(np.zeros(3), vertices), 1)
