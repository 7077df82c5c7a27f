"""Delays of one sound that somebody else measured, checked once: arrivals at microphones, or differences between two."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from soundfix.errors import SceneError
from soundfix.microphones import frozen_array, set_frozen


@dataclass(frozen=True, kw_only=True, eq=False)
class Delays:
    """D delays of one sound, in s. Microphones are numbers (from 0) in their list.

    label: what the sound is called. delay_s: (D,) when microphone `first`, (D,), heard it, from a moment that is common to
    all; or, where there is `second`, (D,), how much later first heard it than second. sigma_s: (D,) standard errors, 0 where
    not told.
    Raises SceneError where this cannot be.
    """

    label: str
    first: np.ndarray
    delay_s: np.ndarray
    second: np.ndarray | None = None
    sigma_s: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        if not self.sigma_s.size:
            set_frozen(self, sigma_s=np.zeros(len(self.delay_s)))
        columns = [column for column in (self.first, self.second, self.delay_s, self.sigma_s) if column is not None]
        if {column.shape for column in columns} != {(len(self.delay_s),)}:
            raise SceneError(f"{self.label}: columns of {[len(c) for c in columns]} rows, wanted as many in each")
        if not np.isfinite([*self.delay_s, *self.sigma_s]).all() or (self.sigma_s < 0).any():
            raise SceneError(f"{self.label}: a delay or sigma is not finite or below 0: leave out what was not heard")
        self._check_rows()
        set_frozen(self, delay_s=frozen_array(self.delay_s), sigma_s=frozen_array(self.sigma_s))

    def _check_rows(self) -> None:
        rows = (
            self.first[:, None] if self.second is None else np.sort(np.stack([self.first, self.second], axis=1), axis=1)
        )
        if len(np.unique(rows, axis=0)) < len(rows):
            raise SceneError(f"{self.label}: a delay is there twice, wanted one of each: are these two sounds?")
        if self.second is not None and (self.first == self.second).any():
            raise SceneError(f"{self.label}: a pair is a microphone with itself, wanted two: a typo in the table?")

    def __len__(self) -> int:
        return len(self.delay_s)

    def __repr__(self) -> str:
        return f"Delays({self.label}: {len(self)} {'arrivals' if self.second is None else 'pairs'})"

    def incidence(self, count: int) -> Float[np.ndarray, "delay mic"]:
        """Which microphones (count of them) each delay is of: 1 at first, -1 at second."""
        matrix = np.zeros((len(self), count))
        matrix[np.arange(len(self)), self.first] = 1.0
        if self.second is not None:
            matrix[np.arange(len(self)), self.second] = -1.0
        return matrix

    def reversed(self) -> "Delays":
        """With the opposite sign."""
        return replace(self, delay_s=-self.delay_s)

    def as_arrivals(self) -> "Delays":
        """Pairs that all share one microphone say when each heard it, from when that one did; other pairs stay pairs.

        As pairs they would trust that microphone more than the others.
        """
        if self.second is None or not (hubs := self._hubs()):
            return self
        hub = hubs[0]
        is_first = self.first == hub
        return replace(
            self,
            first=np.append(np.where(is_first, self.second, self.first), hub),
            second=None,
            delay_s=np.append(np.where(is_first, -self.delay_s, self.delay_s), 0.0),
            sigma_s=np.append(self.sigma_s, self.sigma_s.min()),
        )

    def _hubs(self) -> list[int]:
        """Microphones that are in every pair."""
        assert self.second is not None
        ends = np.stack([self.first, self.second])
        return [int(m) for m in dict.fromkeys(ends[::-1, 0]) if (ends == m).any(axis=0).all()] if len(self) else []


def arrivals(times_s: Float[np.ndarray, "event mic"], labels: Sequence[str] = ()) -> tuple[Delays, ...]:
    """Of a table of arrivals (s), a row a sound, a column a microphone, NaN where it was not heard."""
    labels = labels or [f"event{number}" for number in range(1, len(times_s) + 1)]
    heard = [np.flatnonzero(~np.isnan(row)) for row in times_s]
    return tuple(
        Delays(label=label, first=mics, delay_s=row[mics])
        for label, row, mics in zip(labels, times_s, heard, strict=True)
    )
