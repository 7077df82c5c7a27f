"""What a worker does with an uploaded recording: the calls of `soundfix`, from files in a folder to a JSON document.

Runs in a process of its own (workers.py): only this module decodes and computes.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from soundfix.api.calibrate import Calibrated, CalibrateRequest, hear, solve
from soundfix.api.check import Checked, CheckRequest
from soundfix.api.check import run as run_check
from soundfix.api.listening import listened
from soundfix.api.locate import heard_as, result, with_errors
from soundfix.api.request import LocateRequest
from soundfix.api.sound import Sound
from soundfix.errors import SceneError
from soundfix.files.polygons import told_region
from soundfix.files.take import read
from soundfix.server.job import LIST, SOUND
from soundfix.server.limits import Limits
from soundfix.survey.requirement import parse_requirement

EVERY_S = 0.25

Progress = Callable[[float], None]
Options = Mapping[str, Any]


def locate(sound: Sound, options: Options, progress: Progress) -> dict[str, Any]:
    """As `soundfix locate --json`."""
    sound = with_errors(sound, options.get("position_sigma_m"), options.get("clock_sigma_s"))
    sound, band_hz, _ = heard_as(sound, options.get("band_hz"), None)
    named = (
        "method",
        "explain",
        "window_s",
        "hop_s",
        "smooth",
        "tracks",
        "room",
        "temperature_c",
        "speed_of_sound_m_s",
    )
    request = LocateRequest(
        sound=sound, band_hz=band_hz, search=told_region(options.get("search"), options.get("height_m")),
        require=_requirement(options), **{name: options[name] for name in named if options.get(name) is not None},
    )  # fmt: skip
    return result(request, watch=_counted(request.count, progress)).to_dict()


def check(sound: Sound, options: Options, progress: Progress) -> dict[str, Any]:
    """As `soundfix check --json`."""
    sound, band_hz = listened(sound, options.get("band_hz"))
    request = CheckRequest(
        sound=sound, band_hz=band_hz, search=told_region(options.get("search"), options.get("height_m")),
        require=_requirement(options), **_air(options),
    )  # fmt: skip
    return Checked(survey=run_check(request, _counted(request.count, progress))).to_dict()


def calibrate(sound: Sound, options: Options, progress: Progress) -> dict[str, Any]:
    """As `soundfix calibrate --json`."""
    sound, band_hz = listened(sound, options.get("band_hz"))
    request = CalibrateRequest(sound=sound, band_hz=band_hz, clocks=options.get("clocks") or "common", **_air(options))
    heard = hear(request, _counted(request.count, progress))
    return Calibrated(calibration=solve(request, heard), listed=request.sound.microphones).to_dict()


TASKS: Mapping[str, Callable[[Sound, Options, Progress], dict[str, Any]]] = {
    "locate": locate,
    "check": check,
    "calibrate": calibrate,
}


def do(kind: str, folder: Path, options: Options, limits: Limits, progress: Progress) -> str:
    """The document, as text. Raises SoundfixError with a sentence for whoever sent it."""
    (listed,) = (folder / LIST).iterdir()
    take = read(sorted((folder / SOUND).iterdir()), listed)
    check_size(take, limits)
    told = {name: _tuples(value) for name, value in options.items()}
    return without_folder(json.dumps(TASKS[kind](take, told, progress), allow_nan=False), folder)


def _tuples(value: Any) -> Any:
    """Lists of JSON as the calls take them."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def without_folder(text: str, folder: Path) -> str:
    """A text for whoever sent the files, who knows them by their names alone. text: of JSON, or a sentence."""
    for each in (folder / SOUND, folder / LIST, folder):
        text = text.replace(f"{json.dumps(str(each))[1:-1]}/", "").replace(f"{each}/", "")
    return text


class TooMuch(SceneError):
    """A recording beyond the limits of the service."""


def check_size(sound: Sound, limits: Limits) -> None:
    """Raises TooMuch for a recording that is longer than allowed, or has more channels."""
    if sound.duration_s > limits.sound_s:
        raise TooMuch(
            f"{sound.duration_s:.0f} s of sound, {limits.sound_s:.0f} s at most: cut the recording into pieces"
        )
    if len(sound.microphones) > limits.channels:
        raise TooMuch(f"{len(sound.microphones)} microphones, {limits.channels} at most")


def _requirement(options: Options) -> Any:
    return parse_requirement(options["require"]) if options.get("require") else None


def _air(options: Options) -> dict[str, Any]:
    names = ("room", "temperature_c", "speed_of_sound_m_s")
    return {name: options[name] for name in names if options.get(name) is not None}


def _counted(count: int, progress: Progress) -> Callable[..., None]:
    """Called after every window, whatever it is told: says now and then which share of them is done."""
    done, said_s = 0, monotonic()

    def watch(*_: object) -> None:
        nonlocal done, said_s
        done += 1
        if monotonic() - said_s > EVERY_S:
            progress(min(done / count, 1.0))
            said_s = monotonic()

    return watch
