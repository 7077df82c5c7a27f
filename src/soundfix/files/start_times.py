"""When a recording began, as its name and its header tell it.

Names     a date and a time of day, to the second or with a fraction, with or without a time zone, anywhere in the name:
          AudioMoth 20220620_143000.WAV (143000T where a sound triggered it), Song Meter SMA00351_20210611_020000.wav
          and Ex-1_0+1_20200617$090000.mp3, BAR 20190101T120000+1000_REC.flac, 2022-06-20_14-30-00.250.wav.
          What is left of the name is the recorder's.
Headers   GUANO (chunk `guan`, field Timestamp); AudioMoth's comment ("Recorded at 14:30:00 20/06/2022 (UTC) by ...");
          OpenSoundscape's; BWF (chunk `bext`, EBU Tech 3285), the samples since midnight where they agree with the time.
Names are believed where all files have one, except that headers which agree with them to the second and are finer come
first. Then headers, where all have one; else each file's own. A time without a zone is in that of the others.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from soundfix.files.decoding import AudioFile
from soundfix.files.headers import read_chunks

NAME = re.compile(
    r"(?P<before>.*?)(?<!\d)(?P<date>[12]\d{3}-?[01]\d-?[0-3]\d)[_$T -]{1,2}(?P<time>[0-2]\d[-.]?[0-5]\d[-.]?[0-5]\d)(?!\d)"
    r"(?P<fraction>[.,]\d{1,6}(?!\d))?(?P<zone>Z|[+-]\d\d:?\d\d(?!\d))?(?:T(?![^_]))?(?P<after>.*)"
)
CHANNELS = re.compile(r"_\d\+\d$")  # Song Meter: which of its channels are in the file
SEPARATORS = "_-. $"
GUANO_TIME = re.compile(r"^Timestamp:(.*)$", re.MULTILINE)
AUDIOMOTH = re.compile(
    r"Record\w{1,8} at (?P<time>\d\d:\d\d:\d\d)(?P<fraction>\.\d+)? (?P<day>\d\d)/(?P<month>\d\d)/(?P<year>\d{4})"
    r"(?: \(UTC(?:(?P<sign>[+-])(?P<hours>\d{1,2})(?::(?P<minutes>\d\d))?)?(?P<is_utc>\)))?"
)
OPENSOUNDSCAPE = re.compile(r'"recording_start_time": "([^"]+)"')
BEXT_FIELDS = "<256x32x32x10s8sQ"  # date, time, samples since midnight
FIRST_YEAR, LAST_YEAR = 1000, 2999
NEAR = timedelta(seconds=1)  # closer than this two times agree to the second


class StartTime(NamedTuple):
    """A time of day on a date, with a zone or without. is_fine: to better than a second."""

    at: datetime
    is_fine: bool = False

    def later(self, seconds: float) -> "StartTime":
        """So much later, or, where that is negative, earlier."""
        return StartTime(self.at + timedelta(seconds=seconds), self.is_fine or seconds != round(seconds))


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a file tells: by its name, and by its header. recorder: the rest of the name, "" where there is none."""

    by_name: StartTime | None = None
    by_header: StartTime | None = None
    recorder: str = ""

    @property
    def is_contradicted(self) -> bool:
        """Whether name and header tell two times."""
        return self.by_name is not None and self.by_header is not None and not agree(self.by_name, self.by_header)


def told_by(file: AudioFile) -> Told:
    """What name and header of this file tell."""
    by_name, recorder = time_in_name(file.path.stem)
    return Told(by_name=by_name, by_header=time_in_header(file), recorder=recorder)


def time_in_name(stem: str) -> tuple[StartTime | None, str]:
    """The time in a file's name (without suffix), and what is left of the name; (None, the name) where there is none."""
    if (found := NAME.fullmatch(stem)) is None:
        return None, stem
    digits = "".join(re.findall(r"\d", found["date"] + found["time"]))
    fraction, zone = (found["fraction"] or "").replace(",", "."), found["zone"] or ""
    at = parse_time(f"{digits[:8]}T{digits[8:]}{fraction}{zone}")
    if at is None:
        return None, stem
    rest = (CHANNELS.sub("", found["before"].rstrip(SEPARATORS)), found["after"])
    return StartTime(at, bool(fraction)), "_".join(filter(None, (part.strip(SEPARATORS) for part in rest)))


