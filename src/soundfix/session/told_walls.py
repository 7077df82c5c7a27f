"""Whether the walls that were told are those of the room: in one window an echo is easily missed, in many it is not."""

from dataclasses import dataclass, field

import numpy as np

from soundfix.estimate import Estimate, Finding
from soundfix.localization.correlate import Correlator
from soundfix.localization.health import examine
from soundfix.localization.pairs import choose_pairs
from soundfix.localization.walls import WallSums, heard_walls
from soundfix.scene import Room, Scene

CONTRADICTED = Finding(
    "room_contradicted",
    "no echo of these walls is heard, but others: answered without the room (a box that is no room is a --search)",
    degrades=False,
)


@dataclass(kw_only=True, eq=False)
class ToldWalls:
    """Windows come in by `hear`. room: as it was told."""

    room: Room
    _sums: WallSums = field(init=False, default_factory=WallSums)

    def hear(self, scene: Scene, estimate: Estimate) -> None:
        """One window more, if it is clear where its source was; by those that it was located with. Walls that have answered
        are asked no more."""
        if estimate.verdict not in ("ok", "degraded") or self._sums.are_confirmed():
            return
        is_used = [report.weight > 0 and report.status != "inverted" for report in estimate.microphones]
        is_kept = scene.microphones.is_known & np.array(is_used)
        pairs, _ = choose_pairs(is_kept)
        evidence = Correlator()(examine(scene).audio, scene, pairs)
        self._sums.add(heard_walls(evidence, is_kept, estimate.sources[0].position_m, self.room))

    def are_contradicted(self) -> bool:
        """Whether echoes are heard, but not those of these walls."""
        return self._sums.are_contradicted()
