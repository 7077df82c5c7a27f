"""Colours say when: dark at the beginning, light at the end, and a bar beside them."""

import numpy as np

from helpers.drawings import MICROPHONES, ROOM, directed, estimate, walk
from soundfix.report.clock import clock_colours, draw_clock, span_s, time_colours
from soundfix.report.picture import gather


def test_from_the_first_answer_to_the_last():
    picture = gather([estimate(1.0), directed(7.0)], MICROPHONES, ROOM)
    assert span_s(picture) == (1.25, 7.25)
    colours = time_colours(picture, np.array([1.25, 7.25]))
    assert np.allclose(colours, clock_colours()([0.0, 1.0]))
    assert colours[0, :3].sum() < colours[1, :3].sum()


def test_one_time_alone_has_the_middle_colour_and_no_bar():
    from matplotlib.figure import Figure

    picture, figure = gather([estimate()], MICROPHONES, ROOM), Figure()
    assert np.allclose(time_colours(picture, picture.time_s), clock_colours()(0.5))
    draw_clock(figure, [figure.add_subplot()], picture)
    assert len(figure.axes) == 1
    assert span_s(gather([], MICROPHONES, ROOM)) == (0.0, 0.0)


def test_the_bar_goes_with_the_colours():
    from matplotlib.figure import Figure

    picture, figure = gather(walk(10), MICROPHONES, ROOM), Figure()
    draw_clock(figure, [figure.add_subplot()], picture)
    assert figure.axes[1].get_ylim() == span_s(picture) == (0.25, 4.75)
