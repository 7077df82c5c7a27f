"""Pictures: of the size asked for, of what they should show, harmless names, and nothing written where it fails."""

import sys

import numpy as np
import pytest
from matplotlib.image import imread

from soundfix import physics
from soundfix.errors import MissingPackageError, OutputError
from soundfix.estimate import Estimate, MicrophoneReport, Source
from soundfix.microphones import Microphones
from soundfix.report.canvas import LEFT_INCHES, label, view_inches
from soundfix.report.picture import gather
from soundfix.report.plots import ELLIPSE_90, _ellipses, plot_estimates
from soundfix.report.scene3d import unit_sphere
from soundfix.report.survey import error_levels, plot_survey
from soundfix.survey.survey import survey

ROOM = ((0.0, 0.0, 0.0), (6.0, 4.0, 3.0))
POSITIONS = np.array([[0.5, 0.5, 0.5], [5.5, 0.5, 2.5], [0.5, 3.5, 2.5], [5.5, 3.5, 0.5], [3, 0.2, 1.5], [3, 3.8, 1]])
MICROPHONES = Microphones(positions=POSITIONS, names=("door", "$desk$", "<b>", "shelf", "lamp", "roof"))
STATUSES = ("ok", "ok", "dead", "ok", "inverted", "late")


def estimate(start_s=0.0, places=((2.0, 2.0, 1.0),), statuses=STATUSES):
    return Estimate(
        method="srp-phat", start_s=start_s, end_s=start_s + 0.5,
        verdict="abstain" if not places else "ambiguous" if len(places) > 1 else "ok",
        sources=tuple(
            Source(position_m=np.array(p), covariance_m2=np.diag([0.01, 0.04, 0.09]), radius90_m=0.6, score=0.5)
            for p in places
        ),
        microphones=tuple(
            MicrophoneReport(name=name, status=status, weight=1.0, position_m=None)
            for name, status in zip(MICROPHONES.names, statuses, strict=True)
        ),
    )  # fmt: skip


def walk(count):
    """Somebody walks; every seventh window has no answer, every eleventh two."""
    for k in range(count):
        place = (3 + 2 * np.cos(k / 20), 2 + np.sin(k / 20), 1.5)
        places = () if k % 7 == 3 else (place, (1.0, 1.0, 1.0)) if k % 11 == 5 else (place,)
        yield estimate(0.5 * k, places)


def assert_is_drawn(path):
    """An image with some ink and some paper."""
    image = imread(path)
    assert image.shape[0] > 600
    assert image.shape[1] > 900
    ink = (image[..., :3] < 0.9).any(axis=2).mean()
    assert 0.005 < ink < 0.9
    return image


# the survey


def test_a_survey_is_a_picture_of_the_size_of_its_box(tmp_path):
    report = survey(MICROPHONES, room=ROOM, windows=[])
    plot_survey(report, tmp_path / "survey.png")
    image = assert_is_drawn(tmp_path / "survey.png")
    assert image.shape[:2] == (round(150 * (sum(view_inches(report.box)) + 1.6)), round(150 * (LEFT_INCHES + 4.4)))


@pytest.mark.parametrize(
    ("kept", "room"),
    [(4, None), (1, None), (6, ((0.0, 0.0, 1.0), (6.0, 4.0, 1.0)))],
    ids=["four", "one", "known height"],
)
def test_every_kind_of_survey_can_be_drawn(tmp_path, kept, room):
    report = survey(MICROPHONES.where(np.arange(6) < kept), room=room, windows=[])
    plot_survey(report, tmp_path / "survey.png")
    assert_is_drawn(tmp_path / "survey.png")


def test_levels_are_round_and_span_the_errors():
    levels = error_levels(np.geomspace(0.9, 55, 200))
    assert 3 <= len(levels) <= 9
    assert levels[0] <= 1.5
    assert levels[-1] >= 30
    assert all(f"{level:.2g}" == f"{level:g}" for level in levels)


def test_levels_of_errors_that_are_all_alike_increase():
    levels = error_levels(np.full(50, 3.3333))
    assert (np.diff(levels) > 0).all()
    assert levels[0] < 3.3333 < levels[-1]


# the estimates


