"""Test sets by name: parts in turn, the same clips for the same seed, sounds of the test part only."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import soundfile

from helpers.clips import Clips
from helpers.locata import write_recording
from soundfix.datasets.benchmark import (
    BENCHMARKS,
    CALM_ROOMS,
    ROUGH_APART,
    SIMULATED,
    SNRS_DB,
    Benchmark,
    Part,
    Wanted,
    named_benchmark,
    rough_worlds,
)
from soundfix.errors import DatasetError
from soundfix.simulation.roughness import APART, SMOOTH
from soundfix.simulation.soundbank import BuiltInSounds, part_of
from soundfix.simulation.synthesis import SYNTHESIZED
from soundfix.simulation.worlds import ROUGH_ROOMS, draw_world

SMALL = Wanted(clips=20, clip_s=0.25, seed=4)


@pytest.mark.parametrize("name", SIMULATED)
def test_parts_come_in_turn_and_clips_by_seed(name):
    one, same, other = (named_benchmark(name, Wanted(clips=20, clip_s=0.25, seed=seed)) for seed in (4, 4, 5))
    assert len(one) == 20
    assert np.array_equal(one[3].audio, same[3].audio)
    assert not np.array_equal(one[3].audio, other[3].audio)
    labels = [one.part(clip).labels for clip in range(len(one.parts))]
    assert len({tuple(each.items()) for each in labels}) == len(labels)
    assert one.part(len(one.parts)).labels == labels[0]
    with pytest.raises(IndexError):
        one[20]


def test_a_test_set_shares_no_room_with_what_is_trained_on():
    """Sets to train and validate on have small seeds; no part of a test set has one of these."""
    seeds = [part.data.seed for k in range(3) for part in named_benchmark("luvira-twin", Wanted(seed=k)).parts]
    assert len(set(seeds)) == len(seeds)
    assert min(seeds) >= 10**6


def test_clips_of_a_short_part_come_again_and_say_so():
    """Ten clips of two parts with three clips each."""
    parts = tuple(Part(labels={"room": name}, data=Clips(3)) for name in "ab")
    benchmark = Benchmark(name="short", parts=parts, clips=10)
    assert [benchmark.moment(clip) for clip in range(0, 10, 2)] == [0, 0, 1, 1, 2]
    assert np.array_equal(benchmark[0].audio, benchmark[2].audio)


def test_the_twin_at_three_levels_of_noise():
    twin = named_benchmark("luvira-twin", SMALL)
    for clip in range(3):
        scene, labels = twin[clip], twin.part(clip).labels
        assert labels["noise"] == f"{scene.truth.snr_db:g} dB"
        assert scene.truth.snr_db == SNRS_DB[clip]
        assert len(scene.microphones) == 11


def test_hard_and_random_rooms_are_as_said():
    """Conditions add faults and unknown positions, the worlds have none; arrays have as many microphones as asked."""
    hard = named_benchmark("luvira-hard", SMALL)[0]
    assert (hard.microphones.sigma_m == 0.02).all()
    assert hard.truth.gains_db is not None
    rooms = named_benchmark("random-rooms", Wanted(clips=4, clip_s=0.25, sources=2, microphones=6))
    for clip in range(4):
        scene = rooms[clip]
        assert (len(scene.microphones), len(scene.truth.sources)) == (6, 2)
        assert scene.microphones.is_known.all()
        assert scene.truth.faults == ()


def test_rough_rooms_tell_every_kind_of_sound_and_of_roughness_apart():
    parts = named_benchmark("rough-rooms", Wanted(clips=2, clip_s=0.25, microphones=6)).parts
    by_sound = {part.labels["sound"]: part for part in parts if part.labels["roughness"] == "all"}
    by_kind = {part.labels["roughness"]: part.data.world for part in parts if part.labels["sound"] == "any"}
    assert set(by_sound) == {*SYNTHESIZED, *BuiltInSounds.kinds}
    assert set(by_kind) == set(ROUGH_APART)
    assert len(parts) == len(by_sound) + len(by_kind)
    for kind, part in by_sound.items():
        assert part.data.world.sound_shares == {kind: 1.0}
        assert part.data.world.share_synthesized == (kind in SYNTHESIZED)
        assert part.data.world.roughness == ROUGH_ROOMS.roughness
    for kind in APART:
        assert by_kind[kind].roughness == APART[kind]
        assert by_kind[kind].gain_db == by_kind[kind].speed_spread == 0
    assert by_kind["none"].roughness == SMOOTH


def test_each_kind_of_roughness_is_alone():
    """Beside the calm rooms one thing has changed; every setting that was calmed is told apart somewhere."""
    changed = {
        name: {key for key, value in vars(world).items() if value != getattr(CALM_ROOMS, key)}
        for name, world in ROUGH_APART.items()
    }
    assert changed.pop("none") == set()
    assert changed.pop("positions") == {"position_sigma_m", "share_undeclared"}
    assert all(len(settings) == 1 for settings in changed.values())
    calmed = {key for key, value in vars(ROUGH_ROOMS).items() if value != getattr(CALM_ROOMS, key)}
    assert calmed == {"position_sigma_m", "share_undeclared"}.union(*changed.values())


def _noted(asked, kind, duration_s, **options):
    asked.append(kind)
    return SYNTHESIZED[kind](duration_s, **options)


@pytest.mark.parametrize("kind", ["birds", "bursts"])
def test_a_clip_of_rough_rooms_holds_the_sound_that_its_part_says(kind, monkeypatch):
    """The kind is drawn from what makes it, and from nothing else."""
    world = {labels["sound"]: world for labels, world in rough_worlds(BuiltInSounds())}[kind]
    asked = []
    made = {kind: partial(_noted, asked, kind) for kind in SYNTHESIZED}
    monkeypatch.setattr("soundfix.simulation.worlds.SYNTHESIZED", made)

    class Asked(BuiltInSounds):
        def draw(self, duration_s, rng, shares=None):
            asked.extend(shares)
            return super().draw(duration_s, rng, shares)

    draw_world(replace(world, duration_s=0.25, image_order=1), Asked(), np.random.default_rng(0))
    assert asked == [kind]


def test_only_the_test_part_is_heard(tmp_path, rng):
    """Of forty speakers, those that the hash puts into the test part; a part a kind that is there."""
    for k in range(40):
        (tmp_path / f"s{k}").mkdir()
        soundfile.write(tmp_path / f"s{k}" / "a.wav", 0.1 * rng.standard_normal(16_000), 16_000)
    twin = named_benchmark("luvira-twin", Wanted(clips=4, clip_s=0.25, audio=[tmp_path]))
    heard = {recording.speaker for recording in twin.parts[0].data.sounds.recordings}
    assert heard == {f"s{k}/a.wav" for k in range(40) if part_of(f"s{k}/a.wav") == "test"}
    assert [part.labels["sound"] for part in twin.parts] == ["sound"] * 3


@pytest.fixture
def rooms(tmp_path):
    """A room with two sources, and a file of something else beside it."""
    responses = np.zeros((2, 4, 200))
    responses[..., 10] = 1.0
    positions = np.array([[0.0, 0, 1], [4, 0, 1.5], [4, 3, 1], [0, 3, 2]])
    np.savez(tmp_path / "a.npz", rir=responses, mic_positions=positions, source_position=positions[:2] + 1, fs=16000.0)
    np.savez(tmp_path / "tails.npz", tails=np.zeros(4))
    return tmp_path


def test_measured_rooms_are_told_apart(rooms):
    data = named_benchmark("measured", Wanted(clips=6, clip_s=0.25, root=rooms))
    assert [part.labels["room"] for part in data.parts] == ["a"] * 3
    assert data[0].truth.snr_db == 30.0
    assert data[5].audio.shape == (4, 4000)
    with pytest.raises(DatasetError, match="no room with responses to 3 sources"):
        named_benchmark("measured", Wanted(root=rooms, sources=3))


@pytest.mark.parametrize(
    ("name", "root", "message"),
    [
        ("twin", None, f"no test set is called 'twin'; there are {', '.join(BENCHMARKS)}"),
        ("luvira", None, "luvira is read from a folder: give --root"),
        ("luvira-twin", ".", "luvira-twin is simulated: it needs no --root"),
    ],
)
def test_what_cannot_be(name, root, message, tmp_path):
    with pytest.raises(DatasetError, match=message):
        named_benchmark(name, Wanted(root=root and tmp_path))


def test_a_folder_without_rooms(tmp_path):
    np.savez(tmp_path / "tails.npz", tails=np.zeros(4))
    with pytest.raises(DatasetError, match=r"holds no room: wanted \.sofa files, or \.npz files with rir"):
        named_benchmark("measured", Wanted(root=tmp_path))


def test_a_folder_of_locata_is_a_test_set(tmp_path):
    positions = np.array([[0.0, 0, 1], [4, 0, 2], [4, 3, 1], [0, 3, 2]])
    write_recording(tmp_path / "r", np.full((35_200, 4), 0.1), 16_000, positions, {"talker1": (2.0, 1.0, 1.5)})
    found = named_benchmark(str(tmp_path), Wanted(clips=5))
    assert len(found) == 1
    assert found.parts[0].labels == {"set": "locata"}
    np.testing.assert_allclose(found[0].truth.sources, [[2.0, 1.0, 1.5]])
    with pytest.raises(DatasetError, match="is a folder of recordings"):
        named_benchmark(str(tmp_path), Wanted(sources=2))
