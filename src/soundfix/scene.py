"""What was heard and where from: the microphones and one stretch of their sound, checked once, trusted afterwards."""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from soundfix import physics
from soundfix.errors import SceneError
from soundfix.microphones import LARGEST_COORDINATE_M, Microphones, checked_mask, frozen_array, set_frozen
from soundfix.search_region import OPEN, SearchRegion, flattened, is_known, known_to_m

SLOWEST_HZ, QUICKEST_HZ = 100.0, 10e6  # sample rates
LARGEST_SIDE_M = 1e6  # of a box
LARGEST_LATENESS = 0.25  # of the window
THIN_ROOM_M = 0.02  # a box thinner than this along an axis has one place there: search boxes have none, or more
WALLS_M = 0.1  # to which walls are known: a search region this far outside them is at them
MARGIN_SHARE, LEAST_MARGIN_M = 0.5, 2.0  # without a room: the box round the microphones, grown on every side
OUTDOORS_M = 25.0  # an array wider than this stands under the sky, unless somebody tells of walls
BELOW_M = 2.0  # the lowest microphone sound is made outdoors: nothing sings in the ground
STRONGEST_WIND_M_S = 40.0  # as a standard error
FASTEST_AIR_M_S = 400.0  # sound is faster in water, and there it comes from below as well

