"""Dry sound played through measured rooms: impulse responses from files, convolved with voices or recordings.

npz    rir (M, taps) or (K, M, taps): from one source, or from each of K, to each microphone; mic_positions (M, 3) and
       source_position (3,) or (K, 3) in metres; fs in Hz and c in m/s, or as arguments.
SOFA   AES69 files of data type FIR, such as SingleRoomSRIR and GeneralFIR: see sofa.py.

Clip k is a room, some of its sources and a sound for each, all drawn from (seed, k) and nothing else. Responses are
brought to 16 kHz and multiplied by the ratio of the rates, so that the sum over taps stays the integral that it stands
for. A clip begins in the middle of the reverberation; its noise is white, independent at every microphone; its largest
sample is 0.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

from soundfix.datasets.sofa import read_measurements
from soundfix.datasets.stretch import SAMPLE_RATE_HZ, clip_samples
from soundfix.errors import ConfigError, DatasetError, SceneError
from soundfix.files.arrays import read_arrays
from soundfix.gate import gate
from soundfix.microphones import Microphones
from soundfix.resample import resampled
from soundfix.scene import Scene, Truth
from soundfix.simulation.rooms import measured_rt60
from soundfix.simulation.soundbank import BuiltInSounds, Sounds
from soundfix.simulation.sounds import reverberate

PEAK = 0.5
WANTED = ("rir", "mic_positions", "source_position")


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredRoom:
    """responses: (K, M, taps) at 16 kHz, from each source to each microphone. sources: (K, 3) metres."""

    name: str
    responses: Float[np.ndarray, "source mic tap"]
    sources: Float[np.ndarray, "source 3"]
    microphones: Microphones
    speed_of_sound_m_s: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """`count` clips of `clip_s` seconds at 16 kHz from these rooms.

    sounds: what is played, and how often of each kind (sound_shares; empty: all equally often). source_count: how many
    sources sound at once, at most as many as the room with the fewest has. snr_db: mean power of the reverberant sound
    over that of the noise added; None adds none. Raises ConfigError.
    """

    rooms: tuple[MeasuredRoom, ...]
    count: int
    seed: int = 0
    sounds: Sounds = field(default_factory=BuiltInSounds)
    sound_shares: dict[str, float] = field(default_factory=dict)
    source_count: int = 1
    snr_db: float | None = None
    clip_s: float = 2.0
    name: str = "measured"

    def __post_init__(self) -> None:
        if not self.rooms or self.count < 1:
            raise ConfigError(f"{self.count} clips from {len(self.rooms)} rooms, wanted at least one of each")
        for room in self.rooms:
            if not 1 <= self.source_count <= len(room.sources):
                raise ConfigError(
                    f"source_count is {self.source_count}, but {room.name} has responses to {len(room.sources)} "
                    "sources: wanted no more than that, and at least 1"
                )
        clip_samples(self.clip_s)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, clip: int) -> Scene:
        if not 0 <= clip < self.count:
            raise IndexError(f"clip {clip} of {self.count}")
        rng = np.random.default_rng([self.seed, clip])
        room = self.rooms[rng.integers(len(self.rooms))]
        chosen = np.sort(rng.choice(len(room.sources), self.source_count, replace=False))
        clean = self._clean(room.responses[chosen], rng)
        audio = clean if self.snr_db is None else _with_noise(clean, self.snr_db, rng)
        return Scene(
            audio=(PEAK * audio / np.abs(audio).max()).astype(np.float32),
            sample_rate=float(SAMPLE_RATE_HZ),
            microphones=room.microphones,
            speed_of_sound_m_s=room.speed_of_sound_m_s,
            truth=Truth(
                sources=room.sources[chosen],
                rt60_s=measured_rt60(room.responses[chosen[0]], float(SAMPLE_RATE_HZ)),
                snr_db=self.snr_db,
            ),
        )

    def _clean(
        self, responses: Float[np.ndarray, "source mic tap"], rng: np.random.Generator
    ) -> Float[np.ndarray, "mic time"]:
        """The sum of the sources, after as long a lead-in as the responses last."""
        lead_in = responses.shape[-1]
        total_s = (clip_samples(self.clip_s) + lead_in) / SAMPLE_RATE_HZ
        played = [self.sounds.draw(total_s, rng, self.sound_shares) for _ in responses]
        heard = [reverberate(dry, response) for dry, response in zip(played, responses, strict=True)]
        return np.sum(heard, axis=0)[:, lead_in:]


def room_files(folder: Path) -> list[Path]:
    """The files of rooms in this folder; an .npz of something else is none. Raises DatasetError where there is none."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".npz", ".sofa"))
    rooms = [path for path in files if path.suffix.lower() == ".sofa" or set(WANTED) <= set(_npz_arrays(path))]
    if not rooms:
        raise DatasetError(f"{folder} holds no room: wanted .sofa files, or .npz files with {', '.join(WANTED)}")
    return rooms


def read_rooms(
    paths: Sequence[Path], *, sample_rate_hz: float | None = None, speed_of_sound_m_s: float | None = None
) -> tuple[MeasuredRoom, ...]:
    """Every room of these .npz and .sofa files. The two quantities are for files that do not tell them."""
    rooms: list[MeasuredRoom] = []
    for path in paths:
        if path.suffix.lower() == ".sofa":
            rooms += read_sofa(path, speed_of_sound_m_s=speed_of_sound_m_s)
        else:
            rooms.append(read_npz(path, sample_rate_hz=sample_rate_hz, speed_of_sound_m_s=speed_of_sound_m_s))
    return tuple(rooms)


