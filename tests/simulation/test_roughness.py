"""Roughness: kinds come with their share, at their levels, and leave no trace where they have no range."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix.errors import ConfigError
from soundfix.simulation import roughness
from soundfix.simulation.rooms import RoomConfig
from soundfix.simulation.roughness import APART, MOST_FANS, ROUGH, SMOOTH, Roughness
from soundfix.simulation.talkers import Talker, direct_responses, responses_of

ROOM = RoomConfig(size_m=(5.0, 6.0, 3.0), rt60_s=0.3, image_order=3)
MICROPHONES = np.array([[1.0, 1.0, 1.0], [4.0, 5.0, 2.0], [2.0, 3.5, 1.1], [4.5, 0.5, 1.0]])
LEVELS = ("rumble_db", "hum_db", "interference_db", "fan_db")


@pytest.fixture
def clean(rng):
    return (0.1 * rng.standard_normal((4, 8000))).astype(np.float32)


def background(rough, clean, seed=0, play=None):
    return roughness.background(
        rough, clean, MICROPHONES, 343.0, play or (lambda dry: np.tile(dry, (4, 1))), np.random.default_rng(seed)
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": 1.1}, "roughness.share=1.1, wanted 0 to 1"),
        ({"hum_db": (0.0, -10.0)}, r"roughness.hum_db=\(0.0, -10.0\), wanted -60 to 60, the lower first"),
        ({"rumble_db": (0.0, 99.0)}, "roughness.rumble_db"),
        ({"shadow_db": (-1.0, 5.0)}, "roughness.shadow_db"),
        ({"scatterers": (0, 100)}, "roughness.scatterers"),
        ({"array_scale": 0.5}, "roughness.array_scale=0.5, wanted 0 to 0.1"),
        ({"response_db": float("nan")}, "roughness.response_db=nan"),
        ({"recorders": ("mp3", "wax")}, "roughness.recorders holds 'wax'; there are agc, mp3"),
    ],
)
def test_roughness_that_cannot_be(changes, message):
    with pytest.raises(ConfigError, match=message):
        Roughness(**changes)


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize("level_db", [-20.0, 5.0])
def test_a_background_is_as_loud_as_told_over_the_sound(name, level_db, clean):
    rough = Roughness(share=1.0, **{name: (level_db, level_db)})
    seeds = range(6)
    found_db = [
        10 * np.log10(np.mean(np.square(background(rough, clean, seed))) / np.mean(np.square(clean))) for seed in seeds
    ]
    if name == "fan_db":  # up to three
        assert min(found_db) == pytest.approx(level_db, abs=0.3)
        assert max(found_db) < level_db + 10 * np.log10(MOST_FANS) + 0.5
        assert max(found_db) > level_db + 2
    else:
        assert found_db == pytest.approx([level_db] * 6, abs=0.05)


def test_a_level_is_drawn_from_its_range(clean):
    rough = Roughness(share=1.0, hum_db=(-20.0, 10.0))
    found_db = [10 * np.log10(np.mean(np.square(background(rough, clean, s))) / clean.var()) for s in range(30)]
    assert -20.1 < min(found_db) < -12
    assert 2 < max(found_db) < 10.1


def test_each_kind_has_its_share_whatever_the_others(clean):
    """Of the background alone: some seeds have none, some one, some several of the kinds."""
    rough = replace(ROUGH, share=0.5)
    silent = [not background(rough, clean, seed).any() for seed in range(80)]
    assert 1 <= sum(silent) <= 14
    assert not any(background(replace(ROUGH, share=0.0), clean, seed).any() for seed in range(5))


def test_a_fan_is_played_through_the_room_and_cut_where_it_has_begun(clean):
    heard = []

    def play(dry):
        heard.append(len(dry))
        return np.tile(np.arange(len(dry), dtype=float), (4, 1))

    total = background(Roughness(share=1.0, fan_db=(0.0, 0.0)), clean, play=play)
    assert set(heard) == {8000 + 8000}  # half a second more
    assert total[0, 0] > 0.4 * total[0, -1]


def test_what_has_no_range_is_not_there(clean, rng):
    """Nor does it draw: the generator is where it was."""
    rough = Roughness(share=1.0)
    before = rng.bit_generator.state
    talker = Talker(sound=clean[0], places=np.array([[2.0, 2.0, 1.0]]), times_s=np.zeros(1))
    responses = [np.ones((1, 4, 10))]
    direct = np.ones((1, 4, 5))
    assert not roughness.background(rough, clean, MICROPHONES, 343.0, lambda dry: dry[None], rng).any()
    assert roughness.obstructed(rough, talker, responses, direct, ROOM, MICROPHONES, rng)[0] is responses[0]
    assert roughness.radiated_by_loudspeaker(rough, clean[0], rng) is not None
    assert np.array_equal(roughness.radiated_by_loudspeaker(rough, clean[0], rng), clean[0])
    assert np.array_equal(roughness.recorded(rough, clean, rng), clean)
    assert np.array_equal(roughness.kept(rough, clean, rng), clean)
    assert np.array_equal(roughness.scaled_list(rough, MICROPHONES, rng), MICROPHONES)
    assert rng.bit_generator.state == before


def standing(facing=None):
    return Talker(
        sound=np.ones(100), places=np.array([[2.5, 2.0, 1.2]]), times_s=np.zeros(1),
        facing=None if facing is None else np.array(facing),
    )  # fmt: skip


def changed(rough, talker, seed=0):
    """The responses with and without."""
    rng = np.random.default_rng(1)
    plain = responses_of(talker, ROOM, MICROPHONES, sample_rate=16_000.0, rng=rng)
    direct = direct_responses(talker, ROOM, MICROPHONES, sample_rate=16_000.0)
    return roughness.obstructed(rough, talker, plain, direct, ROOM, MICROPHONES, np.random.default_rng(seed)), plain


@pytest.mark.parametrize("facing", [None, (1.0, 0.0, 0.0)])
def test_a_shadow_falls_on_the_direct_sound_alone(facing):
    """What is left when the direct sound is taken away is as before; of it no microphone hears more than it did."""
    talker, rough = standing(facing), Roughness(share=1.0, shadow_db=(15.0, 15.0))
    (whole,), (plain,) = changed(rough, talker)
    direct = direct_responses(talker, ROOM, MICROPHONES, sample_rate=16_000.0)
    taps = direct.shape[-1]
    shadow = whole - plain
    assert shadow.shape == plain.shape
    assert not shadow[..., taps:].any()
    dark = direct + shadow[..., :taps]
    assert (np.square(dark).sum(axis=-1) <= np.square(direct).sum(axis=-1) * 1.001).all()
    assert np.square(shadow).sum() > 0.05 * np.square(direct).sum()


def test_scatterers_are_added_to_the_sound_that_goes_everywhere():
    talker, rough = standing((1.0, 0.0, 0.0)), Roughness(share=1.0, scatterers=(3, 3))
    (whole,), (plain,) = changed(rough, talker)
    more = whole - np.pad(plain, ((0, 0), (0, 0), (0, whole.shape[-1] - plain.shape[-1])))
    assert len(whole) == 2
    assert np.abs(more[0]).max() > 0.005
    assert not more[1].any()


def test_scatterers_are_as_many_as_told(monkeypatch):
    counts = []
    monkeypatch.setattr(
        roughness.obstacles, "scattered", lambda *_, count, **__: counts.append(count) or np.zeros((4, 1))
    )
    for seed in range(60):
        changed(Roughness(share=1.0, scatterers=(2, 4)), standing(), seed)
    assert set(counts) == {2, 3, 4}


def test_who_walks_has_nothing_in_the_way():
    walker = Talker(sound=np.ones(8000), places=np.array([[2.0, 2, 1], [2.5, 2, 1]]), times_s=np.array([0, 0.5]))
    found, plain = changed(replace(ROUGH, share=1.0), walker)
    assert found is plain or all(np.array_equal(a, b) for a, b in zip(found, plain, strict=True))


def test_responses_of_microphones_are_half_as_uneven_as_the_loudspeakers(monkeypatch, clean, rng):
    told = []
    monkeypatch.setattr(
        roughness.recorders, "coloured", lambda audio, peaks_db, **_: told.append((audio.shape, peaks_db)) or audio
    )
    rough = Roughness(share=1.0, response_db=8.0)
    assert roughness.radiated_by_loudspeaker(rough, clean[0], rng).shape == (8000,)
    roughness.recorded(rough, clean, rng)
    assert told == [((1, 8000), 8.0), ((4, 8000), 4.0)]


def test_a_scene_has_one_of_the_recorders_named(clean):
    rough = Roughness(share=1.0, recorders=("clipped", "8-bit"))
    kinds = set()
    for seed in range(20):
        kept = roughness.kept(rough, clean, np.random.default_rng(seed))
        is_clipped = (np.abs(kept) < np.abs(clean).max(axis=1, keepdims=True) * 0.85).all()
        kinds.add("clipped" if is_clipped else "8-bit")
    assert kinds == {"clipped", "8-bit"}


def test_a_list_is_too_large_or_too_small_about_its_middle():
    """Unknown positions stay unknown, and do not move the middle."""
    listed = np.vstack([MICROPHONES, [np.nan] * 3])
    factors = []
    for seed in range(40):
        scaled = roughness.scaled_list(Roughness(share=1.0, array_scale=0.02), listed, np.random.default_rng(seed))
        assert np.isnan(scaled[4]).all()
        middle = MICROPHONES.mean(axis=0)
        assert scaled[:4].mean(axis=0) == pytest.approx(middle)
        ratio = (scaled[:4] - middle) / (MICROPHONES - middle)
        assert ratio == pytest.approx(np.full_like(ratio, ratio[0, 0]))
        factors.append(ratio[0, 0])
    assert 0.98 <= min(factors) < 0.985
    assert 1.015 < max(factors) <= 1.02


def test_kinds_apart_are_one_each_in_every_scene_and_together_all_of_roughness():
    fields = {}
    for name, alone in APART.items():
        there = {key: value for key, value in vars(alone).items() if value and key != "share"}
        assert alone.share == 1.0, name
        assert len(there) == 1, name
        fields |= there if name not in roughness.recorders.RECORDERS else {}
        if name in roughness.recorders.RECORDERS:
            assert there == {"recorders": (name,)}
    assert fields | {"share": ROUGH.share, "recorders": ROUGH.recorders} == vars(ROUGH)
    assert Roughness() == SMOOTH
