"""Training that survives: killed at any step, cut files, full disks, several processes; and every stage teaches its own."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from helpers import TESTS
from helpers.clips import Clips
from helpers.networks import paper_like
from soundfix.errors import DatasetError, TrainingError
from soundfix.localization.multi_source import MOST_SOURCES
from soundfix.networks import checkpoint
from soundfix.networks.model import Network
from soundfix.training import recipes
from soundfix.training.batches import Batches
from soundfix.training.lessons import know_arrays
from soundfix.training.loop import Job, train
from soundfix.training.recipes import STAGES
from soundfix.training.runs import Run, State, read_newest
from soundfix.training.stages import learning, loss_terms
from soundfix.training.trainee import rate

QUICK = {"batch": 4, "warm_up": 2, "windows_s": (0.128,), "microphones": (4, 5), "points": 32}


def quick(correlation=2, autoencoder=2, localization=4, reranker=0, **changes):
    tiny = recipes.tiny()
    steps = (correlation, autoencoder, localization, reranker)
    stages = dict(zip(STAGES, steps, strict=True))
    return replace(tiny, **{n: replace(getattr(tiny, n), steps=s, **QUICK) for n, s in stages.items()}, **changes)


def job(out, **changes):
    given = {"recipe": quick(), "data": [Clips()], "out": out, "workers": 0, "save_every": 1, "note_every": 1}
    return Job(**(given | changes))


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


@pytest.mark.parametrize("last", [1, 2, 3, 5, 7])
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
from test_train import job, quick
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


def test_a_damaged_state_is_passed_over(tmp_path):
    train(job(tmp_path, recipe=quick(localization=0)))
    newest, before = sorted(tmp_path.glob("state-*.safetensors"), reverse=True)
    newest.write_bytes(newest.read_bytes()[:1000])
    assert read_newest(tmp_path).step == int(before.stem.split("-")[1])
    before.write_bytes(b"")
    assert read_newest(tmp_path) is None


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    run = Run(tmp_path, {"seed": 0}, resume=False)
    run.save(State(step=1, tensors={"a": torch.ones(3)}, numbers={}))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match=r"state-00000002.*the disk is full.*--resume"):
        run.save(State(step=2, tensors={"a": torch.zeros(3)}, numbers={}))
    assert read_newest(tmp_path).step == 1
    assert not list(tmp_path.glob("*.part"))


def test_what_a_kill_left_half_written_goes(tmp_path):
    Run(tmp_path, {"seed": 0}, resume=False)
    (tmp_path / ".soundfix-0123456789abcdef.part").touch()
    Run(tmp_path, {"seed": 0}, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"cannot be used.*writable"):
        Run(tmp_path / "file" / "run", {}, resume=False)


def test_a_run_is_not_overwritten_nor_gone_on_with_something_else(tmp_path):
    train(job(tmp_path, recipe=quick(0, 0, 1)))
    with pytest.raises(TrainingError, match="holds a run already: give --resume"):
        train(job(tmp_path, recipe=quick(0, 0, 1)))
    with pytest.raises(TrainingError, match="started with seed 0, and is to go on with 1"):
        train(job(tmp_path, recipe=quick(0, 0, 1), seed=1, resume=True))


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
from pathlib import Path
sys.path.insert(0, {tests!r})
import torch
torch.set_num_threads(1)
from test_train import job, quick
from soundfix.training.loop import train
train(job(Path({out!r}), recipe=quick(autoencoder=2, localization=3, correlation=2)))
"""


@pytest.mark.slow
def test_two_processes_give_the_weights_of_one(tmp_path):
    script = tmp_path / "shared.py"
    script.write_text(SHARED.format(tests=str(TESTS), out=str(tmp_path / "two")))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*torchrun, script], check=True, stderr=subprocess.DEVNULL)
    train(job(tmp_path / "one", recipe=quick(autoencoder=2, localization=3, correlation=2)))
    torch.manual_seed(0)
    start = Network(quick().network).state_dict()
    one, two = (weights(tmp_path / name) for name in ("one", "two"))
    assert apart(one, two) < 0.01 * apart(one, start)  # AdamW makes whole steps of what is nothing but rounding


def apart(one, two):
    """Distance between two sets of weights that learn."""
    names = [name for name in one if not name.endswith("_m")]
    return float(torch.cat([(one[name].double() - two[name].double()).flatten() for name in names]).norm())


@pytest.mark.parametrize(
    ("stage", "learns", "rests"),
    [
        ("correlation", "head", "masked_encoder"),
        ("autoencoder", "encoder", "head"),
        ("localization", "masked_encoder", "encoder"),
        ("localization", "gate", "encoder"),
        ("localization", "head", "reranker"),
        ("reranker", "reranker", "head"),
    ],
)
def test_every_stage_teaches_its_own_part(tmp_path, stage, learns, rests):
    recipe = quick(**{name: 3 * (name == stage) for name in STAGES}, average=0.0)
    torch.manual_seed(0)
    before = Network(recipe.network).state_dict()
    after = train(job(tmp_path, recipe=recipe)).state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert learns in changed
    assert rests not in changed


def test_ngcc_learns_first_and_then_rests():
    network = paper_like()
    assert {id(w) for w in learning(network, "correlation")} == {id(w) for w in network.ngcc.parameters()}
    assert network.ngcc.training
    learning(network, "localization")
    assert not any(weight.requires_grad for weight in network.ngcc.parameters())
    assert not network.ngcc.training


