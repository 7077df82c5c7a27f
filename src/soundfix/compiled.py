"""Inner loops, compiled; and while that does not pay, the same numbers by numpy in many passes.

To load a compiler takes half a second, whether or not what it makes is kept beside the source. So loops are numpy's until
they have taken as long. Both add in the order that is written: answers are the same to the last bit.
"""

import inspect
from collections.abc import Callable
from functools import cached_property, partial
from importlib.util import find_spec
from time import perf_counter
from typing import Any, Generic, ParamSpec, TypeVar

In = ParamSpec("In")
Out = TypeVar("Out")
HAS_COMPILER = find_spec("numba") is not None  # without one all loops are numpy's
PATIENCE_S = 0.5  # in numpy, of all loops of a process together


class Compiled(Generic[In, Out]):
    """A loop over arrays and numbers, and the same in numpy."""

    spent_s = 0.0  # by all loops, in numpy

    def __init__(self, loop: Callable[In, Out], in_numpy: Callable[In, Out]) -> None:
        self.loop, self.in_numpy, self.__doc__ = loop, in_numpy, loop.__doc__

    def __call__(self, *told: In.args, **named: In.kwargs) -> Out:
        if Compiled.spent_s >= PATIENCE_S and HAS_COMPILER:
            return self.kernel(*told, **named)
        start = perf_counter()
        said = self.in_numpy(*told, **named)
        Compiled.spent_s += perf_counter() - start
        return said

    @cached_property
    def kernel(self) -> Callable[In, Out]:
        """Compiled when first asked for, and kept for the next process."""
        from numba import njit

        function: Any = inspect.unwrap(self.loop)  # without what checks shapes
        compile_it: Any = partial(njit, nogil=True, error_model="numpy")
        try:
            kernel: Callable[In, Out] = compile_it(cache=True)(function)
        except RuntimeError:  # nowhere to keep it: a package that is read-only, and no home
            kernel = compile_it()(function)
        return kernel


def lose_patience() -> None:
    """For a process that is to live long, and to answer soon: loops are compiled from now on."""
    Compiled.spent_s = PATIENCE_S


def compiled(in_numpy: Callable[In, Out]) -> Callable[[Callable[In, Out]], Compiled[In, Out]]:
    """What makes a loop a compiled one. in_numpy: the same."""
    return lambda loop: Compiled(loop, in_numpy)
