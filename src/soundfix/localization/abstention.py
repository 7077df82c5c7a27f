"""A box that cannot give a result gives an abstention: no place, and why."""

import numpy as np
from jaxtyping import Float

from soundfix.estimate import Finding
from soundfix.localization.consensus import Consensus
from soundfix.localization.health import Health


class Abstention(Exception):
    """Raised by a box, caught where the pipeline ends; no error, and never seen outside.

    why: the finding. consensus, guess_m: what it does not believe in.
    """

    def __init__(
        self, why: Finding, health: Health, consensus: Consensus | None = None,
        guess_m: Float[np.ndarray, "place 3"] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(why.sentence)
        self.why, self.health, self.consensus, self.guess_m = why, health, consensus, guess_m
