"""What a worker makes of a piece."""

from dataclasses import replace

import pytest

from helpers.season import CRS, NAMES, asked, write_season
from soundfix.archive.inventory import take_inventory
from soundfix.archive.pieces import TimeLine
from soundfix.archive.work import Asked, locate_piece, worker
from soundfix.errors import SceneError
from soundfix.files.polygons import told_region
from soundfix.methods.catalog import load


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A list of stations, and a piece in which two chirp."""
    folder = tmp_path_factory.mktemp("work")
    write_season(folder / "recordings")
    microphones = asked(folder).listed()
    line = TimeLine(take_inventory(folder / "recordings", microphones, {}), microphones)
    return microphones, line.piece(20.0, 38.0)


def test_a_worker_loads_its_method_and_locates(given):
    microphones, piece = given
    made = worker(Asked(method="srp-phat"), microphones, CRS)(piece)
    assert (made.key, made.trouble) == (piece.key, None)
    assert made.audio_s == pytest.approx(6 * 18)
    assert sum(made.counts.values()) == 36
    assert made.counts["passed_over"] >= 30
    kinds = [each["geometry"]["type"] for each in made.features]
    assert kinds.count("Point") == kinds.count("Polygon") == sum(row[3] != "abstain" for row in made.rows) > 0
    assert worker(Asked(method="srp-phat"), microphones, None)(piece).features == []


def test_microphones_without_sound_are_told(given):
    microphones, piece = given
    order = (None, *piece.order[1:])
    made = locate_piece(Asked(), load("srp-phat"), microphones, None, replace(piece, order=order))
    assert made.silences == [f"{NAMES[0]}: no sound at all: it has no file"]


def test_options_have_their_effect(given):
    """A band that holds no chirp, a search that holds none, windows of another length, another speed of sound."""
    microphones, piece = given

    def rows(**how):
        return locate_piece(Asked(**how), load("srp-phat"), microphones, None, piece).rows

    usual = rows()
    assert rows(band_hz=(100.0, 400.0)) != usual
    low = (500_000.0, 5_300_000.0, 0.0), (500_004.0, 5_300_004.0, 3.0)
    assert rows(search=told_region(low, None)) != usual
    assert {row[1] for row in rows(window_s=2.0, every=True)} == {2.0}
    assert len(rows(window_s=2.0, hop_s=1.0, every=True)) == 17
    warm, cold = rows(temperature_c=30.0), rows(speed_of_sound_m_s=331.5)
    assert warm != usual != cold
    places, windy = ([row for row in made if row[7] is not None] for made in (usual, rows(wind_m_s=5.0)))
    assert windy[0][10] > 1.2 * places[0][10]  # radius90_m


def test_settings_are_all_that_was_asked(tmp_path):
    told = Asked(method="srp-phat", checkpoint=tmp_path / "w.safetensors", band_hz=(100.0, 400.0)).to_dict()
    assert told["checkpoint"] == str(tmp_path / "w.safetensors")
    assert told["band_hz"] == "(100.0, 400.0)"
    assert told["window_s"] is None
    assert told["every"] == "False"


def test_a_checkpoint_reaches_its_method(tmp_path):
    with pytest.raises(Exception, match=r"none\.safetensors"):
        Asked(method="three-stream", checkpoint=tmp_path / "none.safetensors").localizer()


def test_what_cannot_be_located_says_why(given, monkeypatch):
    microphones, piece = given

    class Broken:
        name = "broken"

        def locate(self, scene):
            raise SceneError("too loud for me")

    made = locate_piece(Asked(), Broken(), microphones, None, piece)
    assert made.trouble == "too loud for me"
    assert made.audio_s == piece.audio_s
    assert made.rows == []
