"""What writers are told of a recording, and `Located.write_as`."""

import json
from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.plain import PLAIN
from soundfix.api.formats import recorded
from soundfix.errors import ConfigError

SOURCE = np.array([3.9, 1.8, 1.3])  # of the fixture


def test_of_a_request(located):
    told = recorded(located.asked)
    assert told.hop_s == 0.5
    assert told.microphones is located.asked.sound.microphones
    assert told.speed_m_s == located.asked.speed
    assert told.room == located.asked.room
    assert (told.take, told.table, told.listener) == (None, None, None)
    assert recorded(replace(located.asked, window_s=None, hop_s=None, tracks=False, events=())).hop_s is None


def test_write_as_is_the_command_s(located, tmp_path):
    located.write_as("opensoundscape", tmp_path / "p.json")
    told = json.loads((tmp_path / "p.json").read_text())
    assert [each["location_estimate"] for each in told] == [
        each.sources[0].position_m.tolist() for each in located.estimates
    ]
    assert "mic4" not in told[0]["receiver_files"]


def test_a_listener_hears_ahead_what_is_ahead(located, tmp_path):
    located.write_as("dcase", tmp_path / "d.csv", listener_m=SOURCE - [0, 2, 0], heading_deg=90.0)
    rows = np.array([line.split(",") for line in (tmp_path / "d.csv").read_text().splitlines()], dtype=int)
    assert np.abs(rows[:, 3]).max() <= 2
    assert np.abs(rows[:, 5] - 200).max() <= 5
    with pytest.raises(ConfigError, match="wanted --listener"):
        located.write_as("dcase", tmp_path / "d.csv")


def test_answers_of_delays_know_no_recording(located, tmp_path):
    without = replace(located, asked=None)
    without.write_as("opensoundscape", tmp_path / "p.json")
    assert json.loads((tmp_path / "p.json").read_text())[0]["receiver_files"][0] == "mic1"
    with pytest.raises(ConfigError, match="odas numbers windows"):
        without.write_as("odas", tmp_path / "o")


def test_receivers_are_those_that_agree_and_off_by_little(scene, tmp_path):
    """mic6 is late by 6 ms, and contradicts the others."""
    late = np.array(scene.audio)
    late[5] = np.roll(late[5], 96)
    found = soundfix.locate(late, scene.sample_rate, scene.microphones, **PLAIN)
    assert found.estimates[0].microphones[5].pull_m == pytest.approx(2.06, abs=0.1)
    assert found.estimates[0].microphones[5].residual_m is None
    found.write_as("opensoundscape", tmp_path / "p.json")
    (told, *_) = json.loads((tmp_path / "p.json").read_text())
    assert "mic6" not in told["receiver_files"]
    assert len(told["receiver_files"]) == 6
    assert np.abs(told["distance_residuals"]).max() < 0.05
