"""Names, places and clocks of the microphones, checked once, trusted afterwards."""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from soundfix.errors import SceneError

LARGEST_COORDINATE_M = 2e7  # half round the earth: beyond it a coordinate is a millimetre or an accident
MOST_MICROPHONES = 4096  # the distances of more among each other take gigabytes
SMALLEST_SPACING_M = 1e-3  # microphones closer than this are one microphone listed twice


@dataclass(frozen=True, kw_only=True, eq=False)
class Microphones:
    """Names, places and clocks of M microphones.

    positions: (M, 3) in metres (m); a row of NaN at this border means "position unknown" and becomes `is_known` False.
    sigma_m: (M,) standard error of each position, in m. offset_s, drift_ppm: (M,) how late (s) and how fast (parts per
    million) each clock runs; clock_sigma_s: (M,) standard error (s) of that. files, channels: where each microphone's sound
    is stored (channels count from 1). crs: the coordinate reference system of x and y, such as "EPSG:32632", if known.
    notes: what was assumed of the list.
    Raises SceneError where this cannot be an array of microphones in metres.
    """

    positions: np.ndarray
    names: tuple[str, ...] = ()
    sigma_m: Float[np.ndarray, "mic"] = field(default_factory=lambda: np.zeros(0))
    offset_s: Float[np.ndarray, "mic"] = field(default_factory=lambda: np.zeros(0))
    drift_ppm: Float[np.ndarray, "mic"] = field(default_factory=lambda: np.zeros(0))
    clock_sigma_s: Float[np.ndarray, "mic"] = field(default_factory=lambda: np.zeros(0))
    files: tuple[str, ...] | None = None
    channels: tuple[int, ...] | None = None
    crs: str | None = None
    notes: tuple[str, ...] = ()
    is_known: Bool[np.ndarray, "mic"] = field(init=False)

    def __post_init__(self) -> None:
        positions, is_known = _checked_positions(self.positions)
        count = len(positions)
        set_frozen(self, positions=frozen_array(positions), is_known=frozen_array(is_known))
        set_frozen(self, names=_checked_names(self.names, count))
        for quantity in ("files", "channels"):
            _check_count(getattr(self, quantity), count, quantity)
        for quantity in ("sigma_m", "offset_s", "drift_ppm", "clock_sigma_s"):
            set_frozen(self, **{quantity: _checked_column(getattr(self, quantity), count, quantity)})
        _check_units(positions[is_known], [n for n, known in zip(self.names, is_known, strict=True) if known])

    def __len__(self) -> int:
        return len(self.positions)

    def __repr__(self) -> str:
        names = ", ".join(self.names if len(self) <= 4 else (*self.names[:2], "...", self.names[-1]))
        return f"Microphones({len(self)}: {names}; {int(self.is_known.sum())} of known position)"

    @property
    def width_m(self) -> float:
        """The largest distance between two of known position; 0 where there are no two."""
        return float(_gaps(self.positions[self.is_known]).max(initial=0.0))

    def lateness_s(self, at_s: float) -> Float[np.ndarray, "mic"]:
        """By how much each clock is known to be late, so long (s) after the start: its offset, and its drift since."""
        return self.offset_s + 1e-6 * self.drift_ppm * at_s

    def where(self, mask: ArrayLike) -> "Microphones":
        """The microphones for which the boolean mask (M,) is true."""
        keep = np.flatnonzero(checked_mask(mask, len(self)))
        return replace(
            self,
            positions=self.border_positions()[keep],
            names=tuple(self.names[m] for m in keep),
            sigma_m=self.sigma_m[keep],
            offset_s=self.offset_s[keep],
            drift_ppm=self.drift_ppm[keep],
            clock_sigma_s=self.clock_sigma_s[keep],
            files=self.files and tuple(self.files[m] for m in keep),
            channels=self.channels and tuple(self.channels[m] for m in keep),
        )

    def with_errors(self, position_sigma_m: float | None = None, clock_sigma_s: float | None = None) -> "Microphones":
        """With these standard errors (m, s) where none are listed."""
        sigma_m, clock_s = (
            np.where(listed > 0, listed, told or 0.0)
            for listed, told in ((self.sigma_m, position_sigma_m), (self.clock_sigma_s, clock_sigma_s))
        )
        return replace(self, positions=self.border_positions(), sigma_m=sigma_m, clock_sigma_s=clock_s)

    def border_positions(self) -> Float[np.ndarray, "mic 3"]:
        """Positions as they are given at the border: NaN where unknown."""
        return np.where(self.is_known[:, None], self.positions, np.nan)


