"""Every name in the catalog obeys the contract; the contract itself notices those who do not."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from helpers.make_weights import NGCC, PAPER
from helpers.networks import tiny
from helpers.rivals import sure_of
from soundfix.estimate import Estimate
from soundfix.methods.catalog import CATALOG, load
from soundfix.methods.srp_phat import SrpPhat
from soundfix.networks import checkpoint
from soundfix.scene import Scene
from soundfix.testing import CHECKS, ROOM, SOURCE, check_localizer, load_checked


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """What each name needs to be loaded.

    three-stream is random but for its likelihood head, which starts as physics. three-stream-paper knows a room by heart:
    that of the contract's own scenes. NGCC-PHAT is a small one; the published one locates in methods/test_multilat_ngcc.py.
    The rivals are sure of the contract's source from the start.
    """
    folder = tmp_path_factory.mktemp("weights")
    checkpoint.save(tiny(is_untrained=True), folder / "three-stream.safetensors")
    for name, size in (("di-nn", "di-nn"), ("gnn", "gnn slf"), ("wav2pos", "wav2pos")):
        sure = sure_of(size, SOURCE - np.array(ROOM).mean(axis=0))
        checkpoint.save(sure, folder / f"{name}.safetensors", kind=name)
    found = {path.stem: {"checkpoint": path} for path in folder.iterdir()}
    return found | {"multilat-ngcc": {"checkpoint": NGCC}, "three-stream-paper": {"checkpoint": PAPER}}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CATALOG)
def test_catalog_obeys(name, check, options):
    check(load(name, **options.get(name, {})))  # raises where it does not: expect no failure


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


def test_load_checked_gives_the_localizer():
    assert load_checked("soundfix.methods.srp_phat:SrpPhat") == SrpPhat()
