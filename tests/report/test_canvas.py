"""Labels keep off each other; what cannot be drawn is one sentence."""

import numpy as np

from soundfix.report.canvas import frame, label


def test_labels_keep_off_each_other():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4), dpi=100)
    axes = figure.add_subplot()
    points = np.random.default_rng(1).uniform(0, 1, (30, 2))
    label(axes, points, [f"microphone {k}" for k in range(30)], points[:0])
    boxes = [text.get_window_extent() for text in axes.texts]
    assert 5 < len(boxes) < 30  # those without room are left out
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_coordinates_of_a_map_are_written_out():
    """Not as what is left of them beyond +5.93e6."""
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    frame(axes, "xy", np.array([[371_000.0, 5_930_000.0, 0.0], [371_080.0, 5_930_090.0, 3.0]]), "From above")
    axes.figure.draw_without_rendering()
    assert "5930020" in [text.get_text() for text in axes.get_yticklabels()]
