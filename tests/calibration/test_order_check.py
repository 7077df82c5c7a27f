"""Exchanged channels are named though the sound stands still; a list that is right is not doubted."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.scenes import anechoic_scene
from helpers.walks import ROOM, array
from soundfix.calibration.order_check import KEPT, OrderCheck

SOURCE = np.array([2.3, 1.9, 1.4])
PAIRS = [1, 0, 3, 2, 4, 5, 6, 7]


@pytest.fixture(scope="module")
def take():
    rng = np.random.default_rng(11)
    return anechoic_scene(array(rng, 8), SOURCE, rng, seconds=1.5, snr_db=20.0, room=ROOM)


def asked(command, take, order):
    audio = take.audio[order]
    return command(
        audio, microphones=take.microphones, sample_rate=take.sample_rate, room=ROOM, speed_of_sound_m_s=take.speed
    )


def locate(*given, **options):
    return soundfix.locate(*given, method="srp-phat", **options)


@pytest.mark.parametrize("command", [locate, soundfix.check])
@pytest.mark.parametrize("order", [PAIRS, [0, 4, 1, 5, 2, 6, 3, 7]])
def test_exchanged_channels_are_named(take, command, order):
    answer, names = asked(command, take, order), take.microphones.names
    wanted = tuple((names[m], names[row]) for m, row in enumerate(order) if m != row)
    assert answer.exchanged == wanted
    assert answer.to_dict()["exchanged"] == [{"microphone": one, "stands_at": other} for one, other in wanted]
    assert f"{wanted[0][0]} hears as if it stood where {wanted[0][1]} is listed" in repr(answer).replace("\n", " ")


@pytest.mark.parametrize("command", [locate, soundfix.check])
def test_a_list_that_is_right_is_not_spoken_of(take, command):
    answer = asked(command, take, list(range(8)))
    assert answer.exchanged == ()
    assert not answer.to_dict().get("exchanged")
    assert "exchanged" not in repr(answer)


def test_exchanged_channels_are_no_other_unit_and_no_clock(take):
    answer = asked(locate, take, PAIRS)
    assert answer.list_unit is None
    assert "clock" not in repr(answer)


def test_with_the_rows_that_are_named_the_place_is_right(take):
    named = dict(asked(locate, take, PAIRS).exchanged)
    listed = dict(zip(take.microphones.names, take.microphones.positions, strict=True))
    rows = np.array([listed[named.get(name, name)] for name in take.microphones.names])
    turned = replace(take, audio=take.audio[PAIRS], microphones=replace(take.microphones, positions=rows))
    answer = asked(locate, turned, list(range(8)))
    assert all(np.linalg.norm(each.sources[0].position_m - SOURCE) < 0.05 for each in answer.estimates)


def test_the_loudest_windows_are_kept(take):
    check = OrderCheck()
    for gain in range(1, KEPT + 4):
        check.hear(replace(take, audio=gain * take.audio[:, :4000], start_s=float(gain)))
    assert sorted(scene.start_s for _, scene in check._kept) == [float(gain) for gain in range(4, KEPT + 4)]


def test_nothing_heard_tells_nothing(take):
    check = OrderCheck()
    assert check.order() is None
    check.hear(replace(take, audio=np.zeros_like(take.audio)))
    assert check.exchanged() == ()
