"""Answers in words, a line each: what the command line prints."""

from collections.abc import Iterable, Iterator

from soundfix.localizer import Estimate, MicrophoneReport


def describe(estimate: Estimate) -> str:
    """One window: when, the verdict, the place or places with the radius of their 90 % region, and the reasons."""
    span = f"{estimate.start_s:8.2f} -{estimate.end_s:8.2f} s  {estimate.verdict:9s}"
    between = " or " if estimate.verdict == "ambiguous" else " and "
    places = between.join(
        f"({', '.join(f'{coordinate:.2f}' for coordinate in source.position_m)}) m ±{100 * source.radius90_m:.0f} cm"
        for source in estimate.sources
    )
    return "  ".join(part for part in (span, places, " ".join(estimate.reasons)) if part)


def describe_microphones(reports: Iterable[MicrophoneReport]) -> Iterator[str]:
    """How many are sound, and a line on each of the others."""
    reports = list(reports)
    wrong = [report for report in reports if report.status != "ok"]
    yield f"microphones: {len(reports) - len(wrong)} of {len(reports)} ok"
    for report in wrong:
        yield f"  {report.name}: {report.status}{_pull(report)}{_range(report)}"


def _pull(report: MicrophoneReport) -> str:
    if report.status not in ("late", "misplaced") or report.pull_m is None:
        return ""
    return f", hears the source {abs(report.pull_m):.2f} m too {'late' if report.pull_m > 0 else 'early'}"


def _range(report: MicrophoneReport) -> str:
    return "" if report.range_m is None else f", {report.range_m:.2f} m from the source"
