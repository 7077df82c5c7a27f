"""Pictures: of the size asked for, of what they should show, harmless names, and nothing written where it fails."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from helpers.drawings import MICROPHONES, ROOM, assert_is_drawn, directed, estimate, walk
from soundfix.errors import MissingPackageError, OutputError
from soundfix.microphones import Microphones
from soundfix.report.picture import gather
from soundfix.report.plots import ELLIPSE_90, _draw_coordinate, _ellipses, plot_estimates
from soundfix.report.survey import plot_survey
from soundfix.survey.survey import survey

BOXES = [((0.0, 0.0, 0.0), top) for top in ((2.0, 9.0, 3.0), (80.0, 60.0, 0.5), (1.0, 30.0, 1.0))]


@pytest.mark.parametrize("count", [0, 1, 500])
def test_any_number_of_estimates_makes_a_picture(tmp_path, count):
    plot_estimates(walk(count), MICROPHONES, ROOM, tmp_path / "found.PNG")
    image = assert_is_drawn(tmp_path / "found.PNG")
    assert (image.shape[1] > 1500) == (count > 1)  # coordinates over time stand beside the views


def test_directions_are_rays_in_their_cones_and_angles_over_time(tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr("soundfix.report.plots.write_figure", lambda figure, path: kept.append(figure))
    windows = [directed(0.5 * k, azimuth_deg=10.0 * k, is_flat=True) for k in range(4)]
    plot_estimates(windows, MICROPHONES, ROOM, tmp_path / "found.png")
    above, side, azimuth, elevation, bar = kept[0].axes
    assert (azimuth.get_ylabel(), elevation.get_ylabel()) == ("azimuth (degrees)", "elevation (degrees)")
    assert bar.get_ylabel() == "time (s)"
    assert azimuth.collections[-1].get_offsets()[:, 1].tolist() == [0, 0, 10, 10, 20, 20, 30, 30]
    for view in (above, side):
        shadows, lines = view.collections[:2]
        assert (len(shadows.get_paths()), len(lines.get_paths())) == (8, 8)
    assert "direction, 90 % cone" in [text.get_text() for text in kept[0].legends[0].get_texts()]


def test_without_a_room_the_picture_holds_everything(tmp_path):
    far = estimate(places=((20.0, -3.0, 1.0),))
    low, high = gather([far], MICROPHONES, None).box
    assert (low < [0.5, -3, 0.5]).all()
    assert (high > [20, 3.8, 2.5]).all()
    plot_estimates([far], MICROPHONES, None, tmp_path / "far.png")
    assert_is_drawn(tmp_path / "far.png")


def test_over_time_coordinates_of_a_map_are_written_out():
    from matplotlib.figure import Figure

    far = Microphones(positions=MICROPHONES.positions + np.array([371_000.0, 5_930_000.0, 0.0]))
    axes, located = Figure().add_subplot(), [estimate(places=((371_002.0, 5_930_001.0, 1.0),))]
    _draw_coordinate(axes, 1, gather(located, far, None))
    axes.figure.draw_without_rendering()
    assert "5930001" in [text.get_text() for text in axes.get_yticklabels()]


def test_ellipses_hold_the_projected_covariance():
    from matplotlib.figure import Figure

    turned = np.array([[0.05, 0.03, 0], [0.03, 0.05, 0], [0, 0, 0.01]])  # 0.08 along the diagonal, 0.02 across
    ellipse = _ellipses(np.zeros((1, 2)), turned[None], "xy", Figure().add_subplot(), np.ones((1, 4)), 0.5)
    widths, heights, angles = ellipse.get_widths()[0], ellipse.get_heights()[0], ellipse.get_angles()[0]
    assert sorted([widths, heights]) == pytest.approx(2 * ELLIPSE_90 * np.sqrt([0.02, 0.08]))
    assert (angles if widths > heights else angles + 90) % 180 == pytest.approx(45)


def test_an_ellipse_holds_nine_in_ten(rng):
    assert (np.linalg.norm(rng.standard_normal((200_000, 2)), axis=1) < ELLIPSE_90).mean() == pytest.approx(
        0.9, abs=3e-3
    )


@pytest.mark.parametrize(("name", "shown"), [("found.bmp", "'.bmp'"), ("found", "no suffix")])
def test_an_unknown_suffix_lists_the_known_ones(tmp_path, name, shown):
    with pytest.raises(OutputError, match=rf"{shown}.*\.png, \.svg, \.pdf, \.html, \.gif, \.mp4"):
        plot_estimates([estimate()], MICROPHONES, ROOM, tmp_path / name)
    with pytest.raises(OutputError, match=r"\.png, \.svg, \.pdf$"):
        plot_survey(survey(MICROPHONES, room=ROOM, windows=[]), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_one_sentence(tmp_path, monkeypatch):
    for module in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r"matplotlib is not installed.*soundfix\[report\]"):
        plot_estimates([estimate()], MICROPHONES, ROOM, tmp_path / "found.png")
    plot_estimates([estimate()], MICROPHONES, ROOM, tmp_path / "found.html")  # needs none


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        plot_estimates([estimate()], MICROPHONES, ROOM, tmp_path / "nowhere" / "found.png")


@pytest.mark.parametrize(("suffix", "head"), [(".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_pictures_for_print_are_the_same_every_time(tmp_path, suffix, head):
    for name in ("one", "other"):
        plot_estimates(walk(3), MICROPHONES, ROOM, tmp_path / f"{name}{suffix}")
    one, other = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("one", "other"))
    assert one == other
    assert one.startswith(head)


def test_a_large_region_is_an_outline_below_the_others(tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr("soundfix.report.plots.write_figure", lambda figure, path: kept.append(figure))
    good = estimate()
    source = replace(good.sources[0], covariance_m2=np.diag([2.0, 1.0, 0.5]))
    plot_estimates([good, replace(estimate(0.5), sources=(source,))], MICROPHONES, ROOM, tmp_path / "x.png")
    outlines, regions = kept[0].axes[0].collections[:2]
    assert outlines.zorder < regions.zorder
    assert (len(outlines.get_offsets()), len(regions.get_offsets())) == (1, 1)
    assert outlines.get_facecolors()[0, 3] == 0 < regions.get_facecolors()[0, 3]
    assert "large region" in [text.get_text() for text in kept[0].legends[0].get_texts()]


@pytest.mark.parametrize("box", [ROOM, *BOXES])
def test_the_side_view_stands_under_the_top_view(tmp_path, monkeypatch, box):
    kept = []
    monkeypatch.setattr("soundfix.report.plots.write_figure", lambda figure, path: kept.append(figure))
    plot_estimates(walk(4), MICROPHONES, box, tmp_path / "x.png")
    above, side = (axes.get_window_extent() for axes in kept[0].axes[:2])
    assert (above.x0, above.x1) == (pytest.approx(side.x0, abs=2), pytest.approx(side.x1, abs=2))
    assert kept[0].axes[0].get_xlim() == kept[0].axes[1].get_xlim()
