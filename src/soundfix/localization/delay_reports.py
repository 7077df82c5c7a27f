"""Whose delays are wrong: a report on every microphone, and the pairs that are wrong by themselves."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from soundfix.delays import Delays
from soundfix.estimate import Finding, MicrophoneReport, Status
from soundfix.localization.delay_fit import AGREED, Fit
from soundfix.microphones import Microphones

FEWEST_NAMED = (
    2  # delays of a microphone that have to be wrong, more than are right, before it is named and not the pairs
)


def report_delays(
    best: Fit, incidence: Float[np.ndarray, "delay mic"], microphones: Microphones
) -> tuple[tuple[MicrophoneReport, ...], list[Finding]]:
    """On every microphone; one that was not heard has no weight, and no blame."""
    accused, reports = _accused(best, incidence), []
    for m, name in enumerate(microphones.names):
        rows = np.flatnonzero(incidence[:, m])
        status: Status = "excluded" if m in accused else "ok" if microphones.is_known[m] else "unknown-position"
        misfit_m = float(np.median(incidence[rows, m] * best.misfit_m[rows])) if len(rows) else None
        report = MicrophoneReport(
            name=name,
            status=status,
            weight=float(best.is_right[rows].mean()) if len(rows) and status == "ok" else 0.0,
            position_m=microphones.positions[m] if microphones.is_known[m] else None,
            pull_m=misfit_m,
            residual_m=misfit_m if status == "ok" else None,
        )
        reports.append(report)
    return tuple(reports), [_accusation(report) for report in reports if report.status == "excluded"]


def _accused(best: Fit, incidence: Float[np.ndarray, "delay mic"]) -> set[int]:
    """Microphones of wrong arrivals; of pairs, one after the other, who is in more wrong ones than right ones."""
    is_wrong, ends = best.is_right < AGREED, incidence != 0
    if incidence.sum(axis=1).any():
        return {int(m) for m in np.flatnonzero(ends[is_wrong].any(axis=0))}
    accused: set[int] = set()
    while True:
        is_open = ~ends[:, list(accused)].any(axis=1)
        wrong, right = ends[is_open & is_wrong].sum(axis=0), ends[is_open & ~is_wrong].sum(axis=0)
        worst = int((wrong - right).argmax())
        if wrong[worst] < FEWEST_NAMED or wrong[worst] <= right[worst]:
            return accused
        accused.add(worst)


def _accusation(report: MicrophoneReport) -> Finding:
    assert report.pull_m is not None
    when = f"{abs(report.pull_m):.2f} m too {'late' if report.pull_m > 0 else 'early'}"
    sentence = f"{report.name} hears it {when}: an echo, another sound, its clock or its position; left out"
    return Finding(f"excluded:{report.name}", sentence)


def wrong_pairs(best: Fit, heard: Delays, reports: tuple[MicrophoneReport, ...], speed_m_s: float) -> Iterator[Finding]:
    """Wrong delays of pairs whose microphones are not to blame."""
    if heard.second is None:
        return
    for d in np.flatnonzero(best.is_right < AGREED):
        first, second = reports[heard.first[d]], reports[heard.second[d]]
        if "excluded" not in (first.status, second.status):
            off_ms = 1e3 * best.misfit_m[d] / speed_m_s
            sentence = f"the delay of {first.name} and {second.name} is {off_ms:+.1f} ms off; left out"
            yield Finding(f"pair:{first.name}/{second.name}", sentence)


def report_unheard(microphones: Microphones) -> tuple[MicrophoneReport, ...]:
    """The reports of an answer that uses no delay."""
    return tuple(
        MicrophoneReport(
            name=name,
            status="ok" if is_known else "unknown-position",
            weight=0.0,
            position_m=place if is_known else None,
        )
        for name, place, is_known in zip(microphones.names, microphones.positions, microphones.is_known, strict=True)
    )
