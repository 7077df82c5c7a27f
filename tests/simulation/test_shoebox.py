"""The image method: against images counted by hand, against pyroomacoustics, and a source that faces somewhere."""

import numpy as np
import pytest

from soundfix.simulation import shoebox

SIZE_M = np.array([4.0, 5.0, 3.0])
SOURCE = np.array([1.0, 2.0, 1.5])
MICROPHONES = np.array([[3.1, 4.2, 1.1], [0.4, 0.6, 2.3], [1.2, 2.9, 1.5]])
RATE, SPEED = 16_000.0, 343.0


def responses(order=3, absorption=0.3, source=SOURCE, microphones=MICROPHONES, size_m=SIZE_M, facing=None):
    return shoebox.impulse_responses(
        source, microphones, size_m=size_m, absorption=absorption, order=order, speed_m_s=SPEED, sample_rate=RATE,
        facing=facing,
    )  # fmt: skip


def test_the_first_images_stand_behind_the_six_walls():
    places = shoebox.images(SOURCE, SIZE_M, shoebox.lattice(1))
    wanted = {(1, 2, 1.5), (-1, 2, 1.5), (7, 2, 1.5), (1, -2, 1.5), (1, 8, 1.5), (1, 2, -1.5), (1, 2, 4.5)}
    assert {tuple(place) for place in places} == wanted


@pytest.mark.parametrize(("order", "count"), [(0, 1), (1, 7), (2, 25), (3, 63)])
def test_as_many_images_as_an_octahedron_has_cells(order, count):
    assert len(shoebox.lattice(order)) == count


@pytest.mark.parametrize("order", [0, 1, 8])
def test_the_same_as_pyroomacoustics(order, monkeypatch):
    """Up to 7.5 kHz; above that the two low-passes differ. Its own high-pass (10 Hz) is off, its delay of 40 samples out."""
    pra = pytest.importorskip("pyroomacoustics")
    monkeypatch.setattr(pra.parameters, "_constants", {}, raising=False)
    for name, value in {"c": SPEED, "rir_hpf_enable": False}.items():
        pra.constants.set(name, value)
    room = pra.ShoeBox(SIZE_M, fs=round(RATE), materials=pra.Material(0.3), max_order=order)
    room.add_source(SOURCE)
    room.add_microphone_array(MICROPHONES.T)
    room.compute_rir()
    for ours, theirs in zip(responses(order)[0], room.rir, strict=True):
        gap, whole = (in_band(h, 4096) for h in (padded(ours, 4096) - padded(theirs[0][40:], 4096), theirs[0][40:]))
        assert np.linalg.norm(gap) < 0.01 * np.linalg.norm(whole)


def padded(response, length):
    return np.pad(response, (0, length - len(response)))


def in_band(response, length):
    return np.fft.rfft(response, length)[: round(7500 / RATE * length)]


def test_an_impulse_between_samples_arrives_between_samples():
    [[response]] = [shoebox.impulses([np.array([100.25])], [np.array([2.0])])]
    turns = np.fft.rfftfreq(len(response))  # a sample
    undelayed = np.fft.rfft(response) * np.exp(2j * np.pi * turns * 100.25)
    assert undelayed[turns < 0.4] == pytest.approx(2.0, abs=0.02)


def test_a_figure_of_eight_is_loud_ahead_inverted_behind_and_silent_beside():
    around = SOURCE + np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 1.0, 0]])
    everywhere, eight = responses(order=0, microphones=around, facing=np.array([1.0, 0, 0]))
    assert eight[0] == pytest.approx(everywhere[0])
    assert eight[1] == pytest.approx(-everywhere[1])
    assert np.abs(eight[2]).max() < 1e-12


def test_a_wall_ahead_sends_back_what_was_said_towards_it():
    """A talker who faces the wall at x = 0, with a microphone behind him: the echo of that wall is the loud one."""
    source, microphone = np.array([1.0, 4.0, 4.0]), np.array([[2.0, 4.0, 4.0]])
    omni, eight = responses(
        order=1, source=source, microphones=microphone, size_m=np.full(3, 8.0), facing=np.array([-1.0, 0, 0])
    )[:, 0]
    direct, echo = (round(metres / SPEED * RATE) for metres in (1.0, 3.0))
    assert eight[direct] == pytest.approx(-omni[direct], rel=0.05)
    assert eight[echo] == pytest.approx(omni[echo], rel=0.05)


def test_every_image_within_a_distance_is_held_by_the_order_for_it():
    size = np.array([2.0, 7.0, 3.0])
    reach = 20.0
    order = shoebox.order_within(reach, size)
    cells = shoebox.lattice(order + 6)
    middle = size / 2
    near = np.linalg.norm(shoebox.images(middle, size, cells) - middle, axis=1) < reach
    assert np.abs(cells[near]).sum(axis=1).max() <= order