def test_the_shipped_weights_are_a_moving_average(tmp_path):
    recipe = quick(0, 0, 6, average=0.5)
    averaged = train(job(tmp_path, recipe=recipe))
    state = read_newest(tmp_path)
    name = next(n for n in state.tensors if n.startswith("network.joint_norm"))
    own = averaged.state_dict()[name.removeprefix("network.")]
    assert not torch.equal(own, state.tensors[name])
    assert torch.equal(own, state.tensors[name.replace("network.", "average.")])


def test_a_later_stage_goes_on_from_the_average(tmp_path):
    train(job(tmp_path, recipe=quick(0, 0, 6, 2, average=0.5)))
    tensors = read_newest(tmp_path).tensors
    names = [name.removeprefix("network.") for name in tensors if name.startswith("network.head.")]
    assert names
    assert all(torch.equal(tensors["network." + name], tensors["average." + name]) for name in names)
    assert (tmp_path / "model.safetensors").exists()


def test_windows_without_a_known_source_still_teach_the_reconstructions(tmp_path):
    clips = Clips(sources=MOST_SOURCES + 1)  # more than anything is taught of: no truth
    recipe = quick(0, 0, 3, average=0.0)
    torch.manual_seed(0)
    before = Network(recipe.network).state_dict()
    seen = []
    after = train(job(tmp_path, recipe=recipe, data=[clips]), watch=seen.append).state_dict()
    assert all(numbers["sources"] == 0 and numbers["likelihood"] == 0 for numbers in seen)
    assert any(numbers["sound"] > 0 for numbers in seen)
    assert not torch.equal(
        before["audio_inverse_mapper.layers.0.weight"], after["audio_inverse_mapper.layers.0.weight"]
    )


def test_two_sources_teach_the_likelihood_of_one_slot_but_not_its_coordinates(tmp_path):
    seen = []
    train(job(tmp_path, recipe=quick(0, 0, 3), data=[Clips(sources=2)]), watch=seen.append)
    assert all(numbers["sources"] == 0 for numbers in seen)
    assert all(numbers["likelihood"] > 0 for numbers in seen)


def test_windows_of_more_sources_than_slots_do_not_teach_them(tmp_path):
    seen = []
    two_slots = replace(quick(0, 0, 2), network=replace(recipes.tiny().network, sources=2))
    train(job(tmp_path, recipe=two_slots, data=[Clips(sources=3)]), watch=seen.append)
    assert all(numbers["sources"] == numbers["likelihood"] == 0 for numbers in seen)


def test_what_comes_out_is_a_checkpoint_that_says_where_it_is_from(tmp_path):
    train(job(tmp_path, settings={"data_sets": ["twin"]}))
    network = checkpoint.load(tmp_path / "model.safetensors")
    assert replace(network.config, arrays=()) == recipes.tiny().network
    notes = checkpoint.notes(tmp_path / "model.safetensors")
    assert notes == {"recipe": "tiny", "seed": 0, "stage": "localization", "steps": 8, "data_sets": ["twin"]}


def test_an_array_that_all_clips_share_is_remembered(tmp_path):
    clips = Clips()
    train(job(tmp_path, recipe=quick(0, 0, 1), data=[clips]))
    (array,) = checkpoint.load(tmp_path / "model.safetensors").config.arrays
    assert np.allclose(array, clips[0].microphones.positions, atol=0.1)


def test_a_network_that_goes_on_elsewhere_keeps_its_arrays(tmp_path):
    first = train(job(tmp_path / "one", recipe=quick(0, 0, 1)))
    (own,) = first.config.arrays
    know_arrays(first, [np.zeros((4, 3)) + np.arange(4)[:, None]])
    assert own in first.config.arrays
    assert len(first.config.arrays) == 2


def test_coordinates_are_normalised_to_the_sources(tmp_path):
    network = train(job(tmp_path, recipe=quick(0, 0, 1)))
    places = np.array([clip.truth.sources[0] - [3.0, 2.5, 1.5] for clip in map(Clips().__getitem__, range(32))])
    assert network.origin_m.numpy() == pytest.approx(places.mean(axis=0), abs=1e-5)


def test_the_learning_rate_warms_up_and_falls():
    stage = replace(recipes.tiny().localization, steps=100, warm_up=10)
    assert rate(stage, 0) == pytest.approx(0.1)
    assert rate(stage, 50) == pytest.approx(0.5)
    assert rate(stage, 99) < 0.001
    paper = replace(stage, schedule="paper")
    assert rate(paper, 99) == pytest.approx(0.95**29)


@pytest.mark.parametrize("stage", STAGES)
def test_in_bfloat16_the_loss_is_nearly_the_same(stage):
    """As on a GPU: layers in bfloat16, delays, correlations, coherence and log p as precise as ever."""
    recipe = quick()
    torch.manual_seed(0)
    network = Network(recipe.network)
    learning(network, stage)
    batch = Batches([Clips()], getattr(recipe, stage), seed=0, sources=1)[0]
    exact = loss_terms(network, batch, recipe, stage)
    with torch.autocast("cpu", torch.bfloat16):
        rough = loss_terms(network, batch, recipe, stage)
    assert exact.keys() == rough.keys()
    for name, term in exact.items():
        assert float(rough[name].detach()) == pytest.approx(float(term.detach()), rel=0.05, abs=0.01), name
    sum(rough.values()).backward()
    assert all(bool(w.grad.isfinite().all()) for w in network.parameters() if w.grad is not None)
