"""Training that survives: killed at any step, cut files, full disks, several processes; and every stage teaches its own."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from helpers import TESTS
from helpers.clips import Clips
from helpers.training import TORCHRUN, job, quick
from soundfix.errors import DatasetError, TrainingError
from soundfix.networks import checkpoint
from soundfix.networks.model import Network
from soundfix.training import recipes
from soundfix.training.clock import Clock
from soundfix.training.loop import train
from soundfix.training.runs import read_newest
from soundfix.training.table import NOT_TERMS, VALIDATED


def weights(folder):
    return load_file(folder / "model.safetensors")


def assert_same(first, second, tolerance=0.0):
    assert first.keys() == second.keys()
    for name in first:
        gap = (first[name].double() - second[name].double()).abs().max() if first[name].numel() else 0.0
        assert gap <= tolerance, name


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The weights of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    train(job(folder / "run"))
    return weights(folder / "run")


def test_the_same_settings_give_the_same_weights(whole, tmp_path):
    train(job(tmp_path / "again"))
    assert_same(whole, weights(tmp_path / "again"))
    train(job(tmp_path / "other", seed=1))
    with pytest.raises(AssertionError):
        assert_same(whole, weights(tmp_path / "other"))


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("last", [1, 2, 5])
def test_a_run_goes_on_bit_for_bit(whole, tmp_path, last):
    """Stopped after step `last`, in the middle of a stage or at its end."""

    def stop(numbers):
        if numbers["step"] == last + 1:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(job(tmp_path / "parts"), watch=stop)
    assert read_newest(tmp_path / "parts").step == last
    train(job(tmp_path / "parts", resume=True))
    assert_same(whole, weights(tmp_path / "parts"))


def test_numbers_written_after_the_last_state_are_forgotten(tmp_path):
    def stop(numbers):
        if numbers["step"] == 6:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(job(tmp_path, save_every=3), watch=stop)
    train(job(tmp_path, save_every=3, resume=True))
    steps = [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5, 6, 7, 8]


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import torch
torch.set_num_threads(1)
from helpers.training import TORCHRUN, job, quick
from soundfix.training.loop import train
train(job(Path({out!r}), recipe=quick(localization=40), resume=Path({out!r}).exists()))
"""


@pytest.mark.slow
def test_killed_at_any_time_it_ends_with_the_same_weights(tmp_path):
    """kill -9 from outside, three times, at times of no meaning; then to the end."""
    out = tmp_path / "killed"
    script = KILLED.format(tests=str(TESTS), out=str(out))
    for after_s in (0.3, 0.7, 0.5):
        process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
        while process.poll() is None and not list(out.glob("state-*.safetensors")):
            time.sleep(0.02)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run([sys.executable, "-c", script], check=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    train(job(tmp_path / "whole", recipe=quick(localization=40)))
    torch.set_num_threads(threads)
    assert_same(weights(tmp_path / "whole"), weights(out))


def test_a_run_is_not_overwritten_nor_gone_on_with_something_else(tmp_path):
    train(job(tmp_path, recipe=quick(0, 0, 1)))
    with pytest.raises(TrainingError, match="holds a run already: give --resume"):
        train(job(tmp_path, recipe=quick(0, 0, 1)))
    with pytest.raises(TrainingError, match="started with seed 0, and is to go on with 1"):
        train(job(tmp_path, recipe=quick(0, 0, 1), seed=1, resume=True))
    with pytest.raises(TrainingError, match=r"started with localization\.steps 1, and is to go on with 2"):
        train(job(tmp_path, recipe=quick(0, 0, 2), resume=True))


def test_what_may_change_is_said_and_changes_what_follows(tmp_path):
    train(job(tmp_path, recipe=quick(0, 0, 2)))
    said = []
    may = frozenset({"recipe.localization.steps"})
    train(job(tmp_path, recipe=quick(0, 0, 3), resume=True, may_change=may), watch=said.append)
    lines = [f"{tmp_path} goes on after step 2, in localization", "localization.steps: 2 -> 3"]
    assert list(said[0]["said"]) == lines
    assert [numbers["step"] for numbers in said[1:]] == [3]


def test_stopped_while_it_validates_it_ends_after_that_and_goes_on_bit_for_bit(tmp_path):
    """As Ctrl-C does."""
    stopped, said = [], []

    def validate(network):
        stopped.append(True)
        return {"decoder_error_m": 0.5, "mae_m": 2.0}

    recipe = quick(0, 0, 6)
    train(job(tmp_path / "whole", recipe=recipe, validate=validate, validate_every=3))
    stopped.clear()
    given = {"recipe": recipe, "validate": validate, "validate_every": 3, "save_every": 100}
    train(job(tmp_path / "parts", **given, stop=lambda: bool(stopped)), watch=said.append)
    assert read_newest(tmp_path / "parts").step == 3
    assert said[-2]["mae_m"] == 2.0
    assert list(said[-1]["said"]) == [f"stopped: {tmp_path / 'parts'} holds the state, --resume goes on with it"]
    train(job(tmp_path / "parts", **given, resume=True))
    assert_same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))


def test_how_long_it_takes_counts_all_that_is_still_to_come(tmp_path, monkeypatch):
    """Of ten steps with a validation at 3, 6, 9 and the end."""
    asked = []
    monkeypatch.setattr(Clock, "left", lambda clock, **still: asked.append(still) or {})
    numbers = {"decoder_error_m": 0.5, "mae_m": 2.0}
    said = []
    given = {"recipe": quick(1, 0, 10, 1), "validate": lambda network: numbers, "validate_every": 3, "minutes": 100.0}
    train(job(tmp_path, **given), watch=said.append)
    assert asked[0] == {"steps": 0, "validations": 0, "later": ["localization", "reranker"]}
    assert [still["steps"] for still in asked[1:11]] == list(range(9, -1, -1))
    assert [still["validations"] for still in asked[1:11]] == [4, 4, 3, 3, 3, 2, 2, 2, 1, 0]
    assert asked[1]["later"] == ["reranker"]
    assert asked[11]["later"] == []
    assert 5900 < said[0]["stops_in_s"] < 6000


