"""Inner loops, compiled when they are first called and kept beside the source: what numpy would do in many passes.

Compiled code adds in the order that is written, so that answers are the same to the last digit without it
(NUMBA_DISABLE_JIT=1 runs it as Python).
"""

import inspect
from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """The same, compiled: of arrays and numbers alone."""
    from numba import njit

    kernel: Function = njit(cache=True, nogil=True, error_model="numpy")(inspect.unwrap(function))
    return kernel
