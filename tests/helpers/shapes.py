"""Annotations enforced while tests run: of shapes by jaxtyping, of all else by beartype alone, in a tenth of the time."""

from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

import jaxtyping
from beartype import beartype

jaxtyped = jaxtyping.jaxtyped


def enforce(package: str) -> None:
    """Of all functions and dataclasses of this package that are imported from now on."""
    jaxtyping.jaxtyped = lambda *, typechecker: checked  # type: ignore[assignment]  # what the hook writes over each
    jaxtyping.install_import_hook(package, "beartype.beartype")


def checked(thing: Any) -> Any:
    """A function, or a class, of which only what makes a dataclass is checked: its functions are there by themselves."""
    if not isinstance(thing, type):
        return _checked(thing)
    if is_dataclass(thing) and "__init__" in vars(thing):
        thing.__init__ = _checked(thing.__init__)  # type: ignore[misc]
    return thing


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    by_type = beartype(function)
    return jaxtyped(by_type, typechecker=None) if _has_shapes(function) else by_type


def _has_shapes(function: Callable[..., Any]) -> bool:
    return any("jaxtyping." in repr(hint) for hint in function.__annotations__.values())
