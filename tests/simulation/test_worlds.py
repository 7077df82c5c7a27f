"""Worlds: what is drawn stays in its ranges, is heard in the sound, and is told by the truth."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from soundfix.errors import ConfigError
from soundfix.methods.catalog import load
from soundfix.physics import NOMINAL_SPEED_M_S
from soundfix.simulation import roughness
from soundfix.simulation.faults import KINDS
from soundfix.simulation.placement import MICROPHONE_GAP_M, WALL_GAP_M
from soundfix.simulation.roughness import Roughness
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.studio import LUVIRA_ORIGIN_M, LUVIRA_POSITIONS_M
from soundfix.simulation.worlds import (
    LUVIRA_HARD,
    LUVIRA_LIKE,
    LUVIRA_TWIN,
    RANDOM_ROOMS,
    ROUGH_ROOMS,
    WORLDS,
    World,
    draw_world,
    world_named,
)

STUDIO_M = np.array(LUVIRA_POSITIONS_M) + np.array(LUVIRA_ORIGIN_M)
QUICK = {"duration_s": 0.25, "image_order": 2}


class Noise:
    """Sounds of one kind, in no time; remembers what it was asked for."""

    kinds = ("noise",)

    def __init__(self):
        self.asked = []

    def draw(self, duration_s, rng, shares=None):
        self.asked.append((duration_s, shares))
        return rng.standard_normal(round(duration_s * 16_000)).astype(np.float32)

    def describe(self):
        return {"noise": True}


def scene_of(world, seed=0, **changes):
    return draw_world(replace(world, **(QUICK | changes)), Noise(), np.random.default_rng(seed))


def scenes_of(world, count, **changes):
    return [scene_of(world, seed, **changes) for seed in range(count)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rt60_s": (0.6, 0.2)}, r"rt60_s=\(0.6, 0.2\), wanted 0 to 3, the lower first"),
        ({"snr_db": (0.0, 1e9)}, "wanted -30 to 100"),
        ({"share_diffuse": 1.5}, "share_diffuse=1.5, wanted 0 to 1"),
        ({"sources": (0, 1)}, "wanted 1 to 5"),
        ({"sources": (2, 9)}, r"sources=\(2, 9\), wanted 1 to 5"),
        ({"duration_s": 0.1}, "wanted 0.25 to 60"),
        ({"origin_m": (1.0, 0.0, 0.0)}, "origin_m without size_m: how large is their room"),
        ({"size_m": (5.0, 4.0, 3.0), "positions_m": ((1.0, 1.0, 1.0),) * 3}, "3 microphones, wanted 4 or more"),
        ({"names": ("a", "b")}, "2 names for 0 positions_m"),
        ({"gain_db": float("nan")}, "gain_db=nan"),
        ({"fault_kinds": ("dead", "rusty")}, "fault_kinds holds 'rusty'; there are dead"),
        ({"sound_shares": {"speech": 0.0}}, "wanted weights above 0"),
        ({"largest_m": (2.0, 8.0, 3.0)}, r"largest_m=\(2.0, 8.0, 3.0\), wanted \(3.0, 3.0, 2.2\) m or more"),
        ({"source_reach_m": -1.0}, "source_reach_m=-1.0, wanted 0 to 100"),
        ({"share_small": 2.0}, "share_small=2.0, wanted 0 to 1"),
        ({"share_synthesized": -0.5}, "share_synthesized=-0.5, wanted 0 to 1"),
        ({"share_undeclared": 1.2}, "share_undeclared=1.2, wanted 0 to 1"),
    ],
)
def test_worlds_that_cannot_be(changes, message):
    with pytest.raises(ConfigError, match=message):
        World(**changes)


def test_worlds_have_names():
    assert world_named("luvira-hard") is LUVIRA_HARD
    with pytest.raises(
        ConfigError, match="no world is called 'cave'; there are clean-rooms, random-rooms, rough-rooms, luvira-twin"
    ):
        world_named("cave")


def test_who_sounds_in_the_twin_of_the_recordings_goes_about_between_the_microphones():
    low, high = (
        np.array(positions) for positions in (np.min(LUVIRA_LIKE.positions_m, 0), np.max(LUVIRA_LIKE.positions_m, 0))
    )
    for scene in scenes_of(LUVIRA_LIKE, 6):
        places = scene.truth.track.places[:, 0]
        assert ((places[:, :2] >= low[:2]) & (places[:, :2] <= high[:2])).all()
        assert 0.3 <= places[:, 2].min() <= places[:, 2].max() <= 1.6
        steps = np.linalg.norm(np.diff(places, axis=0), axis=1) / np.diff(scene.truth.track.times_s)
        assert 0.05 < np.median(steps) < 0.9
        assert 15 <= scene.truth.snr_db <= 30


@pytest.mark.parametrize("seed", range(6))
def test_a_scene_begins_in_the_middle_of_the_sound(seed):
    """The lead-in: the first 100 ms are as loud as the rest."""
    power = np.square(scene_of(LUVIRA_TWIN, seed).audio).mean(axis=0)
    assert power[:1600].mean() > 0.5 * power.mean()


@pytest.mark.parametrize("name", WORLDS)
def test_a_scene_is_its_seed(name):
    one, same, other = (scene_of(WORLDS[name], seed) for seed in (1, 1, 2))
    assert np.array_equal(one.audio, same.audio, equal_nan=True)
    assert np.array_equal(one.truth.sources, same.truth.sources)
    assert not np.array_equal(one.truth.sources, other.truth.sources)


def test_the_twin_is_the_studio_with_nothing_wrong():
    scenes = scenes_of(LUVIRA_TWIN, 60)
    places = np.concatenate([scene.truth.sources for scene in scenes])
    assert all(np.array_equal(scene.microphones.positions, STUDIO_M) for scene in scenes)
    assert all(scene.room == ((0.0, 0.0, 0.0), (7.2, 8.0, 2.8)) for scene in scenes)
    assert all(scene.audio.shape == (11, 4000) and scene.audio.dtype == np.float32 for scene in scenes)
    assert len(places) == 60
    assert (places >= [0.5, 0.5, 0.5]).all()
    assert (places <= [6.7, 7.5, 2.0]).all()
    assert (np.ptp(places, axis=0) > [5, 6, 1.2]).all()
    truths = [scene.truth for scene in scenes]
    assert all(5 <= truth.snr_db <= 30 for truth in truths)
    assert np.ptp([truth.snr_db for truth in truths]) > 20
    assert {(t.track, t.positions, t.speed_of_sound_m_s, t.gains_db, t.faults) for t in truths} == {(None,) * 4 + ((),)}


def test_reverberation_is_measured_and_about_what_was_asked():
    """At full image order: T60 from 0.2 to 0.8 s, continuous."""
    rt60_s = [scene_of(LUVIRA_TWIN, seed, image_order=17).truth.rt60_s for seed in range(12)]
    assert 0.15 < min(rt60_s) < max(rt60_s) < 1.0
    assert np.ptp(rt60_s) > 0.3
    assert len(set(rt60_s)) == 12
    asked = [scene_of(LUVIRA_TWIN, 3, rt60_s=(time, time), image_order=17).truth.rt60_s for time in (0.3, 0.7)]
    assert asked == pytest.approx([0.3, 0.7], rel=0.25)


def test_a_time_that_no_walls_give_is_an_anechoic_room():
    assert scene_of(LUVIRA_TWIN, rt60_s=(0.05, 0.05)).truth.rt60_s < 0.01


@pytest.mark.parametrize("seed", range(3))
def test_the_noise_is_as_loud_as_the_truth_says(seed):
    """Against the same scene without noise, whatever the peak: what is not in the clean sound is the noise."""
    for share_diffuse in (0.0, 1.0):
        noisy, clean = (
            scene_of(LUVIRA_TWIN, seed, snr_db=(snr_db, snr_db), share_diffuse=share_diffuse).audio.ravel()
            for snr_db in (10.0, 100.0)
        )
        noise = noisy - clean * (noisy @ clean) / (clean @ clean)
        signal = noisy - noise
        assert 10 * np.log10((signal @ signal) / (noise @ noise)) == pytest.approx(10, abs=0.3)


def test_diffuse_noise_is_coherent_where_white_noise_is_not():
    """In a scene that is almost only noise, below 60 Hz, at two microphones 1.07 m apart: a sinc of 0.98."""
    low = {}
    for share_diffuse in (0.0, 1.0):
        spectra = [
            np.fft.rfft(scene_of(LUVIRA_TWIN, seed, snr_db=(-30.0, -30.0), share_diffuse=share_diffuse).audio)[
                [0, 6], 5:15
            ]
            for seed in range(20)
        ]
        first, second = np.stack(spectra, axis=1).reshape(2, -1)
        low[share_diffuse] = np.abs(np.vdot(first, second)) / np.linalg.norm(first) / np.linalg.norm(second)
    gap_m = np.linalg.norm(STUDIO_M[0] - STUDIO_M[6])
    assert low[0.0] < 0.25
    assert low[1.0] == pytest.approx(np.mean(np.sinc(2 * np.arange(20, 60, 4) * gap_m / 343)), abs=0.1)


def test_the_peak_varies_within_its_range():
    peaks = [np.abs(scene.audio).max() for scene in scenes_of(LUVIRA_TWIN, 40)]
    assert min(peaks) >= 0.1 - 1e-6
    assert max(peaks) <= 0.9 + 1e-6
    assert np.ptp(np.log(peaks)) > 1.5


def test_the_list_of_positions_is_off_and_the_truth_knows():
    scenes = scenes_of(LUVIRA_HARD, 30)
    errors = np.stack([scene.microphones.positions - scene.truth.positions for scene in scenes])
    assert all(np.array_equal(scene.truth.positions, STUDIO_M) for scene in scenes)
    assert all((scene.microphones.sigma_m == 0.02).all() for scene in scenes)
    assert errors.std() == pytest.approx(0.02, rel=0.1)
    assert np.abs(errors.mean()) < 0.003


def test_sigma_is_drawn_for_a_scene():
    sigmas = [scene.microphones.sigma_m for scene in scenes_of(RANDOM_ROOMS, 30)]
    assert all(len(set(sigma)) == 1 for sigma in sigmas)
    assert 0 < min(sigma[0] for sigma in sigmas) < 0.01
    assert 0.04 < max(sigma[0] for sigma in sigmas) < 0.05


def test_gains_are_in_the_sound_and_in_the_truth():
    """The same scene without them: the ratio of every channel is its gain, and one factor for the peak."""
    for seed in range(5):
        with_gains, without = (scene_of(LUVIRA_TWIN, seed, gain_db=gain_db) for gain_db in (6.0, 0.0))
        ratios_db = 20 * np.log10(np.abs(with_gains.audio).max(axis=1) / np.abs(without.audio).max(axis=1))
        assert np.abs(with_gains.truth.gains_db).max() <= 6
        assert np.ptp(with_gains.truth.gains_db) > 3
        assert ratios_db - ratios_db[0] == pytest.approx(
            with_gains.truth.gains_db - with_gains.truth.gains_db[0], abs=1e-3
        )


def test_the_true_speed_of_sound_is_in_the_truth_and_not_claimed():
    scenes = scenes_of(LUVIRA_HARD, 40)
    speeds = np.array([scene.truth.speed_of_sound_m_s for scene in scenes])
    assert {scene.speed for scene in scenes} == {NOMINAL_SPEED_M_S}
    assert (np.abs(speeds / NOMINAL_SPEED_M_S - 1) <= 0.01).all()
    assert np.ptp(speeds) > 4


def test_sound_travels_at_the_true_speed():
    """Without noise and walls, the farthest and the nearest microphone hear the source by their ways over the true speed."""
    scene = scene_of(LUVIRA_TWIN, 5, speed_spread=0.1, rt60_s=(0.0, 0.0), snr_db=(100.0, 100.0))
    ways = np.linalg.norm(scene.truth.positions - scene.truth.sources if scene.truth.positions is not None
                          else scene.microphones.positions - scene.truth.sources, axis=1)  # fmt: skip
    far, near = scene.audio[ways.argmax()], scene.audio[ways.argmin()]
    later = np.correlate(far, near, "full").argmax() - (len(near) - 1)
    assert later == pytest.approx(np.ptp(ways) / scene.truth.speed_of_sound_m_s * 16_000, abs=0.6)
    assert abs(scene.truth.speed_of_sound_m_s - NOMINAL_SPEED_M_S) > 3


def test_random_rooms_vary_in_everything():
    scenes = scenes_of(RANDOM_ROOMS, 60)
    assert len({scene.room for scene in scenes}) == 60
    assert {len(scene.microphones) for scene in scenes} >= {4, 16}
    assert {len(scene.truth.sources) for scene in scenes} == {1, 2, 3}
    assert {(~scene.microphones.is_known).sum() for scene in scenes} == {0, 1, 2}
    assert 0 < sum(scene.truth.track is not None for scene in scenes) < 40
    assert 5 < sum(len(scene.truth.faults) > 0 for scene in scenes) < 35


def test_nothing_stands_inside_anything():
    for scene in scenes_of(RANDOM_ROOMS, 40):
        low, high = np.array(scene.room)
        places = scene.truth.sources if scene.truth.track is None else scene.truth.track.places.reshape(-1, 3)
        positions = true_positions(scene)
        assert (places - low >= WALL_GAP_M - 1e-9).all()
        assert (high - places >= WALL_GAP_M - 1e-9).all()
        assert np.linalg.norm(places[:, None] - positions, axis=-1).min() >= MICROPHONE_GAP_M
        assert ((positions > low) & (positions < high)).all()


def true_positions(scene):
    return scene.microphones.positions if scene.truth.positions is None else scene.truth.positions


def test_unknown_positions_are_blank_in_the_list_and_known_to_the_truth():
    """At least four stay known."""
    for scene in scenes_of(RANDOM_ROOMS, 20, unknown_positions=(14, 14), microphones=(6, 8)):
        assert scene.microphones.is_known.sum() == 4
        assert np.isfinite(scene.truth.positions).all()
        assert scene.truth.positions.shape == scene.microphones.positions.shape


def test_a_moving_source_is_where_its_track_is_in_the_middle():
    for scene in scenes_of(LUVIRA_TWIN, 10, share_moving=1.0, moving_m_s=(1.0, 1.5)):
        track = scene.truth.track
        assert track.times_s[0] < 0 < scene.duration_s <= track.times_s[-1] + 1e-9
        assert track.places.shape == (len(track.times_s), 1, 3)
        assert scene.truth.sources == pytest.approx(track.at(scene.duration_s / 2))
        assert 0.9 < np.linalg.norm(track.at(0.2) - track.at(0.1)) / 0.1 < 1.51


def test_one_walks_while_another_stands():
    scenes = scenes_of(LUVIRA_TWIN, 20, share_moving=0.5, sources=(2, 2))
    moved = [np.ptp(scene.truth.track.places, axis=0).max(axis=1) > 0 for scene in scenes if scene.truth.track]
    assert any(row.tolist() == [True, False] for row in moved)
    assert any(row.tolist() == [False, True] for row in moved)


@pytest.mark.parametrize("kind", KINDS)
def test_faults_are_of_the_kinds_asked_for_each_of_another_microphone(kind):
    for scene in scenes_of(LUVIRA_TWIN, 8, share_faulty=1.0, fault_kinds=(kind,)):
        names = [fault.split(":")[1] for fault in scene.truth.faults]
        assert {fault.split(":")[0] for fault in scene.truth.faults} == {kind}
        assert len(set(names)) == len(names)
        assert 1 <= len(names) <= 3


def test_a_moved_microphone_still_stands_where_the_truth_says():
    scene = scene_of(LUVIRA_TWIN, share_faulty=1.0, fault_kinds=("moved",), faults=(1, 1))
    off = np.linalg.norm(scene.microphones.positions - scene.truth.positions, axis=1)
    assert np.array_equal(scene.truth.positions, STUDIO_M)
    assert sorted(off)[-2:] == pytest.approx([0.0, 1.0])


def test_three_microphones_stay_sound():
    scenes = scenes_of(RANDOM_ROOMS, 10, microphones=(4, 4), share_faulty=1.0, faults=(8, 8), fault_kinds=("dead",))
    assert all(np.any(scene.audio, axis=1).sum() == 3 for scene in scenes)


def test_facing_changes_what_is_heard():
    """The same places and noises, and other sound: some microphones are behind."""
    level_db = [
        10 * np.log10(np.mean(np.square(scene_of(LUVIRA_TWIN, 2, share_directional=share).audio), axis=1))
        for share in (0.0, 1.0)
    ]
    change = level_db[1] - level_db[0]
    assert np.ptp(change) > 1


def test_sounds_are_asked_for_with_a_lead_in_and_the_shares():
    sounds = Noise()
    draw_world(replace(LUVIRA_TWIN, **QUICK, sound_shares={"speech": 2.0}), sounds, np.random.default_rng(0))
    assert sounds.asked == [(0.55, {"speech": 2.0})]


def test_rooms_are_as_large_as_the_world_says():
    sizes = np.array([scene.room[1] for scene in scenes_of(World(), 25, largest_m=(30.0, 3.5, 2.5))])
    assert 20 < sizes[:, 0].max() < 30
    assert sizes[:, 1].max() <= 3.5
    assert sizes[:, 2].max() <= 2.5


def test_small_arrays_have_their_share_and_sources_stay_near():
    def spans(**changes):
        scenes = scenes_of(World(), 20, largest_m=(16.0, 16.0, 4.0), microphones=(12, 12), **changes)
        beyond = [s.truth.sources[0, :2] - s.microphones.positions[:, :2].max(axis=0) for s in scenes]
        return np.array([np.ptp(s.microphones.positions, axis=0)[0] / s.room[1][0] for s in scenes]), np.array(beyond)

    small, beyond = spans(share_small=1.0, source_reach_m=0.5)
    assert np.median(small) < 0.5
    assert beyond.max() <= 0.5
    assert spans(share_small=1.0)[1].max() > 1
    assert np.median(spans()[0]) > 0.8


def test_sounds_by_formula_have_their_share():
    """The others are asked for as ever, without the kinds that are made by formula."""
    sounds = Noise()
    world = replace(World(), **QUICK, share_synthesized=0.5, sound_shares={"noise": 1.0, "birds": 3.0})
    for seed in range(30):
        draw_world(world, sounds, np.random.default_rng(seed))
    assert 8 <= len(sounds.asked) <= 22
    assert all(shares == {"noise": 1.0} for _, shares in sounds.asked)
    draw_world(replace(world, share_synthesized=1.0), silent := Noise(), np.random.default_rng(0))
    assert silent.asked == []


def test_a_formula_that_has_no_share_is_no_kind_of_sound():
    """Asked for by its weight alone it is refused, and not left out in silence."""
    world = replace(World(), **QUICK, sound_shares={"birds": 1.0})
    with pytest.raises(ConfigError, match="no sound of kind 'birds' here"):
        draw_world(world, BuiltInSounds(), np.random.default_rng(0))


def test_a_formula_is_drawn_by_its_weight(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "soundfix.simulation.worlds.SYNTHESIZED",
        {
            kind: lambda duration_s, *, sample_rate, rng, kind=kind: (
                drawn.append((kind, duration_s)) or rng.standard_normal(round(duration_s * sample_rate))
            )
            for kind in ("birds", "steps")
        },
    )
    scenes_of(World(), 10, share_synthesized=1.0, sound_shares={"birds": 1.0})
    assert set(drawn) == {("birds", 0.55)}
    scenes_of(World(), 20, share_synthesized=1.0)
    assert {kind for kind, _ in drawn} == {"birds", "steps"}


def test_a_list_that_says_nothing_of_its_errors_has_them_all_the_same():
    """A share of the scenes say sigma 0, and are off as much as the others."""
    scenes = scenes_of(LUVIRA_HARD, 40, share_undeclared=0.5)
    errors = np.array([np.std(scene.microphones.positions - scene.truth.positions) for scene in scenes])
    says = np.array([scene.microphones.sigma_m[0] for scene in scenes])
    assert set(says) == {0.0, 0.02}
    assert 10 <= (says == 0).sum() <= 30
    assert errors[says == 0].mean() == pytest.approx(errors[says > 0].mean(), rel=0.2)


@pytest.mark.parametrize("world", [LUVIRA_HARD, RANDOM_ROOMS])
@pytest.mark.parametrize("seed", range(4))
def test_roughness_without_a_kind_leaves_the_scene_as_it_is(world, seed):
    """To the last bit, in every scene that would have some."""
    plain, rough = scene_of(world, seed), scene_of(world, seed, roughness=Roughness(share=1.0))
    assert np.array_equal(plain.audio, rough.audio, equal_nan=True)
    assert np.array_equal(plain.microphones.positions, rough.microphones.positions, equal_nan=True)
    assert np.array_equal(plain.truth.sources, rough.truth.sources)


CALM = {"snr_db": (100.0, 100.0), "peak": (0.5, 0.5)}


def level_db(of, over):
    """After the level of over was fitted to it: of what of is, what over is not."""
    of, over = of.ravel().astype(float), over.ravel().astype(float)
    rest = of - over * (of @ over) / (over @ over)
    return 10 * np.log10((rest @ rest) / ((of - rest) @ (of - rest)))


@pytest.mark.parametrize("seed", range(3))
def test_a_background_is_at_its_level_over_the_sound(seed):
    """The same scene with and without hum: nothing is drawn after it that its draws could change."""
    clean, hums = (
        scene_of(LUVIRA_TWIN, seed, roughness=rough, **CALM).audio
        for rough in (Roughness(), Roughness(share=1.0, hum_db=(-8.0, -8.0)))
    )
    assert level_db(hums, clean) == pytest.approx(-8, abs=0.6)


@pytest.mark.parametrize("kind", [kind for kind in roughness.APART if kind != "array scale"])
def test_every_kind_of_roughness_is_heard_and_obeys_the_seed(kind):
    rough = roughness.APART[kind]
    changed = [
        level_db(scene_of(LUVIRA_TWIN, s, roughness=rough, **CALM).audio, scene_of(LUVIRA_TWIN, s, **CALM).audio)
        for s in range(4)
    ]
    assert max(changed) > -45
    again = [scene_of(LUVIRA_TWIN, 0, roughness=rough, **CALM).audio for _ in range(2)]
    assert np.array_equal(*again)


def test_an_array_that_is_scaled_in_the_list_stands_where_the_truth_says():
    for seed in range(6):
        scene = scene_of(LUVIRA_TWIN, seed, roughness=roughness.APART["array scale"])
        listed, true = scene.microphones.positions, scene.truth.positions
        factor = np.linalg.norm(listed - listed.mean(axis=0)) / np.linalg.norm(true - true.mean(axis=0))
        assert true == pytest.approx(STUDIO_M)
        assert 0 < abs(factor - 1) <= 0.02
        assert listed == pytest.approx(true.mean(axis=0) + factor * (true - true.mean(axis=0)))


def test_rough_rooms_are_finite_and_as_rough_as_said():
    """Halls, small arrays, lists that say nothing of their errors, low sources: all of it occurs."""
    scenes = scenes_of(ROUGH_ROOMS, 40)
    assert all(np.isfinite(scene.audio).all() and scene.audio.any(axis=1).all() for scene in scenes)
    assert max(scene.room[1][0] for scene in scenes) > 14
    assert {bool(scene.microphones.sigma_m[0]) for scene in scenes} == {True, False}
    assert min(scene.truth.sources[0, 2] for scene in scenes) < 0.5
    assert np.ptp([scene.truth.speed_of_sound_m_s for scene in scenes]) > 8


def test_the_default_world_lasts_two_seconds():
    scene = draw_world(LUVIRA_TWIN, BuiltInSounds(), np.random.default_rng(0))
    assert scene.audio.shape == (11, 32_000)
    assert scene.sample_rate == 16_000


def test_srp_phat_finds_the_twin_s_sources():
    """Seven of eight to a few centimetres."""
    localizer = soundfix.load("srp-phat")
    errors = []
    for seed in range(8):
        scene = draw_world(replace(LUVIRA_TWIN, duration_s=1.0), BuiltInSounds(), np.random.default_rng([1, seed]))
        errors.append(np.linalg.norm(localizer.locate(scene).sources[0].position_m - scene.truth.sources[0]))
    assert np.median(errors) < 0.02
    assert sorted(errors)[6] < 0.05


def test_the_truth_says_where_fans_stand():
    """Whoever says that something sounds there is not wrong."""
    fans = Roughness(share=1.0, fan_db=(20.0, 20.0))
    scene = scene_of(LUVIRA_TWIN, 1, roughness=fans, duration_s=0.5, microphones=(11, 11), image_order=2)
    place = load("srp-phat").locate(scene).sources[0].position_m
    assert np.linalg.norm(scene.truth.beside - place, axis=1).min() < 0.1
    assert np.linalg.norm(scene.truth.sources - place, axis=1).min() > 1


def test_without_fans_nothing_sounds_beside():
    assert scene_of(LUVIRA_TWIN, 0, **QUICK).truth.beside.shape == (0, 3)
