"""Tensors of a file come with its metadata, and what is cut or not plain is refused."""

import pytest
import torch
from safetensors.torch import save_file

from soundfix.errors import CheckpointError
from soundfix.networks.tensor_files import read_plain


def test_tensors_and_metadata_come_as_they_were_written(tmp_path):
    path = tmp_path / "file.safetensors"
    save_file({"a": torch.arange(3.0)}, path, {"made": "here"})
    metadata, tensors = read_plain(path)
    assert metadata == {"made": "here"}
    assert tensors["a"].tolist() == [0.0, 1.0, 2.0]
    save_file({"a": torch.arange(3.0)}, path)
    assert read_plain(path)[0] == {}


def test_what_is_cut_or_of_8_bits_is_refused(tmp_path):
    path = tmp_path / "file.safetensors"
    save_file({"a": torch.zeros(4, dtype=torch.float8_e4m3fn)}, path)
    with pytest.raises(CheckpointError, match=r"a is .*float8.* wanted a plain tensor"):
        read_plain(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"no whole safetensors file .* cut short, or is it a bare pickle"):
        read_plain(path)
