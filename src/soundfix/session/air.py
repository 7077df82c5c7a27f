"""How fast sound was, by all events together: of recorders that stand far apart every event tells a little of it."""

from dataclasses import dataclass, field

import numpy as np

from soundfix import robust
from soundfix.estimate import Air, Estimate

FEWEST = 3  # events
CLEAR = 3.0  # standard errors
LEAST_SHARE = 0.003  # of the speed of sound: 2 degrees, or 1 m/s of wind


@dataclass(kw_only=True, eq=False)
class AirCheck:
    """Estimates come in by `hear`. told_m_s: the speed of sound that they were made with."""

    told_m_s: float
    _heard: list[Air] = field(default_factory=list)

    def hear(self, estimate: Estimate) -> None:
        """One more, if it knows anything of the air and of one place alone."""
        if estimate.air is not None and estimate.verdict in ("ok", "degraded"):
            self._heard.append(estimate.air)

    def found(self) -> Air | None:
        """The speed that fits all (m/s); its standard error is by what each knows and how they scatter. None of too few."""
        if len(self._heard) < FEWEST:
            return None
        speeds, sigmas = np.array(self._heard).T
        weight = np.minimum(sigmas**-2.0, np.median(sigmas) ** -2.0)  # one event alone does not decide
        mean = float(weight @ speeds / weight.sum())
        scatter = float(robust.deviation(speeds)) / len(speeds) ** 0.5
        return Air(mean, max(scatter, float(weight.sum() ** -0.5)))

    def contradicts(self) -> bool:
        """Whether that is clearly another speed than was told."""
        found = self.found()
        if found is None:
            return False
        return abs(found.speed_m_s - self.told_m_s) > max(CLEAR * found.sigma_m_s, LEAST_SHARE * self.told_m_s)