def set_frozen(instance: object, **values: object) -> None:
    """Assign to a frozen dataclass while it is being built."""
    for name, value in values.items():
        object.__setattr__(instance, name, value)


def frozen_array(array: np.ndarray) -> np.ndarray:
    array = array.copy() if array.flags.writeable else array
    array.flags.writeable = False
    return array


def _checked_positions(given: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    try:
        positions = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SceneError(f"positions are no numbers ({error}), wanted (microphones, 3) in metres") from error
    if positions.ndim != 2 or positions.shape[1] != 3:
        raise SceneError(
            f"positions have shape {positions.shape}, wanted (microphones, 3): one x, y, z row each; "
            "without heights, z = 0"
        )
    is_blank: np.ndarray = np.isnan(positions)
    half_blank: np.ndarray = np.logical_and(is_blank.any(axis=1), ~is_blank.all(axis=1))
    if half_blank.any():
        raise SceneError(
            f"microphone {np.flatnonzero(half_blank)[0] + 1} has {positions[half_blank][0]} as position: "
            "give all three coordinates, or none for an unknown position"
        )
    is_known: np.ndarray = np.logical_not(is_blank.all(axis=1))
    if len(positions) > MOST_MICROPHONES:
        raise SceneError(f"{len(positions)} microphones, wanted {MOST_MICROPHONES} at most: is it another table?")
    wild = np.abs(positions[is_known]) > LARGEST_COORDINATE_M
    if wild.any():
        raise SceneError(
            f"a coordinate of {positions[is_known][wild][0]:g} m is no place on this site: a unit or a typo?"
        )
    return np.where(is_known[:, None], positions, 0.0), is_known


def checked_mask(given: ArrayLike, count: int) -> np.ndarray:
    mask = np.asarray(given)
    if mask.dtype != bool or mask.shape != (count,):
        raise SceneError(
            f"{mask.dtype} of shape {mask.shape} to choose microphones by, wanted ({count},) booleans: were numbers given?"
        )
    return mask


def _check_count(values: tuple | None, count: int, quantity: str) -> None:
    if values is not None and len(values) != count:
        raise SceneError(f"{len(values)} {quantity} for {count} microphones: give one each, or none")


def _checked_names(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    names = tuple(str(name) for name in names) or tuple(f"mic{m + 1}" for m in range(count))
    if len(names) != count:
        raise SceneError(f"{len(names)} names for {count} microphones")
    if len(set(names)) != count:
        twice = next(name for name in names if names.count(name) > 1)
        raise SceneError(f"two microphones are called {twice!r}: names must differ")
    return names


def _checked_column(values: ArrayLike | None, count: int, quantity: str) -> np.ndarray:
    column = np.zeros(count) if values is None or np.size(values) == 0 else np.array(values, dtype=np.float64)
    if column.shape != (count,):
        raise SceneError(f"{quantity} has shape {column.shape}, wanted ({count},): one number a microphone")
    if not np.isfinite(column).all() or ("sigma" in quantity and (column < 0).any()):
        raise SceneError(f"{quantity} holds {column[~np.isfinite(column) | (column < 0)][0]}, wanted finite numbers")
    return frozen_array(column)


def _check_units(positions: np.ndarray, names: list[str]) -> None:
    """Degrees look like an array a few micrometres wide; a row pasted twice looks like a distance of zero."""
    if len(positions) < 2:
        return
    gaps = _gaps(positions)
    widest = float(gaps.max())
    gaps += np.diag(np.full(len(positions), np.inf))
    if widest < 0.01:
        raise SceneError(
            f"all microphones lie within {widest * 1000:.3g} mm of each other: were positions given in degrees or km? "
            "They must be metres; a list may have columns latitude and longitude"
        )
    if gaps.min() < SMALLEST_SPACING_M:
        first, second = np.unravel_index(gaps.argmin(), gaps.shape)
        raise SceneError(
            f"microphones {names[first]} and {names[second]} stand on the same spot "
            f"({gaps.min() * 1000:.3g} mm apart): is a row listed twice?"
        )


def _gaps(positions: Float[np.ndarray, "mic 3"]) -> Float[np.ndarray, "mic mic"]:
    """The distance of each from each (m)."""
    return np.linalg.norm(positions[:, None] - positions[None], axis=-1)
