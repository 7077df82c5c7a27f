"""When a method has learned what it will: the learning rate falls where validation no longer does, then training ends.

The same rule for every method, so that none is given a schedule that suits another. Numbers are those of validation alone.
"""

from dataclasses import asdict, dataclass
from typing import Any

PATIENCE = 4  # validations without a gain before the learning rate falls
LEAST_GAIN = 0.01  # of the best error so far: what counts as a gain
FALL, FALLS = 0.3, 2  # the learning rate falls to so much of itself, so often; without a gain after the last it is over
LATEST = (
    0.7,
    0.9,
)  # share of its steps by which the learning rate has fallen once, twice: what is cut short ends calmly


@dataclass
class Plateau:
    """best_m: smallest validation error so far; since: validations without a gain; falls: of the learning rate."""

    best_m: float = float("inf")
    since: int = 0
    falls: int = 0

    def tell(self, error_m: float) -> None:
        """One more validation."""
        if error_m < self.best_m * (1 - LEAST_GAIN):
            self.best_m, self.since = error_m, 0
            return
        self.since += 1
        if self.since >= PATIENCE and self.falls <= FALLS:
            self.falls, self.since = self.falls + 1, 0

    def rate(self, done: float) -> float:
        """The learning rate as a share of the largest, where this share of the steps is done."""
        return FALL ** min(max(self.falls, sum(done >= share for share in LATEST)), FALLS)

    @property
    def is_over(self) -> bool:
        """Nothing was gained after the last fall either."""
        return self.falls > FALLS

    def state(self) -> dict[str, Any]:
        """For JSON; Plateau(**state) goes on from it."""
        return asdict(self)
