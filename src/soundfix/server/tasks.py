"""What a worker does with an uploaded recording: the calls of `soundfix`, from files in a folder to a JSON document.

Runs in a process of its own (workers.py): only this module decodes and computes.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import soundfile

from soundfix import __version__
from soundfix.api.calibrate import Calibrated, CalibrateRequest, hear, solve
from soundfix.api.check import Checked, CheckRequest
from soundfix.api.check import run as run_check
from soundfix.api.listening import listened
from soundfix.api.locate import heard_as, result, with_errors
from soundfix.api.request import LocateRequest
from soundfix.api.sound import Sound
from soundfix.atomic import atomic_path
from soundfix.errors import SceneError
from soundfix.estimate import Estimate, Localizer
from soundfix.files.microphones import read_microphones
from soundfix.files.polygons import told_region
from soundfix.files.take import read
from soundfix.methods.catalog import DEFAULT, load
from soundfix.methods.heard import evidence_of
from soundfix.report.likelihood import likelihood_dict
from soundfix.report.survey import survey_dict
from soundfix.scene import Scene
from soundfix.server.job import HEARD, LIST, SOUND
from soundfix.server.limits import Limits
from soundfix.survey.array_geometry import TIMING_SIGMA_M
from soundfix.survey.requirement import parse_requirement
from soundfix.survey.survey import survey

EVERY_S, BLOCK_S = 0.25, 10.0
SHORT = ("window", "likelihood")  # what is answered at once

Tell = Callable[[str, Any], None]
Options = Mapping[str, Any]


def locate(sound: Sound, options: Options, tell: Tell) -> dict[str, Any]:
    """As `soundfix locate --json`."""
    request = _request(sound, options)
    if path := options.get("sound"):
        write_heard(request.sound, Path(path))
    progress = _counted(request.count, tell)

    def watch(*estimate: Estimate) -> None:
        progress()
        for each in estimate:
            tell("estimate", json.dumps(each.to_dict(), allow_nan=False))

    return result(request, watch=watch).to_dict()


def window(sound: Sound, options: Options, tell: Tell) -> dict[str, Any]:
    """All of the sound as one window, by itself: what is said of a whole recording is not waited for."""
    localizer, scene = _one_window(sound, options)
    return {"method": localizer.name, "version": __version__, "estimate": localizer.locate(scene).to_dict()}


def likelihood(sound: Sound, options: Options, tell: Tell) -> dict[str, Any]:
    """The curves of its pairs (report/likelihood.py)."""
    localizer, scene = _one_window(sound, options)
    evidence = evidence_of(localizer, scene)
    return {"method": localizer.name, "curves": None if evidence is None else likelihood_dict(evidence)}


def _one_window(sound: Sound, options: Options) -> tuple[Localizer, Scene]:
    """left_out: microphones that other windows speak against."""
    request = _request(sound, dict(options) | {"window_s": sound.duration_s, "hop_s": sound.duration_s})
    start_s, part = next(iter(request.sound.windows(*request.span_s)))
    session = request.session()
    is_trusted = ~np.isin(sound.microphones.names, options.get("left_out", ()))
    return session.localizer, replace(session.scene(start_s, part, request.sound.sample_rate), is_trusted=is_trusted)


def _request(sound: Sound, options: Options) -> LocateRequest:
    sound = with_errors(sound, options.get("position_sigma_m"), options.get("clock_sigma_s"))
    sound, band_hz, _ = heard_as(sound, options.get("band_hz"), None)
    name = options.get("method", DEFAULT)
    named = (
        "explain",
        "window_s",
        "hop_s",
        "smooth",
        "tracks",
        "room",
        "temperature_c",
        "speed_of_sound_m_s",
        "wind_m_s",
    )
    return LocateRequest(
        sound=sound, band_hz=band_hz, method=name if options.get("explain") else loaded(name),
        search=told_region(options.get("search"), options.get("height_m")),
        require=_requirement(options), **{name: options[name] for name in named if options.get(name) is not None},
    )  # fmt: skip


def check(sound: Sound, options: Options, tell: Tell) -> dict[str, Any]:
    """As `soundfix check --json`."""
    sound, band_hz = listened(sound, options.get("band_hz"))
    request = CheckRequest(
        sound=sound, band_hz=band_hz, search=told_region(options.get("search"), options.get("height_m")),
        require=_requirement(options), **_air(options),
    )  # fmt: skip
    return Checked(survey=run_check(request, _counted(request.count, tell))).to_dict()


def calibrate(sound: Sound, options: Options, tell: Tell) -> dict[str, Any]:
    """As `soundfix calibrate --json`."""
    sound, band_hz = listened(sound, options.get("band_hz"))
    request = CalibrateRequest(sound=sound, band_hz=band_hz, clocks=options.get("clocks") or "common", **_air(options))
    heard = hear(request, _counted(request.count, tell))
    return Calibrated(calibration=solve(request, heard), listed=request.sound.microphones).to_dict()


def plan(listed: Path, options: Options, limits: Limits) -> dict[str, Any]:
    """What an array that is to be will tell: as `soundfix check`, without a recording."""
    microphones = read_microphones(listed).with_errors(options.get("position_sigma_m"), None)
    check_count(len(microphones), limits)
    region = told_region(options.get("search"), options.get("height_m"))
    found = survey(
        microphones, room=options.get("room"), search=region, windows=(), require=_requirement(options),
        sigma_m=options.get("timing_sigma_m") or TIMING_SIGMA_M,
    )  # fmt: skip
    return survey_dict(found)


TASKS: Mapping[str, Callable[[Sound, Options, Tell], dict[str, Any]]] = {
    "locate": locate,
    "check": check,
    "calibrate": calibrate,
    "window": window,
    "likelihood": likelihood,
}


def do(kind: str, folder: Path, options: Options, limits: Limits, tell: Tell) -> str:
    """The document, as text; meanwhile `tell` is told ("progress", share) and ("estimate", JSON). Raises SoundfixError with
    a sentence for whoever sent it."""
    (listed,) = (folder / LIST).iterdir()
    told = {name: _tuples(value) for name, value in options.items()}
    document = plan(listed, told, limits) if kind == "plan" else _heard(kind, folder, listed, told, limits, tell)
    return without_folder(json.dumps(document, allow_nan=False), folder)


def _heard(kind: str, folder: Path, listed: Path, told: dict[str, Any], limits: Limits, tell: Tell) -> dict[str, Any]:
    take = read(sorted((folder / SOUND).iterdir()), listed)
    check_size(take, limits)
    if kind in SHORT and take.duration_s > limits.window_s:
        raise TooMuch(f"a window of {take.duration_s:.0f} s, {limits.window_s:.0f} s at most: send one moment")
    if (
        told.pop("sound", False)
        and 4 * take.duration_s * take.sample_rate * len(take.microphones) <= limits.heard_bytes
    ):
        told["sound"] = folder / HEARD
    return TASKS[kind](take, told, tell)


def write_heard(sound: Sound, path: Path) -> None:
    """Of each microphone, in the order of the list, what is listened to: a WAV file of 32-bit floats, silence where nothing
    is known."""
    shape = (round(sound.sample_rate), len(sound.microphones), "FLOAT")
    with atomic_path(path) as part, soundfile.SoundFile(part, "w", *shape, format="WAV") as file:
        for block in sound.blocks(BLOCK_S):
            file.write(np.nan_to_num(block.T, posinf=0.0, neginf=0.0).astype(np.float32))


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
    check_count(len(sound.microphones), limits)


def check_count(microphones: int, limits: Limits) -> None:
    """Raises TooMuch for too many."""
    if microphones > limits.channels:
        raise TooMuch(f"{microphones} microphones, {limits.channels} at most")


@cache
def loaded(name: str) -> Localizer:
    """A method, read from its file once in the life of this process."""
    return load(name)


def _requirement(options: Options) -> Any:
    return parse_requirement(options["require"]) if options.get("require") else None


def _air(options: Options) -> dict[str, Any]:
    names = ("room", "temperature_c", "speed_of_sound_m_s")
    return {name: options[name] for name in names if options.get(name) is not None}


def _counted(count: int, tell: Tell) -> Callable[..., None]:
    """Called after every window, whatever it is told: says now and then which share of them is done."""
    done, said_s = 0, monotonic()

    def watch(*_: object) -> None:
        nonlocal done, said_s
        done += 1
        if monotonic() - said_s > EVERY_S:
            tell("progress", min(done / count, 1.0))
            said_s = monotonic()

    return watch
