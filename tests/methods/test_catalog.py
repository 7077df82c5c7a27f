import pytest

import soundfix
from helpers import DATA
from helpers.networks import paper_like, tiny
from helpers.rivals import rival
from soundfix.errors import UnknownMethodError
from soundfix.estimate import Localizer
from soundfix.methods.catalog import CATALOG, DEFAULT
from soundfix.networks import checkpoint
from soundfix.networks.registry import RIVALS


@pytest.mark.parametrize("name", CATALOG)
def test_every_name_loads_a_localizer_of_that_name(name, tmp_path):
    options = {}
    if name.startswith("three-stream"):
        options["checkpoint"] = tmp_path / "a.safetensors"
        checkpoint.save(paper_like() if name.endswith("paper") else tiny(), options["checkpoint"])
    if name in RIVALS:
        options["checkpoint"] = tmp_path / "a.safetensors"
        checkpoint.save(rival("gnn slf" if name == "gnn" else name), options["checkpoint"], kind=name)
    if name == "multilat-ngcc":
        options["checkpoint"] = DATA / "ngcc_phat_librispeech.safetensors"
    localizer = soundfix.load(name, **options)
    assert isinstance(localizer, Localizer)
    assert localizer.name == name


def test_an_unknown_method_lists_the_known_and_the_nearest():
    with pytest.raises(UnknownMethodError, match=r"there are srp-phat, .*multilat, .* Did you mean 'srp-phat'"):
        soundfix.load("srp-fat")


def test_a_name_like_no_other_lists_the_known_and_guesses_nothing():
    with pytest.raises(UnknownMethodError, match="no method is called 'xyzzy'; there are srp-phat") as caught:
        soundfix.load("xyzzy")
    assert "Did you mean" not in str(caught.value)
    assert all(name in str(caught.value) for name in CATALOG)


def test_options_reach_the_method():
    assert soundfix.load("multilateration", scale_m=0.2).scale_m == 0.2
    assert soundfix.load("multilat", seed=3).seed == 3


def test_an_option_the_method_does_not_have_is_named():
    with pytest.raises(UnknownMethodError, match="srp-phat has no option 'checkpoint'; it takes correlator"):
        soundfix.load("srp-phat", checkpoint="a.safetensors")


def test_without_a_name_the_default_is_loaded():
    assert soundfix.load().name == DEFAULT


def test_every_method_says_what_it_does_in_a_line():
    summaries = [entry.summary for entry in CATALOG.values()]
    assert len(set(summaries)) == len(CATALOG)
    assert all(len(summary) > 20 and "\n" not in summary for summary in summaries)
