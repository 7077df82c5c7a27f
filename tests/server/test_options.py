"""Words of a request become numbers, or a sentence about what was wanted."""

import pytest

from soundfix.server.options import READY, Locate, box, numbers


def test_numbers():
    assert numbers("1, 2.5", (1, 2), "") == (1.0, 2.5)
    assert box("0,0,0,6,5,3") == ((0, 0, 0), (6, 5, 3))


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b", "nan,1", "inf,1", "1;2"])
def test_what_is_no_pair_of_numbers(text):
    with pytest.raises(ValueError, match="wanted lo,hi"):
        numbers(text, (2,), "lo,hi")


def test_methods_that_need_weights_are_not_for_requests():
    assert "three-stream" in READY
    assert "multilat-ngcc" not in READY
    with pytest.raises(ValueError, match="there are srp-phat"):
        Locate(audio=[], method="wav2pos")
