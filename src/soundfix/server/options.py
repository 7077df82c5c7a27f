"""What may be asked for in a request: the options of `soundfix.locate`, `check`, `calibrate`, checked before anything runs.

No paths, no addresses, no weights: a request says nothing of the machine that answers it.
"""

from math import isfinite
from typing import Annotated, Literal

from fastapi import File, Form, UploadFile
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from soundfix.methods.catalog import CATALOG, DEFAULT

READY = tuple(name for name, entry in CATALOG.items() if "needs --checkpoint" not in entry.summary)


def numbers(text: str, counts: tuple[int, ...], wanted: str) -> tuple[float, ...]:
    """Of a text such as 1,2,3. Raises ValueError."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) not in counts or not all(isfinite(each) for each in found):
        raise ValueError(f"wanted {wanted}")
    return found


def box(text: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Two corners."""
    found = numbers(text, (6,), "x0,y0,z0,x1,y1,z1 in metres")
    return found[:3], found[3:]


def is_ready(name: str) -> str:
    """The name of a method that needs no file. Raises ValueError."""
    if name not in READY:
        raise ValueError(f"no method is called {name[:40]!r} here; there are {', '.join(READY)}")
    return name


MethodName = Annotated[str, AfterValidator(is_ready)]
Box = Annotated[str, AfterValidator(box), Field(examples=["0,0,0,6,5,3"])]
Band = Annotated[str, AfterValidator(lambda text: numbers(text, (2,), "lo,hi in Hz")), Field(examples=["300,7000"])]
Height = Annotated[
    str, AfterValidator(lambda text: numbers(text, (1, 2), "H, or LOWEST,HIGHEST, in metres")), Field(examples=["1.5"])
]
Celsius = Annotated[float, Field(ge=-60, le=80, description="Of the air, in °C; 343.2 m/s (20 °C) without it.")]
SpeedOfSound = Annotated[float, Field(ge=200, le=2000, description="In m/s, instead of a temperature.")]
Contract = Annotated[str, Field(max_length=80, description="What losses must not harm.", examples=["20cm 95% minus 2"])]
Wind = Annotated[
    float, Field(ge=0, le=40, description="Standard error of the wind along each axis, in m/s; else still air.")
]
Sigma = Annotated[float, Field(ge=0, le=100)]
Seconds = Annotated[float, Field(gt=0, le=60)]


class Listed(BaseModel):
    """Where the microphones stand."""

    model_config = ConfigDict(extra="forbid")

    microphones: Annotated[
        UploadFile | None, File(description="CSV, YAML or JSON: name,x,y,z in metres, or latitude, longitude.")
    ] = None
    microphone_set: Annotated[str | None, Field(description="The name of a list that was kept, instead of a file.")] = (
        None
    )


class Recording(Listed):
    """The recording, where its microphones stand, and what is known of the place."""

    audio: Annotated[
        list[UploadFile],
        File(description="One multichannel file, or a file for each microphone, named as in the list."),
    ]
    room: Annotated[Box | None, Field(description="Where walls are: x0,y0,z0,x1,y1,z1 in metres.")] = None
    temperature_c: Celsius | None = None
    speed_of_sound_m_s: SpeedOfSound | None = None
    band_hz: Annotated[Band | None, Field(description="lo,hi in Hz: what is listened to.")] = None


class Searched(Recording):
    """Where a source may be."""

    search: Annotated[Box | None, Field(description="Where a source may be: x0,y0,z0,x1,y1,z1.")] = None
    height_m: Annotated[Height | None, Field(description="Of the source: H, or LOWEST,HIGHEST.")] = None


class Method(Searched):
    """Who says so, and how good the list is."""

    method: Annotated[MethodName, Field(json_schema_extra={"enum": list(READY)}, description="See /methods.")] = DEFAULT
    wind_m_s: Wind | None = None
    position_sigma_m: Sigma | None = None
    clock_sigma_s: Annotated[float | None, Field(ge=0, le=3600)] = None


class Window(Method):
    """POST /window and /likelihood."""

    left_out: Annotated[
        list[str] | None, Field(max_length=256, description="Names of microphones that other windows speak against.")
    ] = None


class Locate(Method):
    """POST /locate."""

    require: Contract | None = None
    window_s: Seconds | None = None
    hop_s: Seconds | None = None
    smooth: Annotated[bool, Field(description="One source that moves as people do: smooth its places.")] = False
    tracks: Annotated[bool, Field(description="Follow who is who.")] = False
    sound: Annotated[bool, Field(description="Keep what was heard of each microphone for a day: /jobs/ID/sound.")] = (
        False
    )
    explain: Annotated[bool, Field(description="What a network made of each pair.")] = False


class Check(Searched):
    """POST /check."""

    require: Contract | None = None


class Calibrate(Recording):
    """POST /calibrate."""

    clocks: Annotated[Literal["common", "free"], Field(description="Whether all recorders have one clock.")] = "common"


class Plan(Listed):
    """POST /plan."""

    room: Box | None = None
    search: Box | None = None
    height_m: Height | None = None
    require: Contract | None = None
    position_sigma_m: Sigma | None = None
    timing_sigma_m: Annotated[
        float | None, Field(gt=0, le=10, description="Standard error of an arrival, in metres of path.")
    ] = None


class ListOfMicrophones(BaseModel):
    """PUT /microphones/NAME."""

    file: UploadFile


ListForm = Annotated[ListOfMicrophones, Form(media_type="multipart/form-data")]
WindowForm = Annotated[Window, Form(media_type="multipart/form-data")]
PlanForm = Annotated[Plan, Form(media_type="multipart/form-data")]
LocateForm = Annotated[Locate, Form(media_type="multipart/form-data")]
CheckForm = Annotated[Check, Form(media_type="multipart/form-data")]
CalibrateForm = Annotated[Calibrate, Form(media_type="multipart/form-data")]
FILES = {"audio", "microphones", "microphone_set"}
