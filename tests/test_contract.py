"""Every name in the catalog obeys the contract; the contract itself notices those who do not."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from soundfix.catalog import CATALOG, load
from soundfix.localizer import Estimate
from soundfix.scene import Scene
from soundfix.testing import CHECKS, check_localizer


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CATALOG)
def test_catalog_obeys(name, check):
    check(load(name))  # raises where it does not: expect no failure


@dataclass(frozen=True)
class AlwaysSomewhere:
    """Answers at the middle of the room, whatever it hears."""

    name: str = "always-somewhere"

    def locate(self, scene: Scene) -> Estimate:
        estimate = load("srp-phat").locate(scene)
        moved = tuple(replace(source, position_m=np.zeros(3)) for source in estimate.sources)
        return replace(estimate, sources=moved)


def test_contract_refuses_a_wrong_answer():
    with pytest.raises(AssertionError, match="always-somewhere: finds_a_source_in_the_open"):
        check_localizer(AlwaysSomewhere())
