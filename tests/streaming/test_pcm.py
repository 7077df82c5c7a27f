"""Raw samples are read as libsndfile reads them."""

import numpy as np
import pytest
import soundfile

from soundfix.errors import ConfigError
from soundfix.streaming.pcm import WIDTHS, checked_format, decode, encode_s16

SUBTYPES = {"s16le": "PCM_16", "s24le": "PCM_24", "s32le": "PCM_32", "f32le": "FLOAT"}


@pytest.mark.parametrize("name", WIDTHS)
def test_as_libsndfile_reads_them(tmp_path, rng, name):
    sound = rng.uniform(-1, 1, (200, 3)).astype(np.float32)
    sound[0], sound[1] = -1.0, 0.999999
    soundfile.write(tmp_path / "x.raw", sound, 16_000, subtype=SUBTYPES[name], endian="LITTLE", format="RAW")
    read, _ = soundfile.read(
        tmp_path / "x.raw", samplerate=16_000, channels=3, subtype=SUBTYPES[name], format="RAW", endian="LITTLE",
        dtype="float32",
    )  # fmt: skip
    heard = decode((tmp_path / "x.raw").read_bytes(), name, 3)
    assert heard.dtype == np.float32
    np.testing.assert_array_equal(heard, read)


def test_what_is_sent_is_read_to_half_a_step():
    sound = np.array([[0.0, 0.5], [-1.0, 1.0], [np.nan, 2.0]], np.float32)
    heard = decode(encode_s16(sound), "s16le", 2)
    np.testing.assert_allclose(heard, [[0, 0.5], [-1, 1 - 2**-15], [0, 1 - 2**-15]], atol=2**-16)


def test_a_format_that_nobody_knows():
    with pytest.raises(ConfigError, match="'mp3', wanted one of s16le, s24le, s32le, f32le"):
        checked_format("mp3")
