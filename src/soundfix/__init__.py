"""Where did that sound come from? Microphones scattered in a space in, places in metres out, with evidence."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soundfix.estimate import Estimate as Estimate
    from soundfix.estimate import Localizer as Localizer
    from soundfix.methods.catalog import load as load
    from soundfix.microphones import Microphones as Microphones
    from soundfix.scene import Scene as Scene
    from soundfix.session.locate import locate as locate
    from soundfix.survey.requirement import Requirement as Requirement

__version__ = "0.1.0"

# Each public name and the module it lives in: loaded when first asked for, so that `soundfix --help` is quick.
_HOMES = {
    "Requirement": "survey.requirement",
    "Estimate": "estimate",
    "Localizer": "estimate",
    "Microphones": "microphones",
    "Scene": "scene",
    "load": "methods.catalog",
    "locate": "session.locate",
}
__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'soundfix' has no attribute {name!r}")
    return getattr(import_module(f"soundfix.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
