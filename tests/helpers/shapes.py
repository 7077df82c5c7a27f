"""Annotations enforced while tests run: of shapes by jaxtyping, of all else by beartype alone, in a tenth of the time."""

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import wraps
from inspect import isgeneratorfunction
from types import SimpleNamespace
from typing import Any, get_type_hints

import jaxtyping
from beartype import beartype

jaxtyped = jaxtyping.jaxtyped
OWN_SIZES = jaxtyped("context")


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
    written = function.__annotations__
    known = {name: _known(hint, function.__globals__) for name, hint in written.items()}
    hints = " ".join(map(repr, known.values()))
    has_shapes = "jaxtyping." in hints
    if "<locals>" in function.__qualname__ and not has_shapes:
        return function  # it is made at every call of another, and to make the check takes longer than that
    if has_shapes and (
        "{" in hints or isgeneratorfunction(function)
    ):  # a size is the value of an argument; or it runs later
        return jaxtyped(function, typechecker=beartype)
    function.__annotations__ = known
    by_type = beartype(function)
    function.__annotations__ = by_type.__annotations__ = written
    return _sized(by_type) if has_shapes else by_type


def _sized(function: Callable[..., Any]) -> Callable[..., Any]:
    """With sizes of its own: what `mic` is in one call is another number in the next."""

    @wraps(function)
    def sized(*given: Any, **options: Any) -> Any:
        with OWN_SIZES:
            return function(*given, **options)

    return sized


def _known(hint: Any, names: dict[str, Any]) -> Any:
    """What it means there; what is imported for type checkers alone, or defined further down, may be anything."""
    try:
        return get_type_hints(SimpleNamespace(__annotations__={"it": hint}), names, include_extras=True)["it"]
    except NameError:
        return Any
