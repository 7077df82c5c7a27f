"""Plain curves are searched once: what is the same is remembered, what differs in anything is searched anew."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix.localization.correlate import Correlator
from soundfix.localization.modes import find_modes
from soundfix.localization.preparation import prepare
from soundfix.methods import plain_peaks
from soundfix.methods.plain_peaks import PlainPeaks
from soundfix.search_region import SearchRegion
from soundfix.testing import contract_scene


@pytest.fixture
def plain():
    scene = contract_scene(6)
    prepared = prepare(scene)
    return Correlator()(prepared.audio, scene, prepared.pairs)


@pytest.fixture
def asked(monkeypatch):
    calls = []
    monkeypatch.setattr(
        plain_peaks, "find_modes", lambda *words, **more: calls.append(words) or find_modes(*words, **more)
    )
    return calls


BOX = contract_scene(6).search_box()


def test_the_same_curves_are_searched_once(plain, asked):
    peaks = PlainPeaks()
    first = peaks(plain, BOX)
    again = peaks(replace(plain, values=plain.values.copy()), BOX.copy())
    assert [mode.position.tolist() for mode in first] == [mode.position.tolist() for mode in find_modes(plain, BOX)]
    assert again == first
    assert len(asked) == 1


def test_what_differs_is_searched_anew(plain, asked):
    peaks, some = PlainPeaks(), np.arange(6) != 2
    region = SearchRegion(bounds=np.array([[0.0, 0.0, 0.0], [3.0, 5.0, 3.0]]))
    for other in (plain, replace(plain, values=-plain.values), plain.among(some), replace(plain, search=region)):
        peaks(other, BOX)
    peaks(plain, np.array([BOX[0], BOX[1] + 1]))
    peaks(replace(plain, pairs=plain.pairs[::-1].copy()), BOX)
    assert len(asked) == 6


def test_who_changes_the_list_changes_it_for_nobody_else(plain):
    peaks = PlainPeaks()
    peaks(plain, BOX).clear()
    assert peaks(plain, BOX)
