"""Inner loops, compiled when they are first called and kept beside the source: what numpy would do in many passes.

Compiled code adds in the order that is written, so that answers are the same to the last digit without it
(NUMBA_DISABLE_JIT=1 runs it as Python).
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """The same, compiled: of arrays and numbers alone."""
    from numba import njit

    compile_it = partial(njit, nogil=True, error_model="numpy")
    try:
        return cast(Function, compile_it(cache=True)(inspect.unwrap(function)))
    except RuntimeError:  # nowhere to keep it: a package that is read-only, and no home
        return cast(Function, compile_it()(inspect.unwrap(function)))