def time_in_header(file: AudioFile) -> StartTime | None:
    """The first that is there of GUANO's, AudioMoth's, OpenSoundscape's and BWF's."""
    chunks = read_chunks(file.path, (b"guan", b"bext"))
    guano = GUANO_TIME.search(chunks.get(b"guan", b"").decode("utf-8", "replace"))
    soundscape = OPENSOUNDSCAPE.search(file.comment)
    for found in (guano, soundscape):
        if found and (at := parse_time(found[1].strip())):
            return StartTime(at, "." in found[1])
    return _audiomoth_time(file.comment) or _bext_time(chunks.get(b"bext", b""), file.sample_rate)


def agree(one: StartTime, other: StartTime) -> bool:
    """To the second; a time without a zone may be local or UTC."""
    if one.at.tzinfo and other.at.tzinfo:
        return abs(one.at - other.at) < NEAR
    clocks = [(a, b) for a in _clocks(one.at) for b in _clocks(other.at)]
    return any(abs(a - b) < NEAR for a, b in clocks)


def believed(told: Sequence[Told]) -> list[StartTime | None]:
    """Of each file the time that is believed, all with a zone or all without; None where nothing tells one."""
    names, headers = [each.by_name for each in told], [each.by_header for each in told]
    is_finer = all(each.by_header and each.by_header.is_fine and not each.is_contradicted for each in told)
    if all(headers) and (is_finer or not all(names)):
        return _comparable(headers)
    if all(names):
        return _comparable([_with_zone(each) for each in told])
    return _comparable([each.by_name or each.by_header for each in told])


def _with_zone(told: Told) -> StartTime | None:
    """The name's time, in the zone that the header tells."""
    name, header = told.by_name, told.by_header
    if name is None or header is None or name.at.tzinfo or not header.at.tzinfo or told.is_contradicted:
        return name
    is_local = abs(name.at - header.at.replace(tzinfo=None)) < NEAR
    return name._replace(at=name.at.replace(tzinfo=header.at.tzinfo if is_local else UTC))


def _comparable(times: Sequence[StartTime | None]) -> list[StartTime | None]:
    """All in one zone, or all without one; all with their fractions, or all to the second, which each may have lost."""
    zones = [time.at.tzinfo for time in times if time]
    is_fine = all(time.is_fine for time in times if time)

    def alike(time: StartTime) -> StartTime:
        at = time.at.astimezone(zones[0]) if all(zones) else time.at.replace(tzinfo=None)
        return StartTime(at if is_fine else at.replace(microsecond=0), is_fine)

    return [time and alike(time) for time in times]


def _clocks(at: datetime) -> list[datetime]:
    """What a clock on the wall showed, and one in UTC."""
    return [at.replace(tzinfo=None), *([at.astimezone(UTC).replace(tzinfo=None)] if at.tzinfo else [])]


def parse_time(text: str) -> datetime | None:
    """None where it is none, or beyond the years that names can tell: at the ends of the calendar zones overflow."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if FIRST_YEAR <= at.year <= LAST_YEAR else None


def _audiomoth_time(comment: str) -> StartTime | None:
    if (found := AUDIOMOTH.search(comment)) is None:
        return None
    zone = f"{found['sign'] or '+'}{found['hours'] or 0:0>2}:{found['minutes'] or 0:0>2}" if found["is_utc"] else ""
    fraction, day = found["fraction"] or "", f"{found['year']}-{found['month']}-{found['day']}"
    at = parse_time(f"{day}T{found['time']}{fraction}{zone}")
    return StartTime(at, bool(fraction)) if at else None


def _bext_time(chunk: bytes, sample_rate: int) -> StartTime | None:
    """Some recorders put a time code into the samples since midnight: it is left alone where the time says otherwise."""
    if len(chunk) < struct.calcsize(BEXT_FIELDS):
        return None
    date, time, samples = struct.unpack_from(BEXT_FIELDS, chunk)
    digits = re.sub(rb"\D", b"", date + time).decode()
    at = parse_time(f"{digits[:8]}T{digits[8:]}") if len(digits) == 14 else None
    if at is None:
        return None
    fine = at.replace(hour=0, minute=0, second=0) + timedelta(seconds=min(samples / sample_rate, 86400.0))
    return StartTime(fine, True) if abs(fine - at) < NEAR else StartTime(at)
