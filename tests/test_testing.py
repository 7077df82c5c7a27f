"""Every name in the catalog obeys the contract; the contract itself notices those who do not."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from helpers import DATA
from helpers.networks import paper_like, taught, tiny
from helpers.rivals import sure_of
from soundfix.estimate import Estimate
from soundfix.methods.catalog import CATALOG, load
from soundfix.methods.srp_phat import SrpPhat
from soundfix.networks import checkpoint
from soundfix.scene import Scene
from soundfix.testing import CHECKS, ROOM, SOURCE, check_localizer

NGCC = DATA / "ngcc_phat_librispeech.safetensors"


@pytest.fixture(scope="session")
def options(tmp_path_factory):
    """What each name needs to be loaded.

    three-stream is random but for its likelihood head, which starts as physics. three-stream-paper learns a room by heart:
    here the contract's own scenes. The rivals are sure of the contract's source from the start.
    """
    folder = tmp_path_factory.mktemp("weights")
    listener = Recorder()
    for check in CHECKS:
        check(listener)
    learned = taught(paper_like(correlation="gcc"), listener.scenes, SOURCE)
    checkpoint.save(tiny(is_untrained=True), folder / "three-stream.safetensors")
    checkpoint.save(learned, folder / "three-stream-paper.safetensors")
    for name, size in (("di-nn", "di-nn"), ("gnn", "gnn slf"), ("wav2pos", "wav2pos")):
        sure = sure_of(size, SOURCE - np.array(ROOM).mean(axis=0))
        checkpoint.save(sure, folder / f"{name}.safetensors", kind=name)
    found = {path.stem: {"checkpoint": path} for path in folder.iterdir()}
    return found | {"multilat-ngcc": {"checkpoint": NGCC}}


@dataclass(frozen=True)
class Recorder:
    """SRP-PHAT, remembering what it was asked."""

    scenes: list[Scene] = field(default_factory=list)
    name: str = "recorder"

    def locate(self, scene: Scene) -> Estimate:
        self.scenes.append(scene)
        return SrpPhat().locate(scene)


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
