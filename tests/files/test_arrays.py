"""Arrays of an .npz file are read, and a claim of more than there is is refused before anything is."""

import io
import struct
import zipfile

import numpy as np
import pytest

from soundfix.files import arrays
from soundfix.files.arrays import read_arrays


def test_every_array_by_its_name(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", one=np.arange(5), other=np.eye(2))
    found = read_arrays(tmp_path / "a.npz")
    assert set(found) == {"one", "other"}
    assert np.array_equal(found["other"], np.eye(2))


def test_a_claim_of_more_than_there_is(tmp_path):
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,), }".ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("big.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(80))
    with pytest.raises(ValueError, match=r"big.npy claims shape \(1000000000,\) of float64, more than its 208 bytes"):
        read_arrays(tmp_path / "a.npz")


def test_more_than_is_unpacked_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "MOST_BYTES", 1000)
    stream = io.BytesIO()
    np.savez_compressed(stream, zeros=np.zeros(4096))
    (tmp_path / "a.npz").write_bytes(stream.getvalue())
    with pytest.raises(ValueError, match=r"it unpacks to \d+ bytes, wanted 1000 at most"):
        read_arrays(tmp_path / "a.npz")
