"""Who is who: one who walks, two who cross, and a conversation of three, simulated and located in LuViRA's studio.

    python bench/tracks.py --audio FOLDER [--part test] [--methods srp-phat three-stream] [--hops 0.25 0.5] [--runs 3]

T60 0.4 s, SNR 20 dB, 11 microphones, windows of 0.5 s. walk: 60 s, at 1 m/s from place to place. cross: 8 s, two who talk at
once and pass each other half a metre apart, at 1 m/s each. conversation: 3 minutes; two sit, one walks at 0.7 m/s, and they
alternate with pauses of 0.2 to 1 s, or 1 to 10 s.

A source within NEAR_M of who talks, and nobody nearer, is theirs; their track is the one that most of their windows have,
nobody's twice. Printed: windows of a talker that are answered; the share of these that have the right track; turns of which
95 % have; how often the track changes in a run; runs without a change; tracks in a run; the error of the tracks' places
(root of mean square), and of the windows' own. For recordings, and live.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

import soundfix
from soundfix.estimate import Estimate
from soundfix.microphones import Microphones
from soundfix.resample import SAMPLE_RATE
from soundfix.session.session import Session
from soundfix.simulation import placement
from soundfix.simulation.rooms import RoomConfig, radiated
from soundfix.simulation.soundbank import Sounds, open_sounds
from soundfix.simulation.studio import LUVIRA_ORIGIN_M, LUVIRA_POSITIONS_M, LUVIRA_SIZE_M
from soundfix.simulation.talkers import Talker, heard, responses_of
from soundfix.tracking.tracker import Tracker, tracked

WINDOW_S, RT60_S, SNR_DB = 0.5, 0.4, 20.0
NEAR_M, RIGHT_SHARE = 0.7, 0.95
PLACES_M = np.array(LUVIRA_POSITIONS_M) + np.array(LUVIRA_ORIGIN_M)
SEATS_M = np.array([[2.6, 4.2, 1.2], [4.6, 4.0, 1.25]])
PARTS = {"train": 0, "valid": 1, "test": 2}
Turn = tuple[float, float, int]


class Play(NamedTuple):
    """Who is where and talks when: a talker each, and turns (from, to, who)."""

    talkers: list[Talker]
    turns: list[Turn]


class Score(NamedTuple):
    """Of one run."""

    answered: float
    right: float
    turns_right: list[bool]
    changes: int
    tracks: int
    errors_m: list[float]
    own_errors_m: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--part", default="test", choices=tuple(PARTS))
    parser.add_argument("--methods", nargs="+", default=["srp-phat", "three-stream"])
    parser.add_argument("--hops", nargs="+", type=float, default=[0.25, 0.5])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--plays", nargs="+", default=list(PLAYS), choices=list(PLAYS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    sounds = open_sounds([options.audio], part=options.part)
    print("| | way | answered | right track | turns right | changes | without | tracks | RMSE, cm | windows' own, cm |")
    print("|---" * 10 + "|")
    for name in options.plays:
        drawn = [performed(name, sounds, [PARTS[options.part], run]) for run in range(options.runs)]
        for method in options.methods:
            for hop_s in options.hops:
                found = [(play, list(located(audio, method, hop_s))) for play, audio in drawn]
                for way in ("recording", "live"):
                    scores = [score(play, *followed(estimates, way)) for play, estimates in found]
                    print(f"| {name}, {method}, hop {hop_s} s | {way} | {row(scores)} |", flush=True)


def performed(name: str, sounds: Sounds, seed: list[int]) -> tuple[Play, np.ndarray]:
    """The play, and what the microphones hear of it."""
    rng = np.random.default_rng([*seed, list(PLAYS).index(name)])
    play, room = PLAYS[name](sounds, rng), RoomConfig(size_m=LUVIRA_SIZE_M, rt60_s=RT60_S)
    audio = np.zeros((len(PLACES_M), len(play.talkers[0].sound)))
    for talker in play.talkers:
        responses = responses_of(talker, room, PLACES_M, sample_rate=SAMPLE_RATE, rng=rng)
        audio += heard(talker, responses, room, PLACES_M, sample_rate=SAMPLE_RATE)
    noise = np.sqrt(np.mean(audio**2)) * 10 ** (-SNR_DB / 20) * rng.standard_normal(audio.shape)
    return play, (0.5 * (audio + noise) / np.abs(audio).max()).astype(np.float32)


def walk(sounds: Sounds, rng: np.random.Generator) -> Play:
    talker = speaking(sounds, walking(60.0, 1.0, np.zeros((0, 3)), rng), [(0.0, 60.0)], 60.0, rng)
    return Play([talker], [(0.0, 60.0, 0)])


def cross(sounds: Sounds, rng: np.random.Generator) -> Play:
    """Both pass the middle after 4 s, half a metre apart."""
    middle, angle = np.array([3.6, 4.0, 1.5]), rng.uniform(0, 2 * np.pi)
    talkers = []
    for turn, side in ((0.0, -0.25), (rng.uniform(np.pi / 3, np.pi), 0.25)):
        ahead = np.array([np.cos(angle + turn), np.sin(angle + turn), 0.0])
        beside = side * np.array([-np.sin(angle), np.cos(angle), 0.0])
        ends = np.stack([middle + beside - 3.0 * ahead, middle + beside + 3.0 * ahead])
        talkers.append(speaking(sounds, placement.Walk(np.array([1.0, 7.0]), ends), [(0.0, 8.0)], 8.0, rng))
    return Play(talkers, [(0.0, 8.0, 0), (0.0, 8.0, 1)])


def conversation(sounds: Sounds, rng: np.random.Generator) -> Play:
    turns, time_s, last = list[Turn](), 0.0, -1
    while time_s < 175.0:
        last = int(rng.choice([who for who in range(3) if who != last]))
        end_s = min(time_s + rng.uniform(1.5, 8.0), 180.0)
        turns.append((time_s, end_s, last))
        time_s = end_s + (rng.uniform(0.2, 1.0) if rng.random() < 0.7 else rng.uniform(1.0, 10.0))
    ways = [placement.Walk(np.zeros(1), seat[None]) for seat in SEATS_M] + [walking(180.0, 0.7, SEATS_M, rng)]
    spans = [[(start, end) for start, end, whose in turns if whose == who] for who in range(3)]
    return Play([speaking(sounds, way, span, 180.0, rng) for way, span in zip(ways, spans, strict=True)], turns)


PLAYS: dict[str, Callable[[Sounds, np.random.Generator], Play]] = {
    "walk": walk, "cross": cross, "conversation": conversation
}  # fmt: skip


def walking(duration_s: float, speed_m_s: float, seats: np.ndarray, rng: np.random.Generator) -> placement.Walk:
    height_m = rng.uniform(1.4, 1.7)
    return placement.random_walk(
        np.array(LUVIRA_SIZE_M), (PLACES_M, seats), heights_m=(height_m, height_m), speed_m_s=(speed_m_s, speed_m_s),
        duration_s=duration_s, rng=rng, roams=True,
    )  # fmt: skip


def speaking(
    sounds: Sounds,
    way: placement.Walk,
    spans: Sequence[tuple[float, float]],
    duration_s: float,
    rng: np.random.Generator,
) -> Talker:
    """One voice, which is silent outside these spans."""
    sound = radiated(sounds.draw(duration_s, rng, {"speech": 1.0}), SAMPLE_RATE)
    time_s = np.arange(len(sound)) / SAMPLE_RATE
    talks = np.any([(time_s >= start) & (time_s < end) for start, end in spans], axis=0)
    return Talker(sound=sound * talks, places=way.places, times_s=way.times_s)


def located(audio: np.ndarray, method: str, hop_s: float) -> Iterator[Estimate]:
    microphones = Microphones(names=tuple(f"mic{k + 1}" for k in range(len(PLACES_M))), positions=PLACES_M)
    session = Session(localizer=soundfix.load(method), microphones=microphones)
    length = round(WINDOW_S * SAMPLE_RATE)
    for start in range(0, audio.shape[1] - length + 1, round(hop_s * SAMPLE_RATE)):
        yield session.hear(start / SAMPLE_RATE, audio[:, start : start + length], SAMPLE_RATE)


def followed(estimates: list[Estimate], way: str) -> tuple[list[Estimate], list[Estimate]]:
    """With their tracks and the tracks' places, and as they were."""
    if way == "recording":
        return list(tracked(estimates, smooth=True)), estimates
    tracker = Tracker(smooth=True)
    return [tracker.add(estimate) for estimate in estimates], estimates


