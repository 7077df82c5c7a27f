"""A recording for Rerun's viewer, read with Rerun's own reader."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.foreign import BEGUN, RECORDED, answer, direction, source
from soundfix.errors import MissingPackageError, OutputError
from soundfix.physics import REGION_90
from soundfix.report.recorded import Recorded
from soundfix.report.rerun import LEFT_OUT, USED, RerunWriter, _ellipsoid

ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))


def write(path, *estimates, recorded=RECORDED):
    with RerunWriter(path, recorded) as writer:
        for estimate in estimates:
            writer.write(estimate)
    return path


def entities(path):
    """entity -> its rows as dictionaries, a chunk after the other."""
    reader = pytest.importorskip("rerun.chunk").RrdReader(path)
    found = {}
    for chunk in reader.stream().to_chunks():
        found.setdefault(str(chunk.entity_path), []).extend(chunk.to_record_batch().to_pylist())
    return found


@pytest.fixture(autouse=True)
def has_rerun():
    pytest.importorskip("rerun")


def column(row, name):
    return next(value for key, value in row.items() if key.endswith(name))


def test_sources_regions_and_microphones_are_there_over_time(tmp_path):
    path = write(
        tmp_path / "a.rrd", answer(source(1, 2, 3), residuals=(0.0, None, 0.1)), answer(start_s=2.0, end_s=2.5)
    )
    found = entities(path)
    first, second = found["/sources"]
    assert np.allclose(column(first, "Points3D:positions"), [[1, 2, 3]])
    assert column(second, "Points3D:positions") == []
    assert [column(row, "recording").total_seconds() for row in (first, second)] == [1.25, 2.25]
    region = found["/regions"][0]
    assert np.allclose(column(region, "half_sizes"), np.sqrt(REGION_90 * 0.01))
    microphones = found["/microphones"][0]
    assert len(column(microphones, "Points3D:positions")) == 3
    assert column(microphones, "Points3D:labels") == ["a", "b dead", "c"]
    colours = [colour >> 8 for colour in column(microphones, "Points3D:colors")]
    assert colours == [int.from_bytes(bytes(each)) for each in (USED, LEFT_OUT, USED)]
    assert "/room" not in found


def test_a_room_and_a_clock_where_they_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(Recorded, "starts_at", BEGUN)
    found = entities(write(tmp_path / "a.rrd", answer(source(1, 2, 3)), recorded=replace(RECORDED, room=ROOM)))
    assert np.allclose(column(found["/room"][0], "half_sizes"), [[3, 2.5, 1.5]])
    assert abs(column(found["/sources"][0], "clock").timestamp() - BEGUN.timestamp() - 1.25) < 1e-3


def test_a_direction_is_an_arrow(tmp_path):
    found = entities(write(tmp_path / "a.rrd", direction()))
    arrow = found["/directions"][0]
    assert np.allclose(column(arrow, "origins"), [[1, 1, 1]])
    (vector,) = np.array(column(arrow, "vectors"))
    assert np.allclose(vector / np.linalg.norm(vector), [0, np.cos(np.radians(10)), np.sin(np.radians(10))], atol=1e-6)
    assert column(found["/sources"][0], "Points3D:positions") == []


def test_an_ellipsoid_is_that_of_the_covariance(rng):
    from scipy.spatial.transform import Rotation

    for root in rng.standard_normal((8, 3, 3)):
        half_m, turn = _ellipsoid(source(0, 0, 0, covariance=root @ root.T))
        axes = Rotation.from_quat(turn).as_matrix() * half_m
        np.testing.assert_allclose(axes @ axes.T, REGION_90 * root @ root.T, atol=1e-9)


def test_a_file_is_whole_or_as_it_was(tmp_path):
    (tmp_path / "a.rrd").write_text("old")

    def broken():
        with RerunWriter(tmp_path / "a.rrd", RECORDED):
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert (tmp_path / "a.rrd").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.rrd"]


def test_without_rerun_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rerun", None)
    with pytest.raises(MissingPackageError, match=r"rerun-sdk is not installed; .*soundfix\[rerun\]"):
        RerunWriter(tmp_path / "a.rrd", RECORDED)


@pytest.mark.parametrize(
    "error", [RuntimeError("File-writer thread shut down"), OSError(28, "No space left on device")]
)
def test_a_disk_that_is_full_is_one_sentence(tmp_path, error):
    class Full:
        def __init__(self, stream):
            self.stream = stream

        def flush(self):
            raise error

        def __getattr__(self, name):
            return getattr(self.stream, name)

    def run(also=None):
        with RerunWriter(tmp_path / "a.rrd", RECORDED) as writer:
            writer.write(answer(source(1, 2, 3)))
            writer._stream = Full(writer._stream)
            if also:
                raise also

    with pytest.raises(OutputError, match=r"cannot write .*a\.rrd: (File-writer|the disk is full)"):
        run()
    with pytest.raises(KeyError):
        run(KeyError)
    assert list(tmp_path.iterdir()) == []