@pytest.mark.parametrize("count", [0, 1, 500])
def test_any_number_of_estimates_makes_a_picture(tmp_path, count):
    plot_estimates(walk(count), MICROPHONES, ROOM, tmp_path / "found.PNG")
    image = assert_is_drawn(tmp_path / "found.PNG")
    assert (image.shape[1] > 1500) == (count > 1)  # coordinates over time stand beside the views


def test_without_a_room_the_picture_holds_everything(tmp_path):
    far = estimate(places=((20.0, -3.0, 1.0),))
    low, high = gather([far], MICROPHONES, None).box
    assert (low < [0.5, -3, 0.5]).all()
    assert (high > [20, 3.8, 2.5]).all()
    plot_estimates([far], MICROPHONES, None, tmp_path / "far.png")
    assert_is_drawn(tmp_path / "far.png")


def test_a_picture_tells_who_was_left_out():
    picture = gather([estimate()], MICROPHONES, ROOM)
    assert picture.is_used.tolist() == [True, True, False, True, True, False]
    assert picture.captions == ("door", "$desk$", "<b>: dead", "shelf", "lamp: inverted", "roof: late")


def test_a_status_is_that_of_most_windows():
    answers = [estimate(), estimate(0.5), estimate(1.0, statuses=("dead",) * 6)]
    assert gather(answers, MICROPHONES, ROOM).captions[0] == "door"


def test_several_places_are_candidates_and_gaps_are_remembered():
    picture = gather([estimate(), estimate(0.5, ((1.0, 1, 1), (2.0, 1, 1))), estimate(1.0, ())], MICROPHONES, ROOM)
    assert picture.is_candidate.tolist() == [False, True, True]
    assert picture.time_s.tolist() == [0.25, 0.75, 0.75]
    assert picture.unanswered_s.tolist() == [1.25]


def test_an_unknown_microphone_stands_where_the_answer_puts_it():
    lost = Microphones(positions=np.array([[0.0, 0, 0], [np.nan] * 3, [np.nan] * 3]), names=("a", "b", "c"))
    report = MicrophoneReport(name="b", status="unknown-position", weight=0.0, position_m=np.array([1.0, 2, 3]))
    answer = Estimate(method="m", start_s=0.0, end_s=1.0, verdict="abstain", microphones=(report,))
    picture = gather([answer], lost, ROOM)
    assert picture.captions == ("a", "b: unknown-position")
    assert picture.microphones.tolist() == [[0, 0, 0], [1, 2, 3]]
    assert picture.is_estimated.tolist() == [False, True]


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


def test_labels_keep_off_each_other():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4), dpi=100)
    axes = figure.add_subplot()
    points = np.random.default_rng(1).uniform(0, 1, (30, 2))
    label(axes, points, [f"microphone {k}" for k in range(30)], points[:0])
    boxes = [text.get_window_extent() for text in axes.texts]
    assert 5 < len(boxes) < 30  # those without room are left out
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


# the scene in space


def test_a_page_holds_the_names_and_its_own_program(tmp_path):
    plot_estimates(walk(30), MICROPHONES, ROOM, tmp_path / "found.html")
    page = (tmp_path / "found.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("door", "$desk$", "shelf", "lamp: inverted", "roof: late"))
    assert "<b>: dead" not in page  # a name is no markup
    assert "cdn.plot.ly" not in page.split("Plotly.newPlot")[-1]
    assert "<script src=" not in page
    assert all(part in page for part in ("x (m)", "90 % region", "one of several places"))


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


# what cannot be drawn


@pytest.mark.parametrize(("name", "shown"), [("found.pdf", "'.pdf'"), ("found", "no suffix")])
def test_an_unknown_suffix_lists_the_known_ones(tmp_path, name, shown):
    with pytest.raises(OutputError, match=rf"{shown}.*\.png, \.html"):
        plot_estimates([estimate()], MICROPHONES, ROOM, tmp_path / name)
    with pytest.raises(OutputError, match=r"\.png$"):
        plot_survey(survey(MICROPHONES, room=ROOM, windows=[]), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suffix", "package"), [(".png", "matplotlib"), (".html", "plotly")])
def test_a_missing_package_is_one_sentence(tmp_path, monkeypatch, suffix, package):
    for module in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=rf"{package} is not installed.*soundfix\[report\]"):
        plot_estimates([estimate()], MICROPHONES, ROOM, tmp_path / f"found{suffix}")


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        plot_estimates([estimate()], MICROPHONES, ROOM, tmp_path / "nowhere" / "found.png")
