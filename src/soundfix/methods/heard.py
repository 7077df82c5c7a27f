"""What the pairs of one window say, before anybody is left out: what a picture of the likelihood is made of."""

from soundfix.estimate import Localizer
from soundfix.localization.abstention import Abstention
from soundfix.localization.boxes import Boxes, CorrelationBoxes
from soundfix.localization.evidence import Evidence
from soundfix.localization.pairs import weighted
from soundfix.localization.pipeline import at_working_rate
from soundfix.localization.preparation import prepare
from soundfix.scene import Scene
from soundfix.threads import one_thread


def evidence_of(localizer: Localizer, scene: Scene) -> Evidence | None:
    """Of the pairs that are located with, by the method's own `boxes`, or by correlation for one that has none.

    None where there is nothing to listen to.
    """
    boxes: Boxes = getattr(localizer, "boxes", None) or CorrelationBoxes()
    try:
        prepared = prepare(at_working_rate(scene))
    except Abstention:
        return None
    with one_thread():
        heard = boxes.hear(prepared)
    return weighted(heard.evidence, prepared.health.weight).among(prepared.is_used)
