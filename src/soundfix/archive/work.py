"""What a worker does with a piece of an archive: located as by `soundfix.locate`, it becomes rows of a table and a map."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from soundfix.api.events import events_in
from soundfix.api.listening import listened
from soundfix.api.locate import run
from soundfix.api.request import LocateRequest
from soundfix.archive.pieces import Piece
from soundfix.archive.rows import clock_of, rows_of
from soundfix.errors import SoundfixError
from soundfix.estimate import Estimate, Localizer
from soundfix.methods.catalog import DEFAULT, load
from soundfix.microphones import Microphones
from soundfix.report.geojson import features
from soundfix.scene import Band
from soundfix.search_region import SearchRegion


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How every piece is located; the options are those of `locate`. every: windows in which nothing stands out too."""

    method: str = DEFAULT
    checkpoint: Path | None = None
    window_s: float | None = None
    hop_s: float | None = None
    search: SearchRegion | None = None
    temperature_c: float | None = None
    speed_of_sound_m_s: float | None = None
    wind_m_s: float | None = None
    band_hz: Band | None = None
    every: bool = False

    def localizer(self) -> Localizer:
        """The method, loaded."""
        return load(self.method, **({"checkpoint": self.checkpoint} if self.checkpoint else {}))

    def to_dict(self) -> dict[str, Any]:
        """As text, for the settings of a folder."""
        return {name: None if value is None else str(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, kw_only=True)
class Located:
    """What was made of a piece. trouble: why nothing was. rows, features: of the table and the map.

    counts: of verdicts, and of windows that were passed over. audio_s: of sound over all microphones. silences: in words.
    """

    key: str
    audio_s: float
    rows: list[list[Any]] = field(default_factory=list)
    features: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    silences: list[str] = field(default_factory=list)
    trouble: str | None = None


def worker(asked: Asked, microphones: Microphones, crs: str | None) -> Callable[[Piece], Located]:
    """What locates pieces, with the method loaded once."""
    return partial(locate_piece, asked, asked.localizer(), microphones, crs)


def locate_piece(asked: Asked, method: Localizer, microphones: Microphones, crs: str | None, piece: Piece) -> Located:
    """Rows and features of a piece; what cannot be located says why, and harms no other piece."""
    found: list[Estimate] = []
    try:
        request = _request(asked, method, microphones, piece)
        summary = run(request, found.append)
    except SoundfixError as error:
        return Located(key=piece.key, audio_s=piece.audio_s, trouble=str(error))
    counts = Counter(each.verdict for each in found) + Counter(passed_over=summary.passed_over)
    return Located(
        key=piece.key,
        audio_s=piece.audio_s,
        rows=[row for each in found for row in rows_of(each, piece.refs, crs)],
        features=[with_time(each, one) for each in found for one in features(each, crs)] if crs else [],
        counts=dict(counts),
        silences=[f"{silence.microphone}: {silence.text}" for silence in summary.silences],
    )


def with_time(estimate: Estimate, feature: dict[str, Any]) -> dict[str, Any]:
    """The feature, which says when by the clock; seconds of a piece say nothing."""
    told = {name: value for name, value in feature["properties"].items() if name not in ("start_s", "end_s")}
    label = estimate.event.label if estimate.event else None
    return feature | {"properties": {"clock": clock_of(estimate), "event": label} | told}


def _request(asked: Asked, method: Localizer, microphones: Microphones, piece: Piece) -> LocateRequest:
    take = piece.take(microphones)
    if piece.events is None:
        sound, band_hz = listened(take, asked.band_hz)
        return _told(asked, method, sound=sound, band_hz=band_hz, window_s=asked.window_s, hop_s=asked.hop_s,
            passes_over=not asked.every)  # fmt: skip
    sound, listed = events_in(take, piece.events, asked.band_hz, Path("events"))
    return _told(asked, method, sound=sound, events=listed)


def _told(asked: Asked, method: Localizer, **given: Any) -> LocateRequest:
    return LocateRequest(
        method=method, search=asked.search, temperature_c=asked.temperature_c,
        speed_of_sound_m_s=asked.speed_of_sound_m_s, wind_m_s=asked.wind_m_s, **given,
    )  # fmt: skip
