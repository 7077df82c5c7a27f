"""The published NGCC-PHAT in our simulator, against GCC-PHAT: does it do here what its authors measured?

    python bench/ngcc_published.py --audio FOLDER --out docs/ngcc_published.md [--ngcc CHECKPOINT] [--utterances 300]

Their evaluation (main.py, data.py, cfg.py of github.com/axeber01/ngcc) again: a room of 6 x 4 x 2.5 m, two microphones
0.5 m apart, one speaker anywhere in the room, every image of it; speech of more than two seconds without its pauses;
white noise measured over the whole recording; the first 15 windows of 2048 samples. An answer is right within 10 cm of
path, 4.66 samples. Theirs are 216 utterances of three speakers of LibriSpeech test-clean, ours of a folder: speakers of
its other parts were not heard in training.

pyroomacoustics brings the sound at the first microphone to a root mean square of 1 when asked for an SNR, so the
network was trained at that level; simulate() brings the loudest sample to 0.5 instead, so here the responses are taken
from it and the rest is done by hand. --level 0.05 shows what another level costs.

The windows of one utterance share voice, place and room: standard errors count utterances, not windows.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from jaxtyping import Bool, Float

from soundfix.networks.encoders import ngcc
from soundfix.physics import distances
from soundfix.simulation.rooms import RoomConfig, impulse_responses
from soundfix.simulation.sounds import read_folder, reverberate

ROOM_M = (6.0, 4.0, 2.5)
MICROPHONES_M = np.array([[3.0, 1.75, 1.25], [3.0, 2.25, 1.25]])
SAMPLE_RATE, SPEED_M_S = 16_000.0, 343.0
SNRS_DB, RT60S_S = (0, 12, 30), (0.2, 0.4, 0.6)
WINDOW, WINDOWS = 2048, 15
SHORTEST_S = 2.0
FRAME, HOP, GATE_DB = 2048, 512, 20.0
MAX_LAG = int(0.5 * SAMPLE_RATE / SPEED_M_S)  # 23 samples between microphones 0.5 m apart
TOLERANCE_SAMPLES = 0.10 * SAMPLE_RATE / SPEED_M_S
AT_ONCE = 5  # windows through the network: twice as fast as 45, which do not fit the cache
METHODS = ("NGCC-PHAT", "GCC-PHAT")

# ACC and GCC ACC of experiments/ngccphat/eval.txt in github.com/axeber01/ngcc, by (SNR in dB, T60 in s)
PUBLISHED = {
    (0, 0.2): (0.722531, 0.658642),
    (0, 0.4): (0.520988, 0.466667),
    (0, 0.6): (0.437654, 0.383642),
    (12, 0.2): (0.888889, 0.835185),
    (12, 0.4): (0.670988, 0.587654),
    (12, 0.6): (0.562963, 0.484568),
    (30, 0.2): (0.931790, 0.829321),
    (30, 0.4): (0.722840, 0.601543),
    (30, 0.6): (0.603395, 0.489198),
}
CELLS = [(snr_db, rt60_s) for rt60_s in RT60S_S for snr_db in SNRS_DB]  # in the order they are simulated

Correct = Bool[np.ndarray, "utterance cell method window"]


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    network = ngcc.load(options.ngcc, max_lag=MAX_LAG)
    speech, correct = read_speech(options.audio), []
    started = time.monotonic()
    for k in range(options.utterances):
        correct.append(one_utterance(network, speech[k % len(speech)], options.level, seed=k))
        left_min = (time.monotonic() - started) / (k + 1) * (options.utterances - k - 1) / 60
        print(
            f"\r{k + 1} of {options.utterances} utterances, {left_min:.0f} min left ",
            end="",
            file=sys.stderr,
            flush=True,
        )
        if options.out and k > 0:  # always the table of what is done: an interrupted run loses nothing
            options.out.write_text(report(np.array(correct), options.level), encoding="utf-8")
    print("\n" + report(np.array(correct), options.level))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, required=True, help="folder of speech, one speaker a file")
    parser.add_argument("--ngcc", type=Path, default=Path("tests/data/ngcc_phat_librispeech.safetensors"))
    parser.add_argument("--utterances", type=int, default=300, help="files are used again at other places when too few")
    parser.add_argument(
        "--level", type=float, default=1.0, help="root mean square at the first microphone without noise"
    )
    parser.add_argument("--out", type=Path, help="Markdown file to write the table to")
    return parser.parse_args()


def one_utterance(
    network: ngcc.Ngcc, dry: np.ndarray, level: float, *, seed: int
) -> Bool[np.ndarray, "cell method window"]:
    """One place in the room for all reverberation times, one response for all noise levels."""
    source = np.random.default_rng(seed).uniform(0, ROOM_M)
    to_x, to_y = distances(source, MICROPHONES_M)
    delay = (to_x - to_y) * SAMPLE_RATE / SPEED_M_S
    audio = [windows(dry, source, rt60_s, seed=seed) for rt60_s in RT60S_S]
    return np.concatenate([np.abs(answers(network, level * each) - delay) < TOLERANCE_SAMPLES for each in audio])


def windows(
    dry: np.ndarray, source: np.ndarray, rt60_s: float, *, seed: int
) -> Float[np.ndarray, "snr mic window time"]:
    """Both microphones at every SNR, the sound at the first one brought to a root mean square of 1."""
    room, rng = RoomConfig(size_m=ROOM_M, rt60_s=rt60_s, image_order=None), np.random.default_rng(seed)
    responses = impulse_responses(room, source[None], MICROPHONES_M, sample_rate=SAMPLE_RATE, rng=rng)[:, 0]
    heard = reverberate(np.pad(dry, (0, responses.shape[1])), responses)
    noise = rng.standard_normal(heard.shape)
    audio = [heard / heard[0].std() + 10 ** (-snr_db / 20) * noise for snr_db in SNRS_DB]
    return np.array(audio)[:, :, : WINDOWS * WINDOW].reshape(len(SNRS_DB), 2, WINDOWS, WINDOW)


@torch.inference_mode()
def answers(network: ngcc.Ngcc, audio: np.ndarray) -> Float[np.ndarray, "snr method window"]:
    """The most likely lag (samples) by both methods."""
    x, y = (torch.from_numpy(audio[:, mic]).float().reshape(-1, 1, WINDOW) for mic in (0, 1))
    logits = torch.cat([network(*each) for each in zip(x.split(AT_ONCE), y.split(AT_ONCE), strict=True)])
    curves = torch.stack([logits, network.correlate(x, y, max_lag=MAX_LAG)[:, 0]])
    lags = (curves.argmax(dim=-1) - MAX_LAG).numpy()
    return lags.reshape(len(METHODS), len(SNRS_DB), WINDOWS).swapaxes(0, 1).astype(float)


def read_speech(folder: Path) -> list[Float[np.ndarray, "time"]]:
    """Every recording of the folder without its pauses, where that leaves more than two seconds."""
    speech = [without_pauses(read(path)) for path in read_folder(folder)]
    return [dry for dry in speech if len(dry) > SHORTEST_S * SAMPLE_RATE]


def read(path: Path) -> Float[np.ndarray, "time"]:
    samples, rate = soundfile.read(path, always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE)


def without_pauses(dry: Float[np.ndarray, "time"]) -> Float[np.ndarray, "left"]:
    """What librosa.effects.split keeps: hops whose frame, centred on their start, is within 20 dB of the loudest."""
    padded = np.pad(dry, FRAME // 2)
    power = np.lib.stride_tricks.sliding_window_view(padded**2, FRAME)[::HOP].mean(axis=1)
    return dry[np.repeat(power > power.max() * 10 ** (-GATE_DB / 10), HOP)[: len(dry)]]


def report(correct: Correct, level: float) -> str:
    share, error = correct.mean(axis=(0, 3)), correct.mean(axis=3).std(axis=0, ddof=1) / np.sqrt(len(correct))
    published = np.array([PUBLISHED[cell] for cell in CELLS])
    order = sorted(range(len(CELLS)), key=lambda k: CELLS[k])
    rows = [row(CELLS[k], share[k], published[k], error[k]) for k in order]
    return "\n".join(
        [
            "# NGCC-PHAT as published, in our simulator",
            "",
            f"Share of windows with the delay right within 10 cm (%), ± standard error. {len(correct)} utterances, "
            f"{correct[:, 0, 0].size} windows a row, level {level:g}. Written by bench/ngcc_published.py.",
            "",
            "| SNR (dB) | T60 (s) | NGCC-PHAT ours | published | GCC-PHAT ours | published |",
            "|---:|---:|---:|---:|---:|---:|",
            *rows,
            "",
            f"Furthest from the published: {100 * np.abs(share - published)[:, 0].max():.1f} points for NGCC-PHAT, "
            f"{100 * np.abs(share - published)[:, 1].max():.1f} for GCC-PHAT. Mean difference, ours less published: "
            f"{100 * (share - published)[:, 0].mean():+.1f} and {100 * (share - published)[:, 1].mean():+.1f}.",
            "",
        ]
    )


def row(cell: tuple[int, float], share: np.ndarray, published: np.ndarray, error: np.ndarray) -> str:
    methods = [
        f"{100 * s:.1f} ± {100 * e:.1f} | {100 * p:.1f}" for s, e, p in zip(share, error, published, strict=True)
    ]
    return f"| {cell[0]} | {cell[1]} | {methods[0]} | {methods[1]} |"


if __name__ == "__main__":
    main()
