"""Does a stream keep up, and does its memory stay flat? Eleven microphones of the twin's studio at 16 kHz.

    python bench/streaming.py [--hours 1] [--seconds 60] [--methods srp-phat three-stream] [--hop 0.1]

On one thread, and time is the CPU time of that: so what else the machine does counts for nothing. Printed, of every method,
on --seconds of a simulated talker in blocks of 20 ms, with tracks: the real-time factor where every window is answered, and
what of that the stream and its tracks add to the session's hearing; p50 and p99 from the end of a window to its answer where
blocks come at their time (waiting is leapt over) and the newest window is answered, and how many windows are skipped. Then
memory over --hours of sound, a tenth of it the talker, the rest noise, by srp-phat at a hop of a second, with blocks that
are lost, doubled and exchanged.
"""

import argparse
import gc
import resource
import time
from dataclasses import replace

import numpy as np
import torch

import soundfix
from soundfix.scene import Scene
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import LUVIRA_TWIN, draw_world
from soundfix.streaming.stream import Stream

COLUMNS = ("method", "real-time factor", "of that the stream", "p50", "p99", "windows skipped")
RATE = 16_000
BLOCK = 320  # 20 ms
WARM_S = 5.0  # not counted
TALKER = replace(LUVIRA_TWIN, duration_s=20.0, sound_shares={"voice": 1.0}, share_moving=1.0, roams=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--methods", nargs="*", default=["srp-phat", "three-stream"])
    parser.add_argument("--hop", type=float, default=0.1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    scene = draw_world(TALKER, BuiltInSounds(), np.random.default_rng(1))
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for name in options.methods:
        audio = repeated(scene, options.seconds)
        factor, added = real_time_factor(scene, audio, name, options.hop)
        latencies_s, skipped = latencies(scene, audio, name, options.hop)
        p50, p99 = 1e3 * np.percentile(latencies_s, [50, 99])
        print(
            f"| {name} | {factor:.2f} | {added:.3f} | {p50:.0f} ms | {p99:.0f} ms | {100 * skipped:.0f} % |",
            flush=True,
        )
    memory(scene, options.hours)


def repeated(scene: Scene, seconds: float) -> np.ndarray:
    return np.tile(scene.audio, (1, int(np.ceil(seconds / scene.duration_s))))[:, : int(seconds * RATE)]


def stream_of(scene: Scene, method: str, hop_s: float, **options: object) -> Stream:
    return soundfix.Stream(scene.microphones, method=method, hop_s=hop_s, tracks=True, **options)  # type: ignore[arg-type]


def real_time_factor(scene: Scene, audio: np.ndarray, method: str, hop_s: float) -> tuple[float, float]:
    """Seconds a second of sound, after WARM_S: to answer every window; of that, what is not the session's."""
    stream = stream_of(scene, method, hop_s)
    hearing_s, hear = 0.0, stream._session.hear

    def timed(*window):  # type: ignore[no-untyped-def]
        nonlocal hearing_s
        began_s = time.process_time()
        estimate = hear(*window)
        hearing_s += time.process_time() - began_s
        return estimate

    stream._session.hear = timed  # type: ignore[method-assign]
    warm = int(WARM_S * RATE)
    push(stream, audio[:, :warm])
    hearing_s, began_s = 0.0, time.process_time()
    push(stream, audio[:, warm:])
    took_s, sound_s = time.process_time() - began_s, (audio.shape[1] - warm) / RATE
    return took_s / sound_s, (took_s - hearing_s) / sound_s


def push(stream: Stream, audio: np.ndarray) -> None:
    for start in range(0, audio.shape[1], BLOCK):
        stream.push(audio[:, start : start + BLOCK])


class Now:
    """Time that goes on while something is done, and leaps over waiting."""

    def __init__(self) -> None:
        self.leapt_s = 0.0

    def __call__(self) -> float:
        return time.process_time() + self.leapt_s

    def wait_until(self, time_s: float) -> None:
        self.leapt_s += max(0.0, time_s - self())


def latencies(scene: Scene, audio: np.ndarray, method: str, hop_s: float) -> tuple[list[float], float]:
    """From the end of each window that is answered to its answer, and the share that is skipped; after WARM_S."""
    now = Now()
    stream = stream_of(scene, method, hop_s, clock=now)
    began_s, came, found, skipped = now(), 0, [], 0
    while came < audio.shape[1]:
        now.wait_until(began_s + (came + BLOCK) / RATE)
        while came < audio.shape[1] and (came + BLOCK) / RATE <= now() - began_s:
            ended_s = began_s + (came + BLOCK) / RATE
            stream.put(audio[:, came : came + BLOCK], heard_at=ended_s)
            came += BLOCK
        answer = stream.newest()
        if answer is not None and answer.estimate.start_s > WARM_S:
            found.append(answer.latency_s)
            skipped += answer.skipped
    return found, skipped / (len(found) + skipped)


def memory(scene: Scene, hours: float) -> None:
    """Every tenth of the way: the process's memory, and the events and microphones at the end."""
    stream = stream_of(scene, "srp-phat", 1.0)
    rng, noise = np.random.default_rng(0), scene.audio.std() * 1e-2
    minutes, began_s = round(hours * 60), time.process_time()
    for minute in range(minutes):
        for second in range(60):
            first = (60 * minute + second) * RATE
            sound = noise * rng.standard_normal((len(scene.microphones), RATE)).astype(np.float32)
            if second % 10 == 0:
                part = second * RATE % (scene.audio.shape[1] - RATE)
                sound = sound + scene.audio[:, part : part + RATE]
            send(stream, sound, first, rng)
        if (minute + 1) % max(1, minutes // 10) == 0:
            gc.collect()
            took_s, sizes = time.process_time() - began_s, f"{resident():.0f} MiB now, {peak():.0f} at most"
            print(f"{minute + 1:5d} min of sound in {took_s:6.0f} s: {sizes}", flush=True)
    reports = stream.conclusion().microphones
    print(
        f"{len(stream.conclusion().events)} events; {sum(each.status == 'ok' for each in reports)} of {len(reports)} ok"
    )


def send(stream: Stream, sound: np.ndarray, first: int, rng: np.random.Generator) -> None:
    """A second, microphone by microphone in blocks of 100 ms: some lost, some twice, some exchanged."""
    blocks = [
        (m, start)
        for start in range(0, RATE, RATE // 10)
        for m in range(len(sound))
        for _ in range(1 + (rng.random() < 0.1))
    ]
    for k in np.flatnonzero(rng.random(len(blocks) - 1) < 0.1):
        blocks[k], blocks[k + 1] = blocks[k + 1], blocks[k]
    for m, start in blocks:
        if rng.random() > 0.01:
            block = sound[m, start : start + RATE // 10]
            stream.push(block, stream.microphones.names[m], first_sample=first + start)


def resident() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
