"""Speech, music, something else or noise alone? Trains the head that tells kinds of sound, and measures it.

    python bench/kinds.py train --audio FOLDER --effects FOLDER/effects --out kinds.safetensors [--rooms 400] [--part train]
    python bench/kinds.py table --audio FOLDER --effects FOLDER/effects [--part test] [--rooms 60] [--head kinds.safetensors]

A room is LuViRA's studio (in training half of them are random rooms), T60 0.2 to 0.8 s; its sounds come from two places, 5
to 30 dB (in training 3 to 45 dB) above noise, white or coloured, independent or from everywhere. What is heard is aligned to
a place that is off by PLACE_SIGMA_M along each axis, as `soundfix locate --turns` aligns it to the place it found.

speech: recordings. music: recordings, loops and guitars of the effects, in training also melodies by formula. other: the
other effects, and sounds by formula. Left out, since they may be taken for either: basses and atmospheres of the effects,
and held notes by formula. none: noise alone. In training a tenth of the sounds have another beside them, up to 10 dB weaker,
and recorders have tilted spectra, some of which end below 8 kHz.

table: turns of one, three and seven windows of 0.5 s, a quarter of a second apart, judged as in `Located.turns`; then
windows of 2 s. Rows: what it is, and what is heard where two sound at once, as loud, from two places; columns: what is said,
in percent, and the mean probability that is claimed for it.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from soundfix.datasets.noise import noise_alone
from soundfix.estimate import KINDS
from soundfix.microphones import Microphones
from soundfix.networks.kinds import PACKAGED, KindHead, Kinds, features, load_kinds, save_kinds
from soundfix.resample import SAMPLE_RATE
from soundfix.scene import Scene, Truth
from soundfix.session.from_there import sound_from
from soundfix.simulation import placement
from soundfix.simulation.rooms import RoomConfig, radiated
from soundfix.simulation.soundbank import BUILT_IN, DrySound, SoundBank, read_bank
from soundfix.simulation.studio import LUVIRA_ORIGIN_M, LUVIRA_POSITIONS_M, LUVIRA_SIZE_M
from soundfix.simulation.synthesis import SYNTHESIZED
from soundfix.simulation.talkers import Talker, heard, responses_of
from soundfix.tracking.turns import LEAST_PROBABILITY

LEAD_IN_S, LASTS_S, PLACE_SIGMA_M = 0.3, 2.0, 0.05
RT60_S, SNR_DB, TAUGHT_SNR_DB, BESIDE_DB = (0.2, 0.8), (5.0, 30.0), (3.0, 45.0), (0.0, 10.0)
TILT_DB_OCTAVE, CUT_HZ, SHARE_CUT = (-3.0, 3.0), (3500.0, 7500.0), 0.2
SHARE_BESIDE, SHARE_VOICE, SHARE_MELODY, SHARE_LOOPS = 0.1, 0.05, 0.12, 0.15
STUDIO_M = np.array(LUVIRA_POSITIONS_M) + np.array(LUVIRA_ORIGIN_M)
FORMULAS = {name: make for name, make in SYNTHESIZED.items() if name != "tones"} | {"bursts": BUILT_IN["bursts"]}
KIND_OF = {"speech": "speech", "music": "music", "effects": "other", "formulas": "other", "none": "none"}
SOUNDS = tuple(KIND_OF)[:-1]
BESIDE = {"speech, music beside it": "speech", "music, speech beside it": "music"}  # at the same level
EACH = 2  # sounds of each of them in a room
WINDOW_S, HOP_S, TURNS = 0.5, 0.25, (1, 3, 7)
PARTS = {"train": 0, "valid": 1, "test": 2}
STEPS, BATCH, RATE, DECAY, DROPPED, SMOOTHING = 2500, 256, 3e-3, 0.05, 0.2, 0.02


class Heard(NamedTuple):
    """What microphones (mic 3) in a room hear for LASTS_S, and of what it is: a name of KIND_OF, or BESIDE."""

    what: str
    sound: np.ndarray
    microphones_m: np.ndarray
    place_m: np.ndarray
    snr_db: float
    rt60_s: float

    def aligned(self, start: int, samples: int) -> np.ndarray:
        """This stretch of it, as heard from the place."""
        stretch = self.sound[:, start : start + samples]
        return sound_from(self.place_m, stretch, self.microphones_m, SAMPLE_RATE, RoomConfig.speed_of_sound_m_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("train", "table"))
    parser.add_argument("--audio", type=Path, required=True, help="folder with speech and music")
    parser.add_argument("--effects", type=Path, required=True, help="folder with other sounds")
    parser.add_argument("--part", choices=tuple(PARTS), help="train to train, test for the table")
    parser.add_argument("--rooms", type=int, help="400 to train, 60 for the table")
    parser.add_argument("--head", type=Path, default=PACKAGED, help="that is measured")
    parser.add_argument("--out", type=Path, help="where the trained head goes")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.task == "train":
        train(options, options.part or "train")
    else:
        table(options, options.part or "test")


def train(options: argparse.Namespace, part: str) -> None:
    """Windows of 0.5 s, twice, 1 s and 2 s of every sound."""
    rooms, rng = options.rooms or 400, np.random.default_rng(PARTS[part])
    found, kinds = list[Tensor](), list[int]()
    for each in drawn(options, part, rooms, is_studio=False):
        for seconds in (0.5, 0.5, 1.0, 2.0):
            samples = round(seconds * SAMPLE_RATE)
            start = int(rng.integers(each.sound.shape[1] - samples + 1))
            found.append(features(tensor(each.aligned(start, samples)[None])))
            kinds.append(KINDS.index(KIND_OF[each.what]))
    head = fitted(torch.cat(found), torch.tensor(kinds))
    notes = {"part": part, "rooms": rooms, "windows": len(kinds), "command": "bench/kinds.py train"}
    save_kinds(Kinds(head, KINDS), options.out, notes=notes)
    print(f"{len(kinds)} windows: {options.out}, {options.out.stat().st_size / 1000:.0f} kB")


def tensor(sound: np.ndarray) -> Tensor:
    return torch.from_numpy(sound.astype(np.float32))


def fitted(inputs: Tensor, kinds: Tensor, seed: int = 0) -> KindHead:
    """The head that tells these kinds from these features, each kind counted alike."""
    torch.manual_seed(seed)
    head, dropped = KindHead(len(KINDS)), nn.Dropout(DROPPED)
    head.normalize_to(inputs)
    optimizer = torch.optim.AdamW(head.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    counts = torch.bincount(kinds, minlength=len(KINDS))
    loss = nn.CrossEntropyLoss(len(kinds) / (len(KINDS) * counts.clamp_min(1)), label_smoothing=SMOOTHING)
    for _ in range(STEPS):
        chosen = torch.randint(len(inputs), (BATCH,))
        widened = head.middle + dropped(inputs[chosen] - head.middle)
        optimizer.zero_grad()
        loss(head(widened), kinds[chosen]).backward()
        optimizer.step()
        schedule.step()
    return head.eval()


def table(options: argparse.Namespace, part: str) -> None:
    """Of turns, of windows of 2 s, and by noise and reverberation."""
    kinds = load_kinds(options.head)
    told = [(each, list(said(kinds, each))) for each in drawn(options, part, options.rooms or 60, is_studio=True)]
    print("| what it is | heard for | " + " | ".join(KINDS) + " | claimed |")
    print("|---" * (len(KINDS) + 3) + "|")
    names = [*(f"{WINDOW_S + (count - 1) * HOP_S:g} s" for count in TURNS), "one window of 2 s"]
    for column, name in enumerate(names):
        for what in (*KIND_OF, *BESIDE):
            print_row(f"{what} | {name}", [rows[column] for each, rows in told if each.what == what])
    print("\n| turns of 1 s | right |\n|---|---|")
    parts = {
        "5 to 15 dB": lambda each: each.snr_db < 15,
        "15 to 30 dB": lambda each: each.snr_db >= 15,
        "T60 0.2 to 0.5 s": lambda each: each.rt60_s < 0.5,
        "T60 0.5 to 0.8 s": lambda each: each.rt60_s >= 0.5,
    }
    for name, holds in parts.items():
        chosen = [(rows[1], KIND_OF[each.what]) for each, rows in told if each.what in SOUNDS and holds(each)]
        right = [KINDS[probabilities.argmax()] == kind for probabilities, kind in chosen]
        print(f"| {name} | {100 * np.mean(right):.0f} % of {len(right)} |")


def print_row(name: str, probabilities: list[np.ndarray]) -> None:
    """How often each kind was said, and the mean probability of what was said."""
    best = np.argmax(probabilities, axis=1)
    shares = " | ".join(f"{100 * np.mean(best == k):.0f}" for k in range(len(KINDS)))
    print(f"| {name} | {shares} | {100 * np.mean(np.max(probabilities, axis=1)):.0f} % |", flush=True)


def said(kinds: Kinds, each: Heard) -> Iterator[np.ndarray]:
    """Probabilities of a turn of each length, from the beginning on, and of all as one window."""
    length, hop = round(WINDOW_S * SAMPLE_RATE), round(HOP_S * SAMPLE_RATE)
    windows = np.stack([each.aligned(k * hop, length) for k in range(max(TURNS))])
    told = kinds(tensor(windows)).numpy()
    for count in TURNS:
        odds = np.exp(np.log(np.maximum(told[:count], LEAST_PROBABILITY)).mean(axis=0))
        yield odds / odds.sum()
    whole = each.aligned(0, each.sound.shape[1])
    yield kinds(tensor(whole[None]))[0].numpy()


def drawn(options: argparse.Namespace, part: str, rooms: int, *, is_studio: bool) -> Iterator[Heard]:
    """All sounds of all rooms; those of training are taught with sounds beside them and sounds by formula."""
    bank = opened(options.audio, options.effects, part)
    for number in range(rooms):
        yield from in_a_room(bank, np.random.default_rng([PARTS[part], number]), is_studio=is_studio)


def opened(audio: Path, effects: Path, part: str) -> SoundBank:
    """speech, music, effects, and loops, which are music too."""
    chosen = [(kind_of(each), each) for each in read_bank([effects], part=part).recordings]
    others = [each._replace(kind=kind) for kind, each in chosen if kind]
    return SoundBank(recordings=(*read_bank([audio], part=part).recordings, *others))


def kind_of(effect: DrySound) -> str | None:
    """Of the files that Sonic Pi comes with, by their names; None: left out."""
    name = Path(effect.file).name
    if name.startswith(("bass_", "ambi_")):
        return None
    return "loops" if name.startswith(("guit_", "loop_")) else "effects"


def in_a_room(bank: SoundBank, rng: np.random.Generator, *, is_studio: bool) -> Iterator[Heard]:
    room, microphones_m = room_of(rng, is_studio=is_studio)
    places = list[np.ndarray]()
    for _ in range(2):
        walk = placement.random_walk(
            np.array(room.size_m), (microphones_m, np.array(places).reshape(-1, 3)), heights_m=(0.5, 2.0),
            speed_m_s=None, duration_s=LASTS_S, rng=rng,
        )  # fmt: skip
        places.append(walk.places[0])
    plays = [player(room, microphones_m, place, rng) for place in places]
    for what in [each for each in KIND_OF for _ in range(EACH)]:
        which, snr_db = int(rng.integers(2)), float(rng.uniform(*(SNR_DB if is_studio else TAUGHT_SNR_DB)))
        noise = noise_alone(silent(microphones_m, room), rng).audio
        sound = noise
        if what != "none":
            sound = plays[which](dry(bank, what, rng, is_plain=is_studio))
            if not is_studio and rng.random() < SHARE_BESIDE:
                other = plays[1 - which](dry(bank, str(rng.choice(SOUNDS)), rng))
                sound = sound + other * rms(sound) / rms(other) * 10 ** (-rng.uniform(*BESIDE_DB) / 20)
            sound = sound + noise * rms(sound) / rms(noise) * 10 ** (-snr_db / 20)
        sound = sound if is_studio else recorded(sound, rng)
        place_m = places[which] + rng.normal(0, PLACE_SIGMA_M, 3)
        yield Heard(what, sound, microphones_m, place_m, snr_db, room.rt60_s or 0.0)
    if is_studio:
        first, second = (
            play(dry(bank, what, rng, is_plain=True)) for play, what in zip(plays, BESIDE.values(), strict=True)
        )
        noise, snr_db = noise_alone(silent(microphones_m, room), rng).audio, float(rng.uniform(*SNR_DB))
        both = first + second * rms(first) / rms(second)
        both = both + noise * rms(both) / rms(noise) * 10 ** (-snr_db / 20)
        for what, place in zip(BESIDE, places, strict=True):
            place_m = place + rng.normal(0, PLACE_SIGMA_M, 3)
            yield Heard(what, both, microphones_m, place_m, snr_db, room.rt60_s or 0.0)


def room_of(rng: np.random.Generator, *, is_studio: bool) -> tuple[RoomConfig, np.ndarray]:
    """The studio, in training with some of its microphones, or a random room."""
    rt60_s = float(rng.uniform(*RT60_S))
    if is_studio or rng.random() < 0.5:
        few = np.sort(rng.permutation(len(STUDIO_M))[: rng.integers(4, len(STUDIO_M) + 1)])
        return RoomConfig(size_m=LUVIRA_SIZE_M, rt60_s=rt60_s), STUDIO_M if is_studio else STUDIO_M[few]
    size_m = placement.random_size(rng)
    microphones_m = placement.random_microphones(np.array(size_m), int(rng.integers(4, 13)), rng)
    return RoomConfig(size_m=size_m, rt60_s=rt60_s), microphones_m


def player(room: RoomConfig, microphones_m: np.ndarray, place: np.ndarray, rng: np.random.Generator):
    """A function that says what the microphones hear of a dry sound from this place."""
    here = {"places": place[None], "times_s": np.zeros(1)}
    responses = responses_of(Talker(sound=np.zeros(1), **here), room, microphones_m, sample_rate=SAMPLE_RATE, rng=rng)

    def play(sound: np.ndarray) -> np.ndarray:
        talker = Talker(sound=radiated(sound, SAMPLE_RATE), **here)
        whole = heard(talker, responses, room, microphones_m, sample_rate=SAMPLE_RATE)
        return whole[:, round(LEAD_IN_S * SAMPLE_RATE) :]

    return play


def recorded(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """By a recorder whose spectrum is tilted, and may end early."""
    frequency_hz = np.fft.rfftfreq(sound.shape[1], 1 / SAMPLE_RATE)
    octaves = np.log2(np.maximum(frequency_hz, 50.0) / 1000)
    gain = 10 ** (rng.uniform(*TILT_DB_OCTAVE) * octaves / 20)
    if rng.random() < SHARE_CUT:
        gain = gain * (frequency_hz < rng.uniform(*CUT_HZ))
    return np.fft.irfft(np.fft.rfft(sound) * gain, sound.shape[1])


def dry(bank: SoundBank, what: str, rng: np.random.Generator, *, is_plain: bool = False) -> np.ndarray:
    """One sound of this; is_plain: speech and music are recordings and nothing else."""
    duration_s, chance = LEAD_IN_S + LASTS_S, rng.random()
    if what == "formulas":
        return FORMULAS[str(rng.choice(list(FORMULAS)))](duration_s, sample_rate=SAMPLE_RATE, rng=rng)
    if what == "speech" and chance < SHARE_VOICE and not is_plain:
        return BUILT_IN["voice"](duration_s, sample_rate=SAMPLE_RATE, rng=rng)
    if what == "music" and chance < SHARE_MELODY and not is_plain:
        return BUILT_IN["melody"](duration_s, sample_rate=SAMPLE_RATE, rng=rng)
    has_loop = what == "music" and SHARE_MELODY <= chance < SHARE_MELODY + SHARE_LOOPS and "loops" in bank.kinds
    return bank.draw(duration_s, rng, {"loops" if has_loop else what: 1.0})


def silent(microphones_m: np.ndarray, room: RoomConfig) -> Scene:
    return Scene(
        audio=np.ones((len(microphones_m), round(LASTS_S * SAMPLE_RATE)), np.float32),
        sample_rate=SAMPLE_RATE,
        microphones=Microphones(positions=microphones_m),
        room=room.box,
        truth=Truth(sources=np.zeros((0, 3))),
    )


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound)))) + 1e-9


if __name__ == "__main__":
    main()
