"""What is compiled is the function itself, whatever wraps it, as checks of shapes do."""

import numba

from soundfix.compiled import compiled


def test_the_innermost_function_is_compiled_and_says_the_same():
    @compiled
    def double(number: float) -> float:
        return 2 * number

    assert double(2.5) == double.py_func(2.5) == 5.0
    assert not hasattr(double.py_func, "__wrapped__")


def test_where_nothing_can_be_kept_it_is_compiled_each_time(monkeypatch):
    def nowhere_to_keep(cache=False, **told):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: (function, told)

    monkeypatch.setattr(numba, "njit", nowhere_to_keep)
    function, told = compiled(abs)
    assert function is abs
    assert told == {"nogil": True, "error_model": "numpy"}
