"""Which file it was."""

import hashlib
import os

import pytest

from soundfix.errors import AudioFileError, ConfigError
from soundfix.files.digest import GLIMPSE_BYTES, differences, digest, glimpse


def test_a_digest_is_path_size_and_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"sound")
    expected = {"path": str(tmp_path / "a"), "bytes": 5, "sha256": hashlib.sha256(b"sound").hexdigest()}
    assert digest(tmp_path / "a").to_dict() == expected


def test_a_file_that_changes_is_read_anew(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    before = digest(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"two")
    os.utime(tmp_path / "a", ns=(0, 12345))
    now = digest(tmp_path / "a")
    assert list(differences([before], [before])) == []
    assert list(differences([before], [now])) == [f"{tmp_path / 'a'} has changed: as many bytes, but others"]


def test_sizes_and_numbers_of_files_are_told(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    before = digest(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"longer")
    now = digest(tmp_path / "a")
    assert list(differences([before], [now])) == [f"{tmp_path / 'a'} has changed: it has 6 bytes, and had 3"]
    (said,) = differences([before], [now, now])
    assert said.startswith("there are 2 files, and there were 1")


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(ConfigError, match="was it moved or deleted"):
        digest(tmp_path / "a")


@pytest.mark.parametrize("size", [10, 3 * GLIMPSE_BYTES, 40 * GLIMPSE_BYTES])
def test_a_glimpse_tells_size_beginning_middle_and_end(tmp_path, size):
    path, content = tmp_path / "a", os.urandom(size)
    path.write_bytes(content)
    first = glimpse(path)
    (tmp_path / "b").write_bytes(content)
    assert glimpse(tmp_path / "b") == first
    for place in (0, size // 2, size - 1):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert glimpse(path) != first
    path.write_bytes(b"")
    assert glimpse(path) != first
    with pytest.raises(AudioFileError, match="was it moved"):
        glimpse(tmp_path / "c")
