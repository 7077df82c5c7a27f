"""What `soundfix.locate` and the command were asked for, and what follows from it before the first window."""

from dataclasses import dataclass
from pathlib import Path

from soundfix.api.events import Listed as ListedEvent
from soundfix.api.sound import Sound
from soundfix.errors import ConfigError
from soundfix.estimate import Localizer
from soundfix.files.take import window_for
from soundfix.methods.catalog import DEFAULT, load
from soundfix.scene import Band, Room, checked_speed, checked_wind
from soundfix.search_region import SearchRegion
from soundfix.session.session import Session
from soundfix.survey.requirement import Promise, Requirement, known_array, promise


@dataclass(frozen=True, kw_only=True, eq=False)
class LocateRequest:
    """What was asked for; the options are those of `locate`. require, events: read already. Raises ConfigError.

    passes_over: windows in which nothing stands out; None: those of long recordings in the field.
    """

    sound: Sound
    method: str | Localizer = DEFAULT
    checkpoint: str | Path | None = None
    beats: str | Path | None = None
    explain: bool = False
    window_s: float | None = None
    hop_s: float | None = None
    smooth: bool = False
    tracks: bool = False
    room: Room | None = None
    search: SearchRegion | None = None
    temperature_c: float | None = None
    speed_of_sound_m_s: float | None = None
    wind_m_s: float | None = None
    require: Requirement | None = None
    band_hz: Band | None = None
    events: tuple[ListedEvent, ...] | None = None
    passes_over: bool | None = None

    def __post_init__(self) -> None:
        idle = {"window": self.window_s, "hop": self.hop_s, "require": self.require}
        idle |= {"smooth": self.smooth or None, "tracks": self.tracks or None}
        given = [name for name, value in idle.items() if value is not None]
        if self.events is not None and given:
            raise ConfigError(f"{given[0]} does nothing with events, which are located one by one: leave it out")

    @property
    def method_name(self) -> str:
        """Of the method."""
        return self.method if isinstance(self.method, str) else self.method.name

    @property
    def speed(self) -> float:
        """Of sound (m/s)."""
        return checked_speed(self.speed_of_sound_m_s, self.temperature_c)

    @property
    def span_s(self) -> tuple[float, float]:
        """Length of a window, which without one suits the array, and from window to window: its length without a hop."""
        window_s = window_for(self.sound.microphones, self.speed) if self.window_s is None else self.window_s
        return window_s, window_s if self.hop_s is None else self.hop_s

    @property
    def count(self) -> int:
        """Windows, or events, to go through."""
        return self.sound.count_windows(*self.span_s) if self.events is None else len(self.events)

    def promise(self) -> Promise | None:
        """What the array can keep of the contract, if there is one."""
        if self.require is None:
            return None
        return promise(self.require, known_array(self.sound.microphones, self.room, self.search))

    def localizer(self) -> Localizer:
        """The method, with the options that were given: it takes only those it knows."""
        told = {"checkpoint": self.checkpoint, "beats": self.beats, "explains": self.explain}
        options = {name: value for name, value in told.items() if value not in (None, False)}
        if isinstance(self.method, str):
            return load(self.method, **options)
        if options:
            raise ConfigError(f"{min(options)} does nothing for {self.method!r}: give it where that is made")
        return self.method

    def session(self) -> Session:
        """With the method loaded, before the first window."""
        return Session(
            localizer=self.localizer(),
            microphones=self.sound.microphones,
            room=self.room,
            search=self.search,
            temperature_c=self.temperature_c,
            speed_of_sound_m_s=self.speed_of_sound_m_s,
            wind_m_s=checked_wind(self.wind_m_s),
            require=self.require,
            band_hz=self.band_hz,
        )
