"""Which places together explain the cells of a mixture?

Every cell (cells.py) is filled by one source, or by nobody in particular. With rho_k its coherence heard from place k, the
likelihood of a set of places S is, up to a constant, the mean over all cells, each as much as it counts, of

    log(1 + SHARE sum_{k in S} exp(SHARPNESS (rho_k - LEVEL)))

a mixture whose components are Watson distributions of the phases (Sawada, Araki & Makino, 2011), of a concentration so
large that it is nearly the excess of the best rho over a level: a cell that one place explains gives nothing to another, so
crossed pairs, side lobes and most reflections, which live on the same cells, gain little. Places are taken one by one,
always the one that gains most; then each is exchanged for a better one given the others, if there is one.
Axes: K places, N cells.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from soundfix import physics

SHARPNESS, LEVEL, SHARE = 48.0, 0.12, 0.05
HIGHEST = 25.0  # of the exponent
EXCHANGES = 2  # times that each place may be exchanged

Places = Float[np.ndarray, "place 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """places: where somebody may be (m). fills: SHARE exp(...) of every cell from there. counts: how much every cell does, 1
    on average. apart_m: nearer is one place. positions: of microphones (m); a place that a floor or a ceiling would make of
    another by reflection is none beside it."""

    places: Places
    fills: Float[np.ndarray, "place cell"]
    counts: Float[np.ndarray, "cell"]
    apart_m: float
    positions: Float[np.ndarray, "mic 3"]

    def explained(self, chosen: list[int]) -> Float[np.ndarray, "cell"]:
        """1 + what these places fill."""
        return 1 + self.fills[chosen].sum(axis=0)

    def gains(self, chosen: list[int]) -> Float[np.ndarray, "place"]:
        """Of the log-likelihood of a cell, for each place beside these; minus infinity for one of them, and for its echo."""
        before = self.explained(chosen)
        gain = np.log1p(self.fills / before) @ self.counts / len(self.counts)
        near = physics.distances(self.places, self.places[chosen]) < self.apart_m
        mirrored = physics.level_images(self.places, self.places[chosen], self.positions)
        return np.where((near | mirrored).any(axis=1), -np.inf, gain)

    def chosen(self, most: int) -> list[int]:
        """The places that explain most, one by one."""
        return self.chosen_with_gains(most)[0]

    def chosen_with_gains(self, most: int) -> tuple[list[int], list[np.floating]]:
        """The places that explain most, one by one, and what each gains beside those before it."""
        chosen, gained = list[int](), list[np.floating]()
        while len(chosen) < min(most, len(self.places)):
            gains = self.gains(chosen)
            if not np.isfinite(gains.max()):
                break
            chosen.append(int(gains.argmax()))
            gained.append(gains.max())
        return chosen, gained

    def exchanged(self, chosen: list[int]) -> list[int]:
        """The same number of places, each the best beside the others, the one that gains most first."""
        for _ in range(EXCHANGES):
            before = list(chosen)
            for number in range(len(chosen)):
                others = chosen[:number] + chosen[number + 1 :]
                chosen = [*chosen[:number], int(self.gains(others).argmax()), *chosen[number + 1 :]]
            if chosen == before:
                break
        return chosen

    def posterior(self, chosen: list[int]) -> Float[np.ndarray, "place cell"]:
        """How probable it is that each of these fills a cell."""
        return self.fills[chosen] / self.explained(chosen)


def mixture_of(
    coherence: Float[np.ndarray, "place cell"], counts: Float[np.ndarray, "cell"], places: Places,
    positions: Float[np.ndarray, "mic 3"], apart_m: float,
) -> Mixture:  # fmt: skip
    """The mixture of sources at any of these places."""
    return Mixture(places=places, fills=filled(coherence), counts=counts, apart_m=apart_m, positions=positions)


def filled(coherence: Float[np.ndarray, "place cell"]) -> Float[np.ndarray, "place cell"]:
    """What a source at a place fills of a cell, as coherent as this from there."""
    return (SHARE * np.exp(np.minimum(SHARPNESS * (coherence - LEVEL), HIGHEST))).astype(np.float32)
