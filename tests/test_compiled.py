"""What is compiled is the function itself, whatever wraps it, as checks of shapes do."""

from soundfix.compiled import compiled


def test_the_innermost_function_is_compiled_and_says_the_same():
    @compiled
    def double(number: float) -> float:
        return 2 * number

    assert double(2.5) == double.py_func(2.5) == 5.0
    assert not hasattr(double.py_func, "__wrapped__")
