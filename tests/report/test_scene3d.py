"""A page in space holds its names and its own program."""

import numpy as np
from plotly.graph_objects import Figure

from helpers.drawings import MICROPHONES, ROOM, directed, estimate, walk
from soundfix import physics
from soundfix.microphones import Microphones
from soundfix.report.plots import plot_estimates
from soundfix.report.scene3d import origin_of, unit_sphere


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


def test_far_from_its_origin_a_page_is_drawn_from_a_round_number(tmp_path, monkeypatch):
    """What browsers keep of 5 930 001.25 in 24 bits is 5 930 001."""
    drawn = []
    monkeypatch.setattr(Figure, "to_html", lambda figure, **_: drawn.append(figure) or "")
    far = Microphones(positions=MICROPHONES.positions + np.array([371_000.0, 5_930_000.25, 0.0]))
    plot_estimates([estimate(places=((371_002.0, 5_930_001.25, 1.0),))], far, None, tmp_path / "far.html")
    scene = drawn[0].layout.scene
    titles = [axis.title.text for axis in (scene.xaxis, scene.yaxis, scene.zaxis)]
    assert titles == ["x - 371000 (m)", "y - 5929000 (m)", "z (m)"]
    dots = next(trace for trace in drawn[0].data if trace.name == "source")
    assert (*dots.x, *dots.y, *dots.z) == (2.0, 1001.25, 1.0)
    assert dots.customdata.tolist() == [[0.25, 371_002.0, 5_930_001.25, 1.0]]


def test_near_its_origin_nothing_is_moved():
    assert origin_of(np.array([[0.0, -5.0, 0.0], [9_000.0, 5.0, 2.0]])).tolist() == [0, 0, 0]
    assert origin_of(np.array([[-20_500.0, 0.0, 0.0], [-20_100.0, 5.0, 2.0]])).tolist() == [-21_000, 0, 0]


def test_the_sphere_is_closed():
    """Every edge belongs to two triangles (Euler: V - E + F = 2), and all vertices are 1 from the middle."""
    vertices, triangles = unit_sphere()
    edges = {frozenset(pair) for t in triangles.tolist() for pair in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0]))}
    assert len(vertices) - len(edges) + len(triangles) == 2
    assert 3 * len(triangles) == 2 * len(edges)
    np.testing.assert_allclose(physics.distances(np.zeros(3), vertices), 1)