Room = tuple[tuple[float, float, float], tuple[float, float, float]]
Band = tuple[float | int, float | int]  # from, to (Hz)


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """Where sources were, when: seconds from the start of the scene, increasing, and metres; NaN where not seen."""

    times_s: Float[np.ndarray, "time"]
    places: Float[np.ndarray, "time source 3"]

    def at(self, time_s: float) -> Float[np.ndarray, "source 3"]:
        """Linear between the two times about this one, NaN where either was not seen; constant beyond the ends."""
        after = int(np.clip(np.searchsorted(self.times_s, time_s), 1, len(self.times_s) - 1))
        first, last = self.times_s[after - 1], self.times_s[after]
        share = np.clip((time_s - first) / (last - first), 0.0, 1.0)
        if share in (0.0, 1.0):
            return self.places[after - 1 + int(share)]
        return (1 - share) * self.places[after - 1] + share * self.places[after]


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """What a simulation or a motion capture knows.

    sources: (K, 3) metres, in the middle of the scene; a row of NaN: not seen. track: where they were all along, if they
    moved. positions: (M, 3) where the microphones truly stood, if that is not what their list says. rt60_s is measured.
    speed_of_sound_m_s: if it was not what the scene claims. gains_db: (M,) what each microphone's amplifier added.
    beside: (N, 3) where other things sound that nobody asked for, such as fans.
    """

    sources: Float[np.ndarray, "source 3"]
    rt60_s: float | None = None
    snr_db: float | None = None
    faults: tuple[str, ...] = ()
    track: Track | None = None
    positions: Float[np.ndarray, "mic 3"] | None = None
    speed_of_sound_m_s: float | None = None
    gains_db: Float[np.ndarray, "mic"] | None = None
    beside: Float[np.ndarray, "thing 3"] = field(default_factory=lambda: np.zeros((0, 3)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Others:
    """W microphones of known position that nobody said hear this sound; something else, perhaps.

    audio: (W, T) at the rate of the scene, NaN where there is none, from start_s on (s), a while before the scene.
    """

    audio: Float[np.ndarray, "other time"]
    start_s: float
    microphones: Microphones


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """One stretch of sound, heard by M microphones.

    audio: (M, T), kept as float32, read-only; NaN and Inf are allowed, health.py deals with them. sample_rate: Hz. start_s:
    seconds from the start of the recording.
    room: ((x0, y0, z0), (x1, y1, z1)) in metres, optional: where walls are, known to 10 cm; thin along an axis means that
    coordinate is known. search: where a source may be, if that is less than the room, or nothing is known of walls.
    speed_of_sound_m_s: in m/s, wins over temperature_c (°C); with neither, 343.2 m/s. is_trusted: (M,) microphones to locate
    with (all, by default); the others are only listened to and judged. truth: what a simulation knows.
    wind_m_s: standard error of the wind along each axis (m/s), of which nothing else is known; still air without it.
    band_hz: (lowest, highest) frequency that is listened to; without it 100 Hz to 7.5 kHz. others: who may hear it too.
    Raises SceneError on shapes that disagree, an empty recording, or an array too large for the recording.
    """

    audio: np.ndarray
    sample_rate: float
    microphones: Microphones
    room: Room | None = None
    search: SearchRegion | None = None
    speed_of_sound_m_s: float | None = None
    temperature_c: float | None = None
    wind_m_s: float | None = None
    start_s: float = 0.0
    band_hz: Band | None = None
    is_trusted: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    truth: Truth | None = None
    others: Others | None = None

    def __post_init__(self) -> None:
        set_frozen(self, audio=_checked_audio(self.audio, self.microphones), sample_rate=checked_rate(self.sample_rate))
        checked_speed(self.speed_of_sound_m_s, self.temperature_c)
        _check_start(self.start_s)
        checked_wind(self.wind_m_s)
        if self.band_hz is not None:
            set_frozen(self, band_hz=checked_band(self.band_hz, self.sample_rate))
        set_frozen(self, is_trusted=_checked_trust(self.is_trusted, len(self.microphones)))
        if self.room is not None:
            set_frozen(self, room=_checked_room(self.room))
        if self.search is not None:
            _check_search(self.room, self.search)
        _check_delays_fit(self)
        _check_clocks_fit(self)

    def __repr__(self) -> str:
        return f"Scene({len(self.microphones)} microphones, {self.duration_s:.2f} s at {self.sample_rate:g} Hz)"

    @property
    def lateness_s(self) -> Float[np.ndarray, "mic"]:
        """By how much each clock is known to be late in this window."""
        return self.microphones.lateness_s(self.middle_s)

    @property
    def duration_s(self) -> float:
        """Of the sound (s)."""
        return self.audio.shape[1] / self.sample_rate

    @property
    def middle_s(self) -> float:
        """Of the window, in seconds from the start of the recording."""
        return self.start_s + self.duration_s / 2

    @property
    def speed(self) -> float:
        """Speed of sound (m/s), given, from the temperature, or 343.2."""
        return physics.chosen_speed(self.speed_of_sound_m_s, self.temperature_c)

    @property
    def is_air_told(self) -> bool:
        """Whether somebody said how fast sound is."""
        return self.speed_of_sound_m_s is not None or self.temperature_c is not None

    @property
    def wind_share(self) -> float:
        """Standard error of the wind as a share of the speed of sound."""
        return (self.wind_m_s or 0.0) / self.speed

    def where(self, mask: ArrayLike) -> "Scene":
        """The same scene heard by the microphones for which the boolean mask (M,) is true."""
        mask = checked_mask(mask, len(self.microphones))
        return replace(
            self,
            audio=self.audio[mask],
            microphones=self.microphones.where(mask),
            is_trusted=self.is_trusted[mask],
            truth=_truth_where(self.truth, mask),
        )

    def part(self, first: int, count: int) -> "Scene":
        """`count` samples from sample `first`, with the truth of their middle."""
        start_s, middle_s = first / self.sample_rate, (first + count / 2) / self.sample_rate
        return replace(
            self,
            audio=self.audio[:, first : first + count],
            start_s=self.start_s + start_s,
            truth=_truth_of_part(self.truth, start_s, middle_s),
        )

    @property
    def is_outdoors(self) -> bool:
        """Whether the array is wider than rooms are, and nobody told of walls."""
        return self.room is None and self.microphones.width_m > OUTDOORS_M

    @property
    def ground_m(self) -> float:
        """Below this height (m) no source is: outdoors in air a little under the lowest microphone, else minus infinity."""
        if not self.is_outdoors or self.speed > FASTEST_AIR_M_S:
            return -np.inf
        return float(self.microphones.positions[self.microphones.is_known, 2].min()) - BELOW_M

    def search_box(self) -> Float[np.ndarray, "2 3"]:
        """Where the source may be (search_box, below); outdoors above the ground, unless a lower height was told."""
        box, told = search_box(self.microphones, self.room, self.search), _bounds(self.room, self.search)
        if not np.isfinite(told[0, 2]):
            box[0, 2] = min(max(box[0, 2], self.ground_m), box[1, 2])
        return box

    def known_to_m(self) -> Float[np.ndarray, "3"]:
        """Within how much (m) each coordinate of the source was told, where it counts as known; 0 along the others."""
        return known_to_m(_told_box(self.microphones, self.room, self.search))

    def without_room(self) -> "Scene":
        """The same scene, of whose walls nothing is told; a coordinate that was known still is."""
        told, search = _bounds(self.room, self.search), self.search or SearchRegion(bounds=OPEN)
        search = replace(search, bounds=np.where(is_known(told), told, search.bounds))
        return replace(self, room=None, search=search if np.isfinite(search.bounds).any() else None)


def search_box(
    microphones: Microphones, room: Room | None, search: SearchRegion | None = None
) -> Float[np.ndarray, "2 3"]:
    """The part of the room in which sources are sought. What is open is bounded by the box round the known microphones,
    grown by half its longest side (2 m at least). A coordinate told to a few centimetres is known: their middle."""
    return flattened(_told_box(microphones, room, search))


def _told_box(microphones: Microphones, room: Room | None, search: SearchRegion | None) -> Float[np.ndarray, "2 3"]:
    told = _bounds(room, search)
    return told if np.isfinite(told).all() else np.where(np.isfinite(told), told, _round_microphones(microphones))


def _round_microphones(microphones: Microphones) -> Float[np.ndarray, "2 3"]:
    known = microphones.positions[microphones.is_known]
    low, high = known.min(axis=0), known.max(axis=0)
    margin = max(LEAST_MARGIN_M, MARGIN_SHARE * float((high - low).max()))
    return np.stack([low - margin, high + margin])


def _bounds(room: Room | None, search: SearchRegion | None) -> Float[np.ndarray, "2 3"]:
    """What both leave, infinite where neither tells; a little beyond a wall is at it."""
    if search is None:
        return OPEN.copy() if room is None else np.array(room, dtype=np.float64)
    if room is None:
        return np.array(search.bounds)
    low, high = np.maximum(search.bounds[0], room[0]), np.minimum(search.bounds[1], room[1])
    if (low - high > WALLS_M).any():
        raise SceneError(f"search {search!r} is outside the room {room}: are both in metres, from the same origin?")
    return np.where(low > high, (low + high) / 2, np.stack([low, high]))


def is_within(points: Float[np.ndarray, "*batch 3"], box: Float[np.ndarray, "2 3"]) -> Bool[np.ndarray, "*batch"]:
    """Whether each point is in the box, its faces included."""
    return np.asarray(((points >= box[0]) & (points <= box[1])).all(axis=-1))


def free_axes(box: Float[np.ndarray, "2 3"]) -> Bool[np.ndarray, "3"]:
    """Which coordinates are to be found: those along which the box is not thin."""
    return box[1] - box[0] > THIN_ROOM_M


def unknowns(box: Float[np.ndarray, "2 3"]) -> int:
    """Of a sound in the box: its free coordinates, and when it was made. So many microphones place it, one more checks."""
    return int(free_axes(box).sum()) + 1


def _truth_where(truth: Truth | None, mask: np.ndarray) -> Truth | None:
    if truth is None:
        return None
    positions = None if truth.positions is None else truth.positions[mask]
    gains_db = None if truth.gains_db is None else truth.gains_db[mask]
    return replace(truth, positions=positions, gains_db=gains_db)


def _truth_of_part(truth: Truth | None, start_s: float, middle_s: float) -> Truth | None:
    if truth is None or truth.track is None:
        return truth
    track = replace(truth.track, times_s=truth.track.times_s - start_s)
    return replace(truth, sources=truth.track.at(middle_s), track=track)


def _checked_audio(given: ArrayLike, microphones: Microphones) -> np.ndarray:
    audio = np.asarray(given)
    if audio.ndim != 2:
        raise SceneError(f"audio has shape {audio.shape}, wanted (microphones, samples)")
    if audio.dtype.kind not in "fiu":
        raise SceneError(f"audio is of type {audio.dtype}, wanted real numbers")
    if audio.shape[0] != len(microphones):
        turned = " It looks transposed: pass audio.T." if audio.shape[1] == len(microphones) else ""
        raise SceneError(f"audio has {audio.shape[0]} channels for {len(microphones)} microphones.{turned}")
    if audio.shape[0] == 0:
        raise SceneError("no microphone at all: was everything left out?")
    if audio.shape[1] == 0:
        raise SceneError("audio is empty: zero samples")
    if audio.dtype.kind in "iu":  # 16-bit samples and the like: full scale becomes 1
        audio = audio / float(np.iinfo(audio.dtype).max)
    with np.errstate(over="ignore"):  # 1e308 becomes Inf, which health.py masks
        return frozen_array(audio.astype(np.float32, copy=False))


def _checked_trust(given: ArrayLike, count: int) -> np.ndarray:
    is_trusted = np.array(given, dtype=bool) if np.size(given) else np.ones(count, dtype=bool)
    if is_trusted.shape != (count,):
        raise SceneError(f"is_trusted has shape {is_trusted.shape}, wanted ({count},): one boolean a microphone")
    return frozen_array(is_trusted)


def checked_rate(rate_hz: float | int, what: str = "sample rate") -> float:
    """The rate. Raises SceneError where that is none that sound is recorded at."""
    if not (np.isfinite(rate_hz) and SLOWEST_HZ <= rate_hz <= QUICKEST_HZ):
        raise SceneError(f"{what} {rate_hz} Hz, wanted {SLOWEST_HZ:g} Hz to 10 MHz: was it given in kHz?")
    return float(rate_hz)


def checked_speed(speed_of_sound_m_s: float | None, temperature_c: float | None) -> float:
    """Speed of sound (m/s), given, from the temperature (°C), or 343.2; SceneError where that cannot be."""
    speed_m_s = physics.chosen_speed(speed_of_sound_m_s, temperature_c)
    if temperature_c is not None and not -60 <= temperature_c <= 70:
        raise SceneError(f"temperature {temperature_c}, wanted -60 to 70 °C: was it given in °F or K?")
    if not 100 <= speed_m_s <= 7000:
        raise SceneError(f"speed of sound {speed_m_s} m/s, wanted 100 to 7000: air is about 343, water 1480")
    return speed_m_s


def checked_wind(wind_m_s: float | None) -> float | None:
    """Standard error of the wind (m/s). Raises SceneError where no storm is so strong."""
    if wind_m_s is not None and not 0 <= wind_m_s <= STRONGEST_WIND_M_S:
        raise SceneError(f"wind {wind_m_s} m/s, wanted 0 to {STRONGEST_WIND_M_S:g}: was it given in km/h?")
    return wind_m_s


def _check_start(start_s: float) -> None:
    if not np.isfinite(start_s):
        raise SceneError(f"start_s is {start_s}, wanted seconds from the start of the recording")


def checked_band(given: Band, sample_rate: float) -> Band:
    """The band as it was given (Hz). Raises SceneError on what is no band, or is not in sound of this rate (Hz)."""
    lowest, highest = (float(edge) for edge in given)
    if not 0 <= lowest < highest < float("inf"):
        raise SceneError(f"band {given!r}, wanted (lowest, highest) in Hz: was the lower one given first?")
    if highest > sample_rate / 2:
        raise SceneError(
            f"band {lowest:g} to {highest:g} Hz, but at {sample_rate:g} Hz a recording holds nothing above "
            f"{sample_rate / 2:g} Hz: was it given in kHz, or the recording made at too low a rate?"
        )
    return lowest, highest


def _checked_room(given: Room) -> Room:
    box = np.array(given, dtype=np.float64)
    if box.shape != (2, 3) or not np.isfinite(box).all():
        raise SceneError(f"room is {given!r}, wanted ((x0, y0, z0), (x1, y1, z1)) in metres")
    if (box[1] < box[0]).any():
        raise SceneError(f"room {given!r} has a corner below its opposite: give the lowest corner first")
    if _is_huge(box) or not free_axes(flattened(box)).any():
        raise SceneError(f"room {given!r} is no room: wanted sides in metres, at least one of them not thin")
    low, high = box.tolist()
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def _check_search(room: Room | None, search: SearchRegion) -> None:
    told = _bounds(room, search)
    if _is_huge(told) or is_known(told).all():
        raise SceneError(f"search {search!r} leaves no place to be found: wanted sides in metres, one of them not thin")


def _is_huge(box: Float[np.ndarray, "2 3"]) -> bool:
    """Whether no site is so large, or has such coordinates; what is open is not."""
    if np.abs(box[np.isfinite(box)]).max(initial=0.0) > LARGEST_COORDINATE_M:
        return True
    sides = np.ptp(box[:, np.isfinite(box).all(axis=0)], axis=0)
    return bool(sides.max(initial=0.0) > LARGEST_SIDE_M)


def _check_delays_fit(scene: Scene) -> None:
    """A window must be longer than the sound needs to cross the array: the sign of millimetres given for metres."""
    known = scene.microphones.positions[scene.microphones.is_known]
    if len(known) < 2:
        return
    widest = float(physics.distances(known, known).max())
    heard = scene.duration_s * scene.speed
    if widest > heard:
        raise SceneError(
            f"microphones are up to {widest:.4g} m apart, but {scene.duration_s:.3g} s of audio spans only {heard:.4g} m "
            f"of sound: {_unit_guess(widest)}"
        )


def _check_clocks_fit(scene: Scene) -> None:
    """A known lateness is taken out inside the window: it must be a small part of it."""
    late = np.abs(scene.lateness_s)
    if late.max(initial=0.0) > LARGEST_LATENESS * scene.duration_s:
        raise SceneError(
            f"the clock of {scene.microphones.names[int(late.argmax())]} is {late.max():.3g} s off, more than a quarter of "
            f"the {scene.duration_s:.3g} s window: cut the recordings to the same start, or use a longer window"
        )


def _unit_guess(widest: float) -> str:
    if widest > 1000:
        return "were positions given in mm? If they are metres, use a longer window"
    return "were positions given in cm or feet? If they are metres, use a longer window"
