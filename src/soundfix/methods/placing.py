"""From what the microphones agree on to the sources of a network: further ones, other opinions, calibrated regions."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Float

from soundfix.estimate import Finding
from soundfix.localization import conformal
from soundfix.localization.boxes import Placed
from soundfix.localization.consensus import Consensus, with_polarity
from soundfix.localization.cross_check import DECODER_ERRORS, Opinion, widen_where_others_disagree
from soundfix.localization.evidence import Evidence
from soundfix.localization.health import examine
from soundfix.localization.mixed_sources import Believe, Found, Places, can_be_told_apart, told_apart
from soundfix.localization.multi_source import MOST_SOURCES, apart_from, further_sources, multi_source_findings
from soundfix.localization.pairs import weighted
from soundfix.localization.preparation import Prepared
from soundfix.localization.sources import CLEAR_LEAD, LISTED, SURE, one_of_twins, place_sources
from soundfix.methods.frame import width_m
from soundfix.methods.network_evidence import NetworkHeard, likelihoods_of, metres, slot_evidence, white_sound
from soundfix.methods.reranking import chances, likeliest_places
from soundfix.methods.told_once import AtOnce
from soundfix.signal.arrays import as_kind, inference, to_numpy


def place_network_sources(
    heard: NetworkHeard, prepared: Prepared, consensus: Consensus, box: Float[np.ndarray, "2 3"]
) -> Placed:
    """The first source and its rivals, and the further sources that sound at once."""
    scene = prepared.scene
    own, further = heard.told_once(consensus, box, partial(at_once, heard, prepared, consensus, box))
    consensus = one_of_twins(apart_from(consensus, [other.modes[0].position for other in (*own[1:], *further)]))
    (first, *rivals), findings = place_sources(scene, consensus, box)
    sure = consensus.modes[0].probability
    left = 1 - (LISTED if sure is None else sure)
    first, said = widen_where_others_disagree(first, rivals, opinions(heard, consensus), left)
    alone = [first, *(place_sources(scene, other, box)[0][0] for other in further)]
    together = [conformal.among_several(place_sources(scene, each, box)[0][0]) for each in own]
    sources = (*(together or conformal.calibrated(alone, consensus)), *conformal.calibrated(rivals, consensus))
    count = multi_source_findings(together or alone)
    return Placed(sources, (*findings, *said, *count, *unsure_of(own[1:] or further), *beyond_training(heard)))


def unsure_of(further: Sequence[Consensus]) -> tuple[Finding, ...]:
    """That a source beside the first is hardly likely one: its region says so, and the verdict has to."""
    least = min((each.modes[0].probability or 0.0 for each in further if each.modes[0].probability), default=1.0)
    if least >= SURE:
        return ()
    return (Finding("unsure", f"one of the sources beside the first is one with {least:.0%} only"),)


def at_once(heard: NetworkHeard, prepared: Prepared, consensus: Consensus, box: Float[np.ndarray, "2 3"]) -> AtOnce:
    """Who sounds at once: told apart by cells, or, where these do not tell, one after the other."""
    if can_be_told_apart(prepared.scene, consensus):
        believe = further_belief(heard, consensus, box)
        return AtOnce(told_apart(prepared, consensus, white_sound(heard), box, believe), [])
    find = partial(likeliest_places, heard, box=box)
    return AtOnce([], further_sources(consensus, further_evidence(heard, consensus), find))


def further_belief(heard: NetworkHeard, consensus: Consensus, box: Float[np.ndarray, "2 3"]) -> Believe | None:
    """What the second look says of further places, where the network has one."""
    if heard.reranker is None:
        return None
    said = likelihoods_of(heard, consensus.evidence.among(consensus.is_kept))

    def believe(places: Places, found: Found) -> float:
        return float(chances(heard, said, places, list(found), box=box)[0])

    return believe


def beyond_training(heard: NetworkHeard) -> tuple[Finding, ...]:
    """That the network was asked for curves alone."""
    if not heard.is_beyond_training:
        return ()
    sentence = (
        f"to the network this array is {width_m(heard.scene, heard.frame):.3g} m wide, and it learned with 2 to 18 m: "
        "its second look and its decoder were not asked"
    )
    return (Finding("beyond_training", sentence, degrades=False),)


def further_evidence(heard: NetworkHeard, consensus: Consensus) -> Sequence[Evidence]:
    """Where further sources are sought, one after the other: each has a slot, or all are in the only one."""
    slots = heard.answers.sources_m.shape[1]
    if slots == 1 and heard.reranker is not None:
        return [consensus.evidence] * (MOST_SOURCES - 1)
    weight, turned = examine(heard.scene).weight, consensus.is_inverted & ~consensus.evidence.turned()
    slot = partial(slot_evidence, heard.answers, scene=heard.scene)
    return [with_polarity(weighted(slot(number), weight), turned) for number in range(1, slots)]


def opinions(heard: NetworkHeard, consensus: Consensus) -> list[Opinion]:
    """What SRP-PHAT would say among the modes, where it is clear, and where the position decoder puts the source."""
    if consensus.evidence.is_broad:
        return []
    deviations = steered_power(heard, consensus)
    best = int(deviations.argmax())
    is_clear = deviations[best] - deviations[0] >= CLEAR_LEAD
    steered = [Opinion(who="SRP-PHAT", position_m=consensus.modes[best].position)] if is_clear else []
    if heard.is_beyond_training:
        return steered
    decoded = Opinion(
        who="the position decoder",
        position_m=metres(heard.answers.sources_m, heard.frame)[0],
        near_m=DECODER_ERRORS * 3**0.5 * float(heard.network.error_m) / heard.frame.metre,
    )
    return [*steered, decoded]


def steered_power(heard: NetworkHeard, consensus: Consensus) -> Float[np.ndarray, "mode"]:
    """Of the plain curves of the pairs that were kept, at every mode, in standard deviations."""
    plain = likelihoods_of(heard, consensus.evidence.among(consensus.is_kept)).physics
    modes = heard.frame.inside(np.array([mode.position for mode in consensus.modes]))
    positions = np.nan_to_num(heard.frame.inside(heard.scene.microphones.positions))
    places, stand = (as_kind(each[None], plain.curves) for each in (modes, positions))
    speed = as_kind(np.array([heard.frame.speed_m_s]), places)
    with inference(places):
        return to_numpy(plain.at(places, stand, speed)[0, 0] / plain.sharpness)