def score(play: Play, estimates: list[Estimate], own: list[Estimate]) -> Score:
    said: list[list[int | None]] = [[] for _ in play.turns]
    errors, own_errors, windows = list[float](), list[float](), 0
    for estimate, window in zip(estimates, own, strict=True):
        time_s = (window.start_s + window.end_s) / 2
        talks = [number for number, (start_s, end_s, _) in enumerate(play.turns) if start_s <= time_s < end_s]
        places = [play.talkers[play.turns[number][2]].at(np.array([time_s]))[0] for number in talks]
        windows += len(talks)
        for which, number in whose(window, places, [each.track for each in estimate.sources]):
            source, place = estimate.sources[number], places[which]
            said[talks[which]].append(source.track)
            own_errors.append(float(np.linalg.norm(window.sources[number].position_m - place)))
            if source.track is not None:
                errors.append(float(np.linalg.norm(source.position_m - place)))
    return counted(play, said, windows, errors, own_errors)


def whose(window: Estimate, places: list[np.ndarray], tracks: list[int | None]) -> Iterator[tuple[int, int]]:
    """(talker, source): every source is of the talker nearest to it; of several of one, the nearest with a track."""
    gaps_m = [[float(np.linalg.norm(source.position_m - place)) for place in places] for source in window.sources]
    for which in range(len(places)):
        near = [k for k, each in enumerate(gaps_m) if each[which] == min(each) <= NEAR_M]
        if near:
            yield which, min(near, key=lambda k: (tracks[k] is None, gaps_m[k][which]))


