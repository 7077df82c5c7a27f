"""Labels keep off each other; what cannot be drawn is one sentence."""

import numpy as np

from soundfix.report.canvas import label


def test_labels_keep_off_each_other():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4), dpi=100)
    axes = figure.add_subplot()
    points = np.random.default_rng(1).uniform(0, 1, (30, 2))
    label(axes, points, [f"microphone {k}" for k in range(30)], points[:0])
    boxes = [text.get_window_extent() for text in axes.texts]
    assert 5 < len(boxes) < 30  # those without room are left out
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
