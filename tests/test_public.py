"""What `import soundfix` gives: every name says what it takes, in which units and shapes, and what it raises."""

import inspect
import os
import pydoc
import subprocess
import sys

import numpy as np
import pytest

import soundfix
from soundfix.api.calibrate import Calibrated
from soundfix.api.check import Checked
from soundfix.api.locate import Located
from soundfix.api.simulate import Scenes
from soundfix.estimate import Estimate, Localizer
from soundfix.survey.requirement import Requirement
from soundfix.testing import contract_scene

NAMES = [name for name in soundfix.__all__ if name != "__version__"]
FUNCTIONS = [name for name in NAMES if inspect.isfunction(getattr(soundfix, name))]
UNITS = (" m,", " m ", "metres", "(m)", " s ", "(s", "seconds", "Hz", "°C")
TAKE_ARRAYS = [
    "Localizer",
    "Microphones",
    "Scene",
    "Stream",
    "Take",
    "again",
    "calibrate",
    "check",
    "locate",
    "read",
    "simulate",
]
RESULTS = [Calibrated, Checked, Located]


def test_the_names_are_these():
    assert NAMES == [
        "Estimate", "Localizer", "Microphones", "Requirement", "Scene", "SearchRegion", "Stream", "Take", "again",
        "calibrate",
        "check", "load", "locate", "locate_delays", "read", "simulate",
    ]  # fmt: skip
    assert FUNCTIONS == ["again", "calibrate", "check", "load", "locate", "locate_delays", "read", "simulate"]
    assert dir(soundfix) == soundfix.__all__


@pytest.mark.parametrize("name", NAMES)
def test_every_name_tells_its_units(name):
    told = inspect.getdoc(getattr(soundfix, name))
    assert any(unit in f"{told} " for unit in UNITS), told


@pytest.mark.parametrize("name", TAKE_ARRAYS)
def test_what_takes_or_gives_arrays_tells_their_shapes(name):
    told = inspect.getdoc(getattr(soundfix, name))
    assert "(M, T)" in told or name == "Microphones"
    assert "(M, 3)" in told or name == "Scene"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_tell_what_they_raise(name):
    told = inspect.getdoc(getattr(soundfix, name))
    errors = [word for word in vars(soundfix.errors) if word.endswith("Error") and word in told]
    assert "Raises " in told
    assert len(errors) >= 2


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_told_of(name):
    function = getattr(soundfix, name)
    told = inspect.getdoc(function)
    assert [argument for argument in inspect.signature(function).parameters if argument not in told] == []


@pytest.mark.parametrize("name", NAMES)
def test_help_shows_it(name):
    shown = pydoc.render_doc(getattr(soundfix, name), renderer=pydoc.plaintext)
    assert [line for line in inspect.getdoc(getattr(soundfix, name)).splitlines() if line.strip() not in shown] == []


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("method", ["to_dict", "to_json", "to_dataframe", "plot"])
def test_results_can_all_do_the_same(result, method):
    told = inspect.getdoc(getattr(result, method))
    assert told
    assert "Raises" in told or method == "to_dict"
    assert result.__repr__ is not object.__repr__
    assert inspect.isfunction(result._repr_html_)


@pytest.mark.parametrize("result", [*RESULTS, Scenes])
def test_results_tell_what_they_hold(result):
    told = inspect.getdoc(result)
    assert [field for field in result.__dataclass_fields__ if f"{field}:" not in told] == []


def test_contract_is_the_former_name():
    with pytest.warns(DeprecationWarning, match=r"soundfix\.Contract is called soundfix\.Requirement now") as caught:
        assert soundfix.Contract is Requirement
    assert os.environ.get("SHAPES") or caught[0].filename == __file__  # a check of shapes stands in between


def test_what_there_never_was_is_refused():
    with pytest.raises(AttributeError, match="has no attribute 'Listener'"):
        _ = soundfix.Listener


def test_the_calls_of_the_first_version_work():
    """By position, as its README had it."""
    scene = contract_scene(6)
    microphones = soundfix.Microphones(positions=scene.microphones.positions)
    window = soundfix.Scene(audio=scene.audio, sample_rate=16_000.0, microphones=microphones, room=scene.room)
    method = soundfix.load("srp-phat")
    assert isinstance(method, Localizer)
    estimate = method.locate(window)
    located = soundfix.locate(scene.audio, 16_000.0, scene.microphones.positions, method="srp-phat", room=scene.room)
    assert isinstance(estimate, Estimate)
    assert np.array_equal(located.estimates[0].sources[0].position_m, estimate.sources[0].position_m)


def test_the_package_is_loaded_when_it_is_used():
    """`soundfix --help` waits for no torch."""
    code = "import sys, soundfix; dir(soundfix); sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


# reprs


def test_reprs_are_short():
    scene = contract_scene(8)
    estimate = soundfix.load("srp-phat").locate(scene)
    assert repr(scene) == "Scene(8 microphones, 0.50 s at 16000 Hz)"
    assert repr(scene.microphones) == "Microphones(8: mic1, mic2, ..., mic8; 8 of known position)"
    assert repr(scene.microphones.where(np.arange(8) < 2)) == "Microphones(2: mic1, mic2; 2 of known position)"
    assert repr(estimate) == "Estimate(srp-phat, 0.00 to 0.50 s, ok, (3.90, 1.80, 1.30) m)"
    assert len(repr(soundfix.load("srp-phat"))) < 200


def test_a_network_prints_no_weights():
    assert repr(soundfix.load()) == "ThreeStream(torch, explains=False, polishes=True)"