@gate(DatasetError)
def read_npz(
    path: Path, *, sample_rate_hz: float | None = None, speed_of_sound_m_s: float | None = None
) -> MeasuredRoom:
    """One room; what the file tells wins over the arguments. Raises DatasetError."""
    arrays = _npz_arrays(path)
    missing = [name for name in WANTED if name not in arrays]
    if missing:
        raise DatasetError(
            f"{path} holds {', '.join(arrays)}, wanted {', '.join(missing)} too: are these responses without their "
            "geometry?"
        )
    rate_hz = _scalar(arrays, "fs", path) or sample_rate_hz
    if rate_hz is None:
        raise DatasetError(f"{path} holds no fs, wanted the sample rate of its responses: give sample_rate_hz")
    rir = arrays["rir"]
    return _room(
        path,
        responses=rir[None] if rir.ndim == 2 else rir,
        rate_hz=rate_hz,
        sources=np.atleast_2d(arrays["source_position"]),
        positions=arrays["mic_positions"],
        speed_of_sound_m_s=_scalar(arrays, "c", path) or speed_of_sound_m_s,
    )


@gate(DatasetError)
def read_sofa(path: Path, *, speed_of_sound_m_s: float | None = None) -> list[MeasuredRoom]:
    """The rooms of a SOFA file; its RoomTemperature, if it has one, wins over the argument.

    Raises DatasetError, and MissingPackageError without sofar.
    """
    return [
        _room(
            path,
            responses=measurement.responses,
            rate_hz=measurement.rate_hz,
            sources=measurement.sources,
            positions=measurement.positions,
            speed_of_sound_m_s=measurement.speed_of_sound_m_s or speed_of_sound_m_s,
        )
        for measurement in read_measurements(path)
    ]


def _with_noise(
    clean: Float[np.ndarray, "mic time"], snr_db: float, rng: np.random.Generator
) -> Float[np.ndarray, "mic time"]:
    noise_rms = np.sqrt(np.mean(np.square(clean))) * 10 ** (-snr_db / 20)
    return clean + noise_rms * rng.standard_normal(clean.shape)


def _room(
    path: Path, *, responses: np.ndarray, rate_hz: float, sources: np.ndarray, positions: np.ndarray,
    speed_of_sound_m_s: float | None,
) -> MeasuredRoom:  # fmt: skip
    """Checked, and brought to 16 kHz."""
    _check_shapes(path, responses, sources, positions)
    _check_heard(path, responses)
    if not 1000 <= rate_hz <= 1e6:
        raise DatasetError(f"{path}: {rate_hz:g} samples a second, wanted 1000 to 1 million Hz: was it given in kHz?")
    try:
        microphones = Microphones(positions=positions)
    except SceneError as error:
        raise DatasetError(f"{path}: {error}") from error
    return MeasuredRoom(
        name=path.stem,
        responses=_resampled(responses.astype(np.float64), rate_hz),
        sources=sources.astype(np.float64),
        microphones=microphones,
        speed_of_sound_m_s=speed_of_sound_m_s,
    )


def _resampled(
    responses: Float[np.ndarray, "source mic tap"], rate_hz: float
) -> Float[np.ndarray, "source mic resampled"]:
    flat = responses.reshape(-1, responses.shape[-1])
    scaled = resampled(flat, rate_hz, SAMPLE_RATE_HZ) * (rate_hz / SAMPLE_RATE_HZ)
    return scaled.reshape(*responses.shape[:2], -1)


def _check_shapes(path: Path, responses: np.ndarray, sources: np.ndarray, positions: np.ndarray) -> None:
    if positions.ndim != 2 or positions.shape[1] != 3 or sources.ndim != 2 or sources.shape[1] != 3:
        raise DatasetError(
            f"{path}: mic_positions {positions.shape} and source_position {sources.shape}, wanted (microphones, 3) and "
            "(sources, 3) in metres: transposed?"
        )
    if not (np.isfinite(positions).all() and np.isfinite(sources).all()):
        raise DatasetError(f"{path}: a microphone or a source has no position, wanted all of them in metres")
    if responses.ndim != 3 or responses.shape[:2] != (len(sources), len(positions)) or not responses.shape[2]:
        raise DatasetError(
            f"{path}: responses of shape {responses.shape}, wanted ({len(sources)} sources, {len(positions)} "
            "microphones, taps): are its axes in another order?"
        )


def _check_heard(path: Path, responses: np.ndarray) -> None:
    """Every response is of real numbers, and not silent."""
    if responses.dtype.kind not in "fiu" or not np.isfinite(responses).all():
        raise DatasetError(f"{path}: its responses hold NaN or no real numbers: damaged, or transfer functions?")
    silent = np.argwhere(~responses.any(axis=-1))
    if len(silent):
        source, microphone = (silent[0] + 1).tolist()
        raise DatasetError(
            f"{path}: the response of microphone {microphone} to source {source} is silent: not measured?"
        )


def _npz_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        return read_arrays(path)
    except Exception as error:
        raise DatasetError(f"cannot read {path} as .npz: {error}: is it another format, or cut short?") from error


def _scalar(arrays: dict[str, np.ndarray], name: str, path: Path) -> float | None:
    if name not in arrays:
        return None
    value = arrays[name]
    if value.size != 1 or value.dtype.kind not in "fiu" or not value.item() > 0:
        raise DatasetError(f"{path}: {name} is {value}, wanted one number above 0")
    return float(value.item())
