"""The tree of exceptions is what its docstring draws, with one root."""

import inspect
import re

import pytest

from soundfix import errors
from soundfix.errors import MissingPackageError, SoundfixError

CLASSES = {
    name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__
}


def test_the_docstring_draws_every_exception():
    assert set(re.findall(r"── (\w+)", errors.__doc__)) | {"SoundfixError"} == set(CLASSES)


@pytest.mark.parametrize("kind", CLASSES.values(), ids=list(CLASSES))
def test_one_clause_catches_everything(kind):
    assert issubclass(kind, SoundfixError)
    assert kind.__doc__


def test_a_missing_package_says_how_to_get_it():
    assert str(MissingPackageError("plotly", "report")).endswith("pip install 'soundfix[report]'")
