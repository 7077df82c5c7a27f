"""What was made of each piece, kept."""

import pytest

from soundfix.archive.parts import Parts, settle
from soundfix.archive.work import Located
from soundfix.errors import OutputError

ONE = Located(
    key="a", audio_s=3.0, rows=[[1, None, "x"]], features=[{"type": "Feature"}], counts={"ok": 1}, silences=["s"]
)


def test_what_is_kept_comes_back_in_the_order_asked_for(tmp_path):
    parts = Parts(tmp_path)
    parts.write(ONE)
    parts.write(Located(key="b", audio_s=1.0))
    assert list(Parts(tmp_path).read(["b", "c", "a"])) == [Located(key="b", audio_s=1.0), ONE]
    assert (parts.is_done("a"), parts.is_done("c")) == (True, False)


def test_what_could_not_be_located_is_not_kept(tmp_path):
    parts = Parts(tmp_path)
    parts.write(Located(key="a", audio_s=1.0, trouble="bad"))
    assert not parts.is_done("a")


def test_what_a_killed_run_left_half_written_goes(tmp_path):
    Parts(tmp_path)
    half = tmp_path / "parts" / ".soundfix-x-1-2.part"
    half.touch()
    Parts(tmp_path)
    assert not half.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"key": "a"}', '{"key": "a", "audio_s": 1, "other": 2}'])
def test_a_damaged_part_is_one_sentence(tmp_path, text):
    parts = Parts(tmp_path)
    (tmp_path / "parts" / "a.json").write_text(text)
    with pytest.raises(OutputError, match=r"a\.json cannot be read"):
        list(parts.read(["a"]))


def test_a_folder_keeps_its_settings(tmp_path):
    settle(tmp_path, {"method": "srp-phat", "band_hz": None})
    settle(tmp_path, {"method": "srp-phat", "band_hz": None})
    with pytest.raises(OutputError, match="its method is srp-phat, and multilat was asked for"):
        settle(tmp_path, {"method": "multilat", "band_hz": None})
