"""Loops are numpy's until that takes too long; then they are compiled, and say the same."""

import numba
import pytest

from soundfix.compiled import PATIENCE_S, Compiled, compiled, lose_patience


def in_numpy(number: float) -> float:
    """Says something else, so that one can tell."""
    return number + 1


@compiled(in_numpy)
def double(number: float) -> float:
    """Twice as much."""
    return 2 * number


def test_loops_are_numpys_until_they_have_taken_as_long_as_a_compiler(monkeypatch):
    monkeypatch.setattr(Compiled, "spent_s", 0.0)
    assert double(5.0) == 6.0
    assert 0 < Compiled.spent_s < PATIENCE_S
    monkeypatch.setattr(Compiled, "spent_s", PATIENCE_S)
    assert double(5.0) == 10.0
    assert Compiled.spent_s == PATIENCE_S


def test_who_is_to_live_long_compiles_at_once(monkeypatch):
    monkeypatch.setattr(Compiled, "spent_s", 0.0)
    lose_patience()
    assert double(5.0) == 10.0


def test_the_innermost_function_is_compiled():
    """Without what is wrapped round it to check shapes."""
    assert double.kernel.py_func.__name__ == "double"
    assert not hasattr(double.kernel.py_func, "__wrapped__")
    assert double.__doc__ == "Twice as much."


@pytest.mark.parametrize("can_be_kept", [True, False])
def test_where_nothing_can_be_kept_it_is_compiled_each_time(monkeypatch, can_be_kept):
    def compiler(**told):
        if told.get("cache") and not can_be_kept:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: lambda number: told

    monkeypatch.setattr(numba, "njit", compiler)
    fresh = Compiled(double.loop, in_numpy)
    assert fresh.kernel(1.0) == {"nogil": True, "error_model": "numpy"} | ({"cache": True} if can_be_kept else {})
