import pytest

import soundfix
from soundfix.catalog import CATALOG
from soundfix.errors import UnknownMethodError
from soundfix.localizer import Localizer


@pytest.mark.parametrize("name", CATALOG)
def test_every_name_loads_a_localizer_of_that_name(name):
    localizer = soundfix.load(name)
    assert isinstance(localizer, Localizer)
    assert localizer.name == name


def test_an_unknown_method_lists_the_known_and_the_nearest():
    with pytest.raises(UnknownMethodError, match=r"srp-phat, multilateration, multilat. Did you mean 'srp-phat'"):
        soundfix.load("srp-fat")