def counted(play: Play, said: list[list[int | None]], windows: int, errors: list[float], own: list[float]) -> Score:
    tracks = sorted({track for turn in said for track in turn if track is not None})
    of_all = [[t for turn, (*_, whose) in zip(said, play.turns, strict=True) if whose == who for t in turn]
              for who in range(len(play.talkers))]  # fmt: skip
    table = np.array([[turn.count(track) for track in tracks] for turn in of_all]).reshape(len(of_all), len(tracks))
    theirs = {who: tracks[k] for who, k in zip(*linear_sum_assignment(-table), strict=True)}
    right = [[track == theirs.get(who) for track in turn] for turn, (*_, who) in zip(said, play.turns, strict=True)]
    told = [[track for track in each if track is not None] for each in of_all]
    answered = sum(map(len, said))
    return Score(
        answered / windows,
        sum(map(sum, right)) / max(answered, 1),
        [float(np.mean(turn)) >= RIGHT_SHARE for turn in right if turn],
        sum(a != b for each in told for a, b in pairwise(each)),
        len(tracks),
        errors,
        own,
    )


def row(scores: list[Score]) -> str:
    def rmse(errors: list[float]) -> str:
        return f"{100 * np.sqrt(np.mean(np.square(errors))):.1f}"

    turns = [turn for each in scores for turn in each.turns_right]
    cells = [
        f"{100 * np.mean([each.answered for each in scores]):.0f} %",
        f"{100 * np.mean([each.right for each in scores]):.1f} %",
        f"{sum(turns)} of {len(turns)}",
        f"{np.mean([each.changes for each in scores]):.1f}",
        f"{sum(each.changes == 0 for each in scores)} of {len(scores)}",
        f"{np.mean([each.tracks for each in scores]):.1f}",
        rmse([error for each in scores for error in each.errors_m]),
        rmse([error for each in scores for error in each.own_errors_m]),
    ]
    return " | ".join(cells)


if __name__ == "__main__":
    main()
