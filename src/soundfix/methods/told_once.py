"""Who sounds at once, told once: that a source moves changes how sure its place is, not who sounds beside it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.localization.consensus import Consensus


class AtOnce(NamedTuple):
    """Of each of several sources its own consensus: of all, told apart by cells, or of those after the first."""

    own: list[Consensus]
    further: list[Consensus]

    def moving(self, is_moving: bool) -> "AtOnce":
        """The same of sources that move, or do not."""
        return AtOnce(*([replace(each, is_moving=is_moving) for each in some] for some in self))


class _Told(NamedTuple):
    consensus: Consensus
    box: Float[np.ndarray, "2 3"]
    sources: AtOnce


@dataclass(frozen=True, eq=False)
class ToldOnce:
    """What was told of a consensus in a box, remembered for the window at hand."""

    told: list[_Told] = field(default_factory=list)

    def __call__(self, consensus: Consensus, box: Float[np.ndarray, "2 3"], tell: Callable[[], AtOnce]) -> AtOnce:
        """What `tell` says, or said before of the same consensus, whether it moved or not."""
        for before in self.told:
            if np.array_equal(before.box, box) and _is_same(before.consensus, consensus):
                return before.sources.moving(consensus.is_moving)
        self.told.append(_Told(consensus, box, tell()))
        return self.told[-1].sources


def _is_same(one: Consensus, other: Consensus) -> bool:
    """Whether one is the other, but for motion and rivals: what was agreed on is never written to."""
    alike = (name for name in vars(one) if name not in ("is_moving", "modes"))
    is_alike = all(vars(one)[name] is vars(other)[name] for name in alike)
    return is_alike and one.modes[0].position is other.modes[0].position
