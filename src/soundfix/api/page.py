"""What a page shows of the sound itself: how loud it was where and when, a channel to listen to, and the curves of pairs."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from jaxtyping import Float, UInt8

from soundfix import __version__
from soundfix.api.provenance import request_dict
from soundfix.api.request import LocateRequest
from soundfix.api.sound import Sound
from soundfix.errors import SceneError
from soundfix.estimate import Estimate
from soundfix.localization.evidence import Evidence
from soundfix.methods.heard import evidence_of
from soundfix.report.likelihood import GRAIN_M, likelihood_dict
from soundfix.report.page import Recorded
from soundfix.report.plots import plot_estimates
from soundfix.report.summary import summary_dict
from soundfix.resample import resampled
from soundfix.session.session import Session
from soundfix.session.summary import Summary

PARTS = 1500  # of a recording, each as loud as its loudest sample
BLOCK_S = 10.0
MOST_CURVES, CURVE_BYTES = 120, 500_000  # windows, and what they take together; beyond, curves are coarser
LONGEST_S, SOUND_HZ = 120.0, 16_000  # of a sound that goes with the page


def plot_recording(
    estimates: Sequence[Estimate], request: LocateRequest, summary: Summary, path: Path,
    told: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """plot_estimates; a page has the sound in it too. told: what went in (provenance.py), where somebody has it already, for
    files are hashed for it."""
    recorded = recorded_for(estimates, request, summary, told) if path.suffix.lower() == ".html" else None
    plot_estimates(estimates, request.sound.microphones, request.room, path, recorded)


def recorded_for(
    estimates: Sequence[Estimate], request: LocateRequest, summary: Summary, told: Mapping[str, Any] | None = None
) -> Recorded:
    """All of it, from the recording."""
    head = {"method": request.method_name, "version": __version__, "request": told or request_dict(request)}
    count = {"windows": request.count - summary.passed_over}
    best = clearest(estimates, request.sound.microphones.names)
    return Recorded(
        document=head | count | summary_dict(summary),
        duration_s=request.sound.duration_s,
        waves=loudness(request.sound),
        curves=list(curves(estimates, request)),
        microphone=request.sound.microphones.names[best],
        mp3=mp3_of(request.sound, best) if request.sound.duration_s <= LONGEST_S else b"",
    )


def loudness(sound: Sound, parts: int = PARTS) -> UInt8[np.ndarray, "mic part"]:
    """The largest sample of each part; 255 is the largest of all."""
    peaks = np.zeros((len(sound.microphones), parts))
    total, at = max(round(sound.duration_s * sound.sample_rate), 1), 0
    for block in sound.blocks(BLOCK_S):
        size = np.abs(np.nan_to_num(block))
        index = np.minimum((at + np.arange(size.shape[1])) * parts // total, parts - 1)
        starts = np.flatnonzero(np.diff(index, prepend=-1))
        found = np.maximum.reduceat(size, starts, axis=1)
        peaks[:, index[starts]] = np.maximum(peaks[:, index[starts]], found)
        at += size.shape[1]
    return np.rint(255 * peaks / max(peaks.max(), 1e-12)).astype(np.uint8)


def clearest(estimates: Sequence[Estimate], names: Sequence[str]) -> int:
    """The microphone with the most weight in all answers."""
    weights = dict.fromkeys(names, 0.0)
    for report in (report for estimate in estimates for report in estimate.microphones):
        weights[report.name] += report.weight
    return int(np.argmax([weights[name] for name in names]))


def mp3_of(sound: Sound, m: int) -> bytes:
    """The sound of one microphone, small; nothing where this machine makes none."""
    whole = np.concatenate([np.nan_to_num(block[m]) for block in sound.blocks(BLOCK_S)])
    heard = resampled(whole[None], sound.sample_rate, SOUND_HZ)[0]
    file = io.BytesIO()
    try:
        soundfile.write(file, 0.7 * heard / max(np.abs(heard).max(), 1e-9), SOUND_HZ, format="MP3")
    except (soundfile.LibsndfileError, ValueError):
        return b""
    return file.getvalue()


def curves(estimates: Sequence[Estimate], request: LocateRequest) -> Iterator[dict[str, Any] | None]:
    """Of each estimate, or None: of events, which have bands of their own, and of some of very many windows."""
    if request.events is not None or not estimates:
        return
    wanted = {estimate.start_s: estimate for estimate in estimates[:: -(-len(estimates) // MOST_CURVES)]}
    found = _found(wanted, request)
    yield from (found.get(estimate.start_s) for estimate in estimates)


def _found(wanted: Mapping[float, Estimate], request: LocateRequest) -> dict[float, dict[str, Any]]:
    """By the beginnings of these windows; none is heard beyond the last of them."""
    found, session, last_s = dict[float, dict[str, Any]](), request.session(), max(wanted)
    for start_s, part in request.sound.windows(*request.span_s):
        if start_s in wanted:
            evidence = _evidence(session, start_s, part, wanted[start_s], request.sound.sample_rate)
            if evidence is not None:
                found[start_s] = likelihood_dict(evidence, _grain(evidence, len(wanted)))
        if start_s >= last_s:
            break
    return found


def _evidence(
    session: Session, start_s: float, part: Float[np.ndarray, "mic time"], estimate: Estimate, rate: float
) -> Evidence | None:
    """Of the microphones that the answer listened to; None where this is too short to be a window."""
    weights = {report.name: report.weight for report in estimate.microphones}
    is_heard = np.array([weights.get(name, 0.0) > 0 for name in session.microphones.names])
    try:
        scene = session.scene(start_s, part, rate)
        return evidence_of(session.localizer, replace(scene, is_trusted=is_heard) if is_heard.any() else scene)
    except SceneError:
        return None


def _grain(evidence: Evidence, count: int) -> float:
    """So that so many together are not too large."""
    size = count * len(evidence.pairs) * 2 * float(evidence.spacing_m.max()) / GRAIN_M
    return GRAIN_M * max(1.0, size / CURVE_BYTES)
