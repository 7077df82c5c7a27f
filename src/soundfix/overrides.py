"""Settings on the command line: "rt60_s=[0.2, 0.6]", "optimizer.rate=1e-4" -> a dataclass with these fields changed."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from typing import Any, TypeVar, get_type_hints

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from soundfix.errors import ConfigError

Config = TypeVar("Config")


def apply_overrides(config: Config, overrides: Iterable[str]) -> Config:
    """The configuration, with dotted names set one after the other to values written as in YAML.

    config: a dataclass, whose fields may be dataclasses. A value is checked against its field's type. Raises ConfigError
    where a name or a value is wrong; what the dataclasses raise themselves passes through.
    """
    for text in overrides:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"{text!r}: wanted NAME=VALUE, such as seed=1")
        config = _with(config, name.strip().split("."), _read(value, text), text)
    return config


def _read(value: str, text: str) -> Any:
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"{text!r}: cannot read the value ({' '.join(str(error).split())})") from error


def _with(config: Any, path: Sequence[str], value: Any, text: str) -> Any:
    name, *rest = path
    _check_name(config, name, text)
    inner = getattr(config, name)
    if not rest:
        return replace(config, **{name: _checked(config, name, value, text)})
    if not is_dataclass(inner):
        raise ConfigError(f"{text!r}: {name} is {inner!r}, a value, and has no setting {rest[0]!r}")
    return replace(config, **{name: _with(inner, rest, value, text)})


def _check_name(config: Any, name: str, text: str) -> None:
    names = [each.name for each in fields(config) if each.init]
    if name not in names:
        near = get_close_matches(name, names, n=1)
        guess = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
        raise ConfigError(f"{text!r}: {type(config).__name__} has no setting {name!r}; {guess}")


def _checked(config: Any, name: str, value: Any, text: str) -> Any:
    kind = get_type_hints(type(config))[name]
    settings = None if is_dataclass(kind) else ConfigDict(arbitrary_types_allowed=True)
    try:
        checked = TypeAdapter(kind, config=settings).validate_python(value)
    except ValidationError as error:
        wrong = error.errors()[0]
        where = "".join(f"[{place}]" for place in wrong["loc"])
        raise ConfigError(
            f"{text!r}: {name}{where} is {wrong['input']!r}; {wrong['msg'].lower()}, such as {getattr(config, name)!r}"
        ) from error
    for key in value if is_dataclass(checked) and isinstance(value, dict) else ():
        _check_name(checked, str(key), text)
    return checked
