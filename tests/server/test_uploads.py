"""Names of files cannot lead out of the folder of their job."""

import io

import pytest
from fastapi import HTTPException
from starlette.datastructures import UploadFile

from soundfix.server.limits import Limits
from soundfix.server.uploads import checked_name, write_kept_list, write_list, write_sound

PATHS = ("../a.wav", "/etc/passwd", "a/b.wav", "a\\b.wav")


def file(name, content=b"sound"):
    return UploadFile(io.BytesIO(content), filename=name)


@pytest.mark.parametrize(
    "name", ["take.wav", "mic 1 (left).flac", "Küche_2.wav", "20240501T0600+0200.wav", "a~b=c@d.wav"]
)
def test_names_that_people_use(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [None, "", ".", "..", "../a.wav", "/etc/passwd", "a/b.wav", "a\\b.wav", ".hidden", "a\0.wav", "a\n.wav", "x" * 121],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    with pytest.raises(HTTPException) as refused:
        write_sound([file(name)], tmp_path, Limits())
    assert refused.value.status_code == 422
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]


def test_files_arrive_whole(tmp_path):
    write_sound([file("a.wav", b"a" * 3_000_000), file("b.wav")], tmp_path, Limits())
    write_list(file("list.csv", b"name,x"), tmp_path)
    assert (tmp_path / "audio" / "a.wav").read_bytes() == b"a" * 3_000_000
    assert (tmp_path / "audio" / "b.wav").read_bytes() == b"sound"
    assert (tmp_path / "microphones" / "list.csv").read_bytes() == b"name,x"


def test_a_name_that_comes_twice(tmp_path):
    with pytest.raises(HTTPException, match=r"two files are called 'a\.wav'"):
        write_sound([file("a.wav"), file("a.wav")], tmp_path, Limits())


def test_more_files_than_allowed(tmp_path):
    with pytest.raises(HTTPException) as refused:
        write_sound([file(f"{k}.wav") for k in range(4)], tmp_path, Limits(files=3))
    assert (refused.value.status_code, list(tmp_path.iterdir())) == (413, [])


def test_a_kept_list_is_a_file_again(tmp_path):
    write_kept_list("hall.csv", "name,x\nü,1\n", tmp_path)
    assert (tmp_path / "microphones" / "hall.csv").read_text(encoding="utf-8") == "name,x\nü,1\n"
