"""How fast sound was, by all events together: of recorders that stand far apart every event tells a little of it."""

from dataclasses import dataclass, field

import numpy as np

from soundfix import robust
from soundfix.estimate import Air, Estimate, Source

FEWEST = 3  # events at different places
CLEAR = 3.0  # standard errors
NEAR_M = 3.0  # places nearer than this are one
LEAST_SHARE = 0.003  # of the speed of sound: 2 degrees, or 1 m/s of wind


@dataclass(kw_only=True, eq=False)
class AirCheck:
    """Estimates come in by `hear`. told_m_s: the speed of sound that they were made with."""

    told_m_s: float
    _heard: list[tuple[Source, Air]] = field(default_factory=list)

    def hear(self, estimate: Estimate) -> None:
        """One more, if it knows anything of the air and of one place alone; of events at one place the surest counts."""
        if estimate.air is None or estimate.verdict not in ("ok", "degraded"):
            return
        source = estimate.sources[0]
        same = [k for k, (other, _) in enumerate(self._heard) if _is_same(source, other)]
        if any(self._heard[k][1].sigma_m_s <= estimate.air.sigma_m_s for k in same):
            return
        self._heard = [each for k, each in enumerate(self._heard) if k not in same]
        self._heard.append((source, estimate.air))

    def found(self) -> Air | None:
        """The speed that fits all (m/s); its standard error is by what each knows and how they scatter. None of too few."""
        if len(self._heard) < FEWEST:
            return None
        speeds, sigmas = np.array([air for _, air in self._heard]).T
        weight = np.minimum(sigmas**-2.0, np.median(sigmas) ** -2.0)  # one event alone does not decide
        mean = float(weight @ speeds / weight.sum())
        scatter = float(robust.deviation(speeds)) / len(speeds) ** 0.5
        return Air(
            mean, float(np.hypot(scatter, weight.mean() ** -0.5))
        )  # errors of positions are the same in all events

    def contradicts(self) -> bool:
        """Whether that is clearly another speed than was told."""
        found = self.found()
        if found is None:
            return False
        return abs(found.speed_m_s - self.told_m_s) > max(CLEAR * found.sigma_m_s, LEAST_SHARE * self.told_m_s)


def _is_same(one: Source, other: Source) -> bool:
    """Whether they may be at one place: what recorders have wrong they then have wrong in the same way."""
    gap_m = float(np.linalg.norm(one.position_m - other.position_m))
    return gap_m < max(NEAR_M, one.radius90_m, other.radius90_m)
