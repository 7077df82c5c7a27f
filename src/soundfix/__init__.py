"""Where did that sound come from? Microphones scattered in a space in, places in metres out, with evidence.

located = soundfix.locate("take.wav", microphones="microphones.csv")
print(located)
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soundfix.api.again import again as again
    from soundfix.api.calibrate import calibrate as calibrate
    from soundfix.api.check import check as check
    from soundfix.api.delays import locate_delays as locate_delays
    from soundfix.api.locate import locate as locate
    from soundfix.api.simulate import simulate as simulate
    from soundfix.estimate import Estimate as Estimate
    from soundfix.estimate import Localizer as Localizer
    from soundfix.files.take import Take as Take
    from soundfix.files.take import read as read
    from soundfix.methods.catalog import load as load
    from soundfix.microphones import Microphones as Microphones
    from soundfix.scene import Scene as Scene
    from soundfix.search_region import SearchRegion as SearchRegion
    from soundfix.streaming.stream import Stream as Stream
    from soundfix.survey.requirement import Requirement as Requirement

__version__ = "0.1.0"

# Each public name and the module it lives in: loaded when first asked for, so that `soundfix --help` is quick.
_HOMES = {
    "Estimate": "estimate",
    "Localizer": "estimate",
    "Microphones": "microphones",
    "Requirement": "survey.requirement",
    "Scene": "scene",
    "SearchRegion": "search_region",
    "Stream": "streaming.stream",
    "Take": "files.take",
    "again": "api.again",
    "calibrate": "api.calibrate",
    "check": "api.check",
    "load": "methods.catalog",
    "locate": "api.locate",
    "locate_delays": "api.delays",
    "read": "files.take",
    "simulate": "api.simulate",
}
_FORMER = {"Contract": "Requirement"}
__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _FORMER:
        warnings.warn(f"soundfix.{name} is called soundfix.{_FORMER[name]} now", DeprecationWarning, stacklevel=2)
        name = _FORMER[name]
    if name not in _HOMES:
        raise AttributeError(f"module 'soundfix' has no attribute {name!r}")
    return getattr(import_module(f"soundfix.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
