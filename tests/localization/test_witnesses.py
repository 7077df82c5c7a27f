"""Recorders that nobody listed: asked where they agree, and never led away by what sings elsewhere."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix.methods.catalog import load
from soundfix.microphones import Microphones
from soundfix.scene import Others, Scene
from soundfix.simulation.outdoors import RATE_HZ, Wood, draw_recorders, heard
from soundfix.simulation.synthesis import birds

WOOD = Wood(rows=3, columns=4, spacing_m=40.0, gps_m=0.3)
LISTED = np.isin(np.arange(12), [0, 1, 2, 4, 5, 6])  # two of the three rows, but for their ends
SINGER, OTHER = np.array([95.0, -35.0, 6.0]), np.array([130.0, 110.0, 5.0])
LASTS_S = 3.0


def scene(seed, *, other=0.0, asks=True, off_m=0.0, hear=1.0, gps_m=WOOD.gps_m, singer=SINGER):
    """A song beside the grid, heard by six that are listed, and so well by the others; another bird sings there at once."""
    rng = np.random.default_rng(seed)
    places = draw_recorders(WOOD, rng)
    songs = [birds(0.7, sample_rate=RATE_HZ, rng=rng) for _ in range(2)]
    count = round(LASTS_S * RATE_HZ)
    audio = 1e-3 * rng.standard_normal((len(places), count))
    for loud, song, place in zip((np.where(LISTED, 1.0, hear), other), songs, (singer, OTHER), strict=True):
        sung = np.stack([heard(song, place, each, 0.0, WOOD, 1.0, count, rng) for each in places])
        audio += np.reshape(loud, (-1, 1)) * sung
    listed = places + gps_m * rng.standard_normal(places.shape)
    listed[~LISTED] += [off_m, off_m, 0.0]
    microphones = Microphones(positions=listed, sigma_m=np.full(len(places), gps_m))
    sound = audio.astype(np.float32)
    others = Others(audio=sound[~LISTED], start_s=0.0, microphones=microphones.where(~LISTED))
    return Scene(
        audio=sound[LISTED, 4000:-4000], sample_rate=RATE_HZ, microphones=microphones.where(LISTED), start_s=0.25,
        temperature_c=15.0, band_hz=(1500.0, 7500.0), others=others if asks else None,
    )  # fmt: skip


def located(told):
    return load("srp-phat").locate(told)


def off_m(estimate):
    return float(np.linalg.norm((estimate.sources[0].position_m - SINGER)[:2]))


def agree(estimate):
    return any(finding.code == "others_agree" for finding in estimate.findings)


def test_with_those_that_agree_places_are_exacter_and_regions_smaller():
    alone, together = ([located(scene(seed, asks=asks)) for seed in range(4)] for asks in (False, True))
    assert all(map(agree, together))
    assert np.mean([*map(off_m, together)]) < 0.8 * np.mean([*map(off_m, alone)])
    assert all(
        one.sources[0].radius90_m < other.sources[0].radius90_m for one, other in zip(together, alone, strict=True)
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_whoever_hears_another_bird_and_not_this_one_is_not_believed(seed):
    told = scene(seed, other=1.0, hear=0.0)
    alone, together = located(replace(told, others=None)), located(told)
    assert off_m(alone) < 5.0
    assert not agree(together)
    assert together.sources[0].position_m == pytest.approx(alone.sources[0].position_m)


def test_whoever_hears_another_bird_louder_still_hears_this_one():
    one, two = (located(scene(1, other=other)) for other in (0.0, 2.0))
    assert agree(two)
    assert off_m(two) < off_m(one) + 0.3


def test_whoever_stands_elsewhere_is_not_believed():
    told = scene(0, off_m=25.0)
    estimate, alone = located(told), located(replace(told, others=None))
    assert not agree(estimate)
    assert estimate.sources[0].position_m == pytest.approx(alone.sources[0].position_m)


def test_silence_agrees_with_nobody():
    told = scene(0)
    silent = replace(told.others, audio=np.full_like(told.others.audio, np.nan))
    assert not agree(located(replace(told, others=silent)))


def test_when_the_others_sound_begins_makes_no_difference():
    told = scene(1)
    later = replace(told.others, audio=told.others.audio[:, 1600:], start_s=0.1)
    places = [located(replace(told, others=each)).sources[0].position_m for each in (told.others, later)]
    assert places[0] == pytest.approx(places[1], abs=1e-2)


def test_clocks_that_are_known_to_be_late_are_taken_out():
    told = scene(1)
    late = replace(told.others.microphones, offset_s=np.full(6, 0.05))
    shifted = replace(told.others, start_s=0.05, microphones=late)
    places = [located(replace(told, others=each)).sources[0].position_m for each in (told.others, shifted)]
    assert places[0] == pytest.approx(places[1], abs=1e-2)
    wrong = replace(told.others, start_s=0.05)
    assert not agree(located(replace(told, others=wrong)))


@pytest.mark.parametrize(("hear", "does"), [(0.1, True), (0.03, False)])
def test_whoever_hears_it_faintly_is_believed_while_it_stands_out_of_chance(hear, does):
    """A tenth as loud, a few recorders still have one clear peak; at a thirtieth noise has as high ones."""
    assert agree(located(scene(0, hear=hear))) == does


def test_all_are_believed_who_are_off_by_no_more_than_lists_usually_are():
    """By a decimetre, where 6 cm were declared; the sound is in their middle, and its place known to as much."""
    estimate = located(scene(1, off_m=0.06, gps_m=0.065, singer=np.array([45.0, 30.0, 6.0])))
    (who,) = (finding.sentence for finding in estimate.findings if finding.code == "others_agree")
    assert who.split(":")[0] == "mic4, mic8, mic9, mic10, mic11, mic12"