def test_every_state_is_told(tmp_path):
    seen = []
    train(job(tmp_path, recipe=quick(0, 0, 5), save_every=2, saved=lambda: seen.append(read_newest(tmp_path).step)))
    assert seen == [2, 4, 5]


def test_a_loss_that_is_not_a_number_stops_the_run_and_keeps_the_batch(tmp_path):
    recipe = quick(0, 0, 3)
    network = Network(recipe.network)
    with torch.no_grad():
        network.position_decoder.parameters().__next__().fill_(torch.inf)
    with pytest.raises(TrainingError, match=r"after step 1 the loss of .*sources.* not finite"):
        train(job(tmp_path, recipe=recipe, network=network))
    assert load_file(tmp_path / "not-finite-00000001.safetensors")["audio"].shape[0] == 4
    assert read_newest(tmp_path) is None


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_data_set_stops_the_run_in_one_sentence_and_loses_nothing(tmp_path, workers):
    class Damaged(Clips):
        def __getitem__(self, clip):
            if clip % 8 == 3:
                raise DatasetError("set/000001.tar: 5 bytes, wanted 10: was it cut?")
            return super().__getitem__(clip)

    with pytest.raises(DatasetError, match=r"^set/000001.tar: 5 bytes, wanted 10: was it cut\?$"):
        train(job(tmp_path, recipe=quick(0, 0, 12), data=[Damaged()], workers=workers))
    train(job(tmp_path, recipe=quick(0, 0, 12), data=[Clips()], resume=True))  # the same name: mended


SHARED = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {tests!r})
import numpy as np
import torch
torch.set_num_threads(1)
from helpers.clips import Clips
from helpers.training import TORCHRUN, job, quick
from soundfix.scene import Truth
from soundfix.training.loop import train

class Heard(Clips):
    # of every third clip nobody knows where its source is: it does not count for the reranker
    def __getitem__(self, clip):
        scene = super().__getitem__(clip)
        unknown = Truth(sources=np.full((1, 3), np.nan), positions=scene.truth.positions)
        return scene if clip % 3 else replace(scene, truth=unknown)

out, steps, minutes, resume = sys.argv[1], map(int, sys.argv[2].split(",")), float(sys.argv[3]), sys.argv[4] == "resume"
recipe = quick(*steps)
recipe = replace(recipe, localization=replace(recipe.localization, schedule="plateau"))
given = {{"recipe": recipe, "data": [Heard()], "minutes": minutes, "resume": resume, "validate_every": 1}}
train(job(Path(out), **given, validate=lambda network: {{"decoder_error_m": 0.5, "mae_m": 2.0}}))
"""


@pytest.fixture
def shared(tmp_path):
    """A run by one process or by two that share it; gives its folder."""
    script = tmp_path / "shared.py"
    script.write_text(SHARED.format(tests=str(TESTS)))

    def run(name, steps, *, minutes="inf", then="start"):
        command = [sys.executable] if name == "one" else TORCHRUN
        words = [*command, script, tmp_path / name, steps, minutes, then]
        subprocess.run(words, check=True, stderr=subprocess.DEVNULL, timeout=280)
        return tmp_path / name

    return run


def losses(folder):
    notes = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [
        {name: value for name, value in note.items() if name not in NOT_TERMS and name not in VALIDATED}
        for note in notes
    ]


@pytest.mark.slow
def test_two_processes_give_the_weights_of_one(shared):
    """A step of every stage, to 1e-5; but of a gradient that is nothing but rounding AdamW makes a step of its own."""
    one, two = shared("one", "1,1,1,1"), shared("two", "1,1,1,1")
    for first, second in zip(losses(one), losses(two), strict=True):
        assert second == pytest.approx(first, rel=1e-4)
    states = [read_newest(folder).tensors for folder in (one, two)]
    assert states[0].keys() == states[1].keys()
    gaps = torch.cat([(states[0][name].double() - states[1][name]).abs().flatten() for name in states[0]])
    assert (gaps > 1e-5).double().mean() < 1e-3
    assert gaps.max() < 1e-3


@pytest.mark.slow
def test_two_processes_stop_and_go_on_together(shared):
    """Where the minutes are over, and where validation has stopped falling, which only the first process has seen."""
    first = shared("two", "0,0,30", minutes="1e-6")
    assert [len(losses(first)), read_newest(first).step] == [1, 1]
    one, two = shared("one", "0,0,30"), shared("two", "0,0,30", then="resume")
    assert len(losses(one)) == len(losses(two)) < 30
    for first, second in zip(losses(one), losses(two), strict=True):
        assert second == pytest.approx(first, rel=0.1)


def test_what_comes_out_is_a_checkpoint_that_says_where_it_is_from(tmp_path):
    train(job(tmp_path, settings={"data_sets": ["twin"]}))
    network = checkpoint.load(tmp_path / "model.safetensors")
    assert replace(network.config, arrays=()) == recipes.tiny().network
    notes = checkpoint.notes(tmp_path / "model.safetensors")
    assert notes == {"recipe": "tiny", "seed": 0, "stage": "localization", "steps": 8, "data_sets": ["twin"]}
