"""The rivals as localizers and as trainees: their coordinates in the room's own frame, their checkpoints, their training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.clips import Clips
from helpers.rivals import CONFIGS, SIZES, given, rival, sure_of
from soundfix.errors import CheckpointError
from soundfix.methods.catalog import load
from soundfix.methods.rivals import Rival, in_slots
from soundfix.networks import checkpoint
from soundfix.networks.registry import RIVALS
from soundfix.testing import ROOM, SOURCE, contract_scene
from soundfix.training.batches import Batches
from soundfix.training.loop import Job, train
from soundfix.training.recipes import RECIPES, Recipe, Stage
from soundfix.training.validation import Validation

NO_STAGE = Stage(steps=0)


def stage(name, **changes):
    own = RECIPES[name]().localization
    small = {"batch": 8, "warm_up": 5, "windows_s": (0.128,), "microphones": (4, 6), "points": 8}
    return replace(own, **(small | changes))


def recipe(name, *, steps, **changes):
    correlation = stage(name, steps=4) if name == "wav2pos" else NO_STAGE
    config = CONFIGS[SIZES[name]]
    return Recipe(
        name=name,
        network=config,
        correlation=correlation,
        autoencoder=NO_STAGE,
        localization=stage(name, steps=steps, **changes),
    )


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("corner", [(0.0, 0.0, 0.0), (-3.0, 7.0, 1.0)])
def test_places_are_in_the_coordinates_of_the_scene(name, corner):
    """The contract's scene, moved: the network hears the same, and its answer moves along."""
    scene = contract_scene(6)
    moved = replace(
        scene,
        microphones=replace(scene.microphones, positions=scene.microphones.positions + corner),
        room=tuple(tuple((np.array(end) + corner).tolist()) for end in ROOM),
    )
    localizer = Rival(network=sure_of(SIZES[name], SOURCE - np.array(ROOM).mean(axis=0)), name=name)
    estimate = localizer.locate(moved)
    assert estimate.method == name
    assert estimate.sources[0].position_m == pytest.approx(SOURCE + corner, abs=0.05)


def test_wav2pos_puts_an_unknown_microphone_somewhere_and_the_others_stay():
    scene = contract_scene(7)
    positions = scene.microphones.positions.copy()
    positions[2] = np.nan
    hidden = replace(scene, microphones=replace(scene.microphones, positions=positions))
    estimate = Rival(network=sure_of("wav2pos", SOURCE - np.array(ROOM).mean(axis=0)), name="wav2pos").locate(hidden)
    places = [report.position_m for report in estimate.microphones]
    assert all(place is not None and np.isfinite(place).all() for place in places)
    assert places[0] == pytest.approx(positions[0])


def test_each_microphone_takes_the_nearest_channel(rng):
    """Three of five slots, in another order and 10 cm off; the channels without a microphone are not heard."""
    windows = given(1, 3, 512)
    slots_m = torch.from_numpy(rng.uniform(-2, 2, (5, 3))).float()
    order = [4, 0, 2]
    windows = replace(windows, positions_m=(slots_m[order] + 0.05)[None])
    moved = in_slots(windows, slots_m)
    assert moved.is_heard[0].tolist() == [True, False, True, False, True]
    assert torch.equal(moved.audio[0, order], windows.audio[0])
    assert torch.equal(moved.positions_m[0, order], windows.positions_m[0])


def test_unknown_positions_take_the_channels_that_are_left():
    windows = given(1, 3, 512)
    slots_m = torch.cat([windows.positions_m[0], torch.tensor([[9.0, 9.0, 9.0]])])
    windows = replace(windows, is_known=torch.tensor([[True, False, True]]))
    moved = in_slots(windows, slots_m)
    assert torch.equal(moved.audio[0, [0, 2]], windows.audio[0, [0, 2]])
    assert moved.is_heard.sum() == 3
    assert moved.is_known.sum() == 2


@pytest.mark.parametrize("name", RIVALS)
def test_checkpoints_keep_kind_and_answers(name, tmp_path):
    network = rival(SIZES[name])
    checkpoint.save(network, tmp_path / "a.safetensors", kind=name)
    scene = contract_scene(6)
    one = Rival(network=network, name=name).locate(scene)
    again = load(name, checkpoint=tmp_path / "a.safetensors").locate(scene)
    assert np.array_equal(one.sources[0].position_m, again.sources[0].position_m)
    with pytest.raises(CheckpointError, match=f"is a network of kind '{name}', wanted three-stream"):
        checkpoint.load(tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=f"{name} needs trained weights"):
        load(name)


def test_channels_keep_their_microphones():
    """With keeps_channels every batch has all six, some of them silent; without, only those that are heard."""
    kept = Batches([Clips(unknown=False)], stage("di-nn", steps=6), seed=0, sources=1)
    positions = kept[0].windows.positions_m
    assert positions.shape[1] == 6
    assert torch.equal(positions[0], positions[1])
    counts = {int(count) for step in range(6) for count in kept[step].windows.is_heard.sum(dim=1)}
    assert counts <= {4, 5, 6}
    assert len(counts) > 1
    packed = Batches([Clips(unknown=False)], stage("gnn", steps=6, microphones=(4, 4)), seed=0, sources=1)
    assert packed[0].windows.is_heard.shape[1] == 4


def job(name, out, **changes):
    trained = recipe(name, microphones=(6, 6), **changes)
    return Job(recipe=trained, data=[Clips(8, unknown=False)], out=out, workers=0, note_every=4, save_every=4)


@pytest.mark.parametrize("name", RIVALS)
def test_training_teaches(name, tmp_path):
    """The loss falls, and validation measures it."""
    seen = []
    validate = Validation([Clips(4, unknown=False)], stage(name, steps=1), windows=3)
    learns = job(name, tmp_path, steps=48, learning_rate=5e-3)
    network = train(replace(learns, validate=validate, validate_every=48), seen.append)
    losses = [
        sum(n[key] for key in ("sources", "likelihood") if key in n) for n in seen if n["stage"] == "localization"
    ]
    assert min(losses[-3:]) < 0.95 * losses[0]
    assert "mae_m" in seen[-1]
    assert float(dict(network.named_buffers())["error_m"]) != 3.0


class Stop(Exception):
    """Stands for any interruption."""


@pytest.mark.parametrize("name", RIVALS)
def test_training_goes_on_bit_for_bit(name, tmp_path):
    def stop(numbers):
        if numbers["step"] >= 8:
            raise Stop

    whole = train(job(name, tmp_path / "whole", steps=10, batch=2))
    half = job(name, tmp_path / "half", steps=10, batch=2)
    with pytest.raises(Stop):
        train(half, stop)
    again = train(replace(half, resume=True)).state_dict()
    assert all(torch.equal(each, again[part]) for part, each in whole.state_dict().items())
