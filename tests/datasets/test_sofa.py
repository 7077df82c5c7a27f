"""Measured rooms as SOFA files."""

import sys

import numpy as np
import pytest

from helpers.responses import POSITIONS, SOURCES, deltas
from soundfix.datasets import sofa
from soundfix.datasets.measured import Measured, read_rooms, read_sofa
from soundfix.errors import DatasetError, MissingPackageError


def write_sofa(path, convention, **values):
    """With sofar; its variables of text are left out, for its writer trips over them with some versions of netCDF4."""
    sofa = pytest.importorskip("sofar").Sofa(convention)
    for name in ("ReceiverDescriptions", "EmitterDescriptions", "MeasurementDate"):
        if hasattr(sofa, name):
            sofa.delete(name)
    for name, value in values.items():
        setattr(sofa, name, value)
    pytest.importorskip("sofar").write_sofa(str(path), sofa)
    return path


GENERAL = {
    "Data_IR": deltas(), "Data_SamplingRate": 48_000, "Data_Delay": np.zeros((1, 4)), "ReceiverPosition": POSITIONS,
    "ListenerPosition": np.zeros((1, 3)), "SourcePosition": SOURCES, "SourcePosition_Type": "cartesian",
    "SourcePosition_Units": "metre",
}  # fmt: skip


def test_sofa_with_receivers_in_the_room(tmp_path, room):
    (read,) = read_sofa(write_sofa(tmp_path / "g.sofa", "GeneralFIR", **GENERAL), speed_of_sound_m_s=340.0)
    assert read.name == "g"
    assert read.microphones.positions == pytest.approx(POSITIONS)
    assert read.sources == pytest.approx(SOURCES)
    assert np.array_equal(read.responses, room.responses)
    assert read.speed_of_sound_m_s == 340.0
    scene = Measured(rooms=(read,), count=1, clip_s=0.1)[0]
    assert scene.truth.sources[0] in SOURCES


def test_sofa_with_receivers_about_a_listener_who_looks_somewhere(tmp_path):
    """He stands at (2, 1, 1.5) and looks along y: his left is -x. Receivers are spherical: left; ahead, 30° up."""
    path = write_sofa(
        tmp_path / "h.sofa", "SingleRoomSRIR", Data_IR=deltas()[:, :2], Data_Delay=np.zeros((1, 2)),
        ReceiverPosition=np.array([[90.0, 0, 0.1], [0, 30, 0.2]]), ReceiverView=np.array([[1.0, 0, 0]] * 2),
        ReceiverUp=np.array([[0.0, 0, 1]] * 2), ListenerPosition=np.array([[2.0, 1, 1.5]] * 2),
        ListenerView=np.array([[0.0, 1, 0]]), SourcePosition=SOURCES, RoomTemperature=293.15,
    )  # fmt: skip
    with pytest.importorskip("netCDF4").Dataset(path, "a") as file:
        file.createVariable("RoomDescription", "S1", ("I",))[:] = b"a"
    (read,) = read_sofa(path, speed_of_sound_m_s=300.0)
    assert read.microphones.positions == pytest.approx(np.array([[1.9, 1, 1.5], [2, 1 + 0.2 * np.sqrt(0.75), 1.6]]))
    assert read.speed_of_sound_m_s == pytest.approx(343.2, abs=0.1)
    assert read.sources == pytest.approx(SOURCES)


def test_sofa_with_one_receiver_carried_about(tmp_path, room):
    """Four places of the listener for each of two sources: one array, two sources. A place measured twice is one."""
    order = [0, 1, 2, 3, 0, 1, 2, 3, 3]
    path = write_sofa(
        tmp_path / "m.sofa", "GeneralFIR", **(GENERAL | {
            "Data_IR": np.concatenate([deltas().reshape(8, 1, -1), deltas()[1:, :1]]), "Data_Delay": np.zeros((1, 1)),
            "ReceiverPosition": np.zeros((1, 3)), "ListenerPosition": POSITIONS[order],
            "SourcePosition": SOURCES[[0, 0, 0, 0, 1, 1, 1, 1, 1]],
        })
    )  # fmt: skip
    (read,) = read_sofa(path)
    assert read.microphones.positions == pytest.approx(POSITIONS)
    assert np.array_equal(read.responses, room.responses)


def test_sofa_with_sources_heard_by_different_arrays_is_two_rooms(tmp_path):
    path = write_sofa(
        tmp_path / "t.sofa", "GeneralFIR", **(GENERAL | {"ListenerPosition": np.array([[0.0, 0, 0], [1, 0, 0]])})
    )
    first, second = read_rooms([path])
    assert first.sources == pytest.approx(SOURCES[:1])
    assert second.microphones.positions == pytest.approx(POSITIONS + np.array([1, 0, 0]))
    assert second.responses.shape == (1, 4, 200)


def test_sofa_with_sources_in_spherical_coordinates(tmp_path):
    values = GENERAL | {"SourcePosition": np.array([[90.0, 0, 2], [180, 45, np.sqrt(2)]]),
                        "SourcePosition_Type": "spherical", "SourcePosition_Units": "degree, degree, metre",
                        }  # fmt: skip
    (read,) = read_sofa(write_sofa(tmp_path / "s.sofa", "GeneralFIR", **values))
    assert read.sources == pytest.approx(np.array([[0, 2, 0], [-1, 0, 1]]), abs=1e-9)


def test_delays_of_sofa_are_added_fractions_too(tmp_path, room):
    """30 taps are 10 samples at 16 kHz; half a sample later, the sound of a low tone is half a sample later."""
    values = GENERAL | {"Data_Delay": np.array([[0.0, 30, 0, 1.5]])}
    (read,) = read_sofa(write_sofa(tmp_path / "d.sofa", "GeneralFIR", **values))
    later = read.responses[0]
    assert later[1, 10:190] == pytest.approx(room.responses[0, 1, :180], abs=2e-3)
    turns = [np.angle(np.fft.rfft(rows[3], 400)[40]) for rows in (later, room.responses[0])]
    assert (turns[1] - turns[0]) % (2 * np.pi) / (2 * np.pi * 0.1) == pytest.approx(0.5, abs=0.01)


def test_sofa_files_that_cannot_be(tmp_path):
    netCDF4 = pytest.importorskip("netCDF4")
    for name, content in (("text", b"garbage" * 100), ("empty", b"")):
        (tmp_path / f"{name}.sofa").write_bytes(content)
        with pytest.raises(DatasetError, match=rf"cannot read .*{name}.sofa as SOFA"):
            read_sofa(tmp_path / f"{name}.sofa")
    with pytest.raises(DatasetError, match=r"cannot read .*gone.sofa as SOFA"):
        read_sofa(tmp_path / "gone.sofa")
    with pytest.raises(DatasetError, match=r"data of type TF"):
        read_sofa(write_sofa(tmp_path / "tf.sofa", "GeneralTF"))
    silent = GENERAL | {"Data_IR": deltas() * 0}
    with pytest.raises(DatasetError, match=r"microphone 1 to source 1 is silent"):
        read_sofa(write_sofa(tmp_path / "silent.sofa", "GeneralFIR", **silent))
    path = write_sofa(tmp_path / "units.sofa", "GeneralFIR", **GENERAL)
    with netCDF4.Dataset(path, "a") as file:
        file["SourcePosition"].Units = "millimetre"
    with pytest.raises(DatasetError, match=r"SourcePosition is cartesian in 'millimetre', wanted"):
        read_sofa(path)
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(DatasetError, match=r"cannot read .*units.sofa as SOFA"):
        read_sofa(path)


def test_without_sofar_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sofar", None)
    with pytest.raises(MissingPackageError, match=r"sofar is not installed; .*soundfix\[interop\]"):
        read_sofa(tmp_path / "a.sofa")


@pytest.mark.parametrize(
    ("trial", "message"),
    [("import time; time.sleep(60)", "was not read in 1 s"), ("import os; os.abort()", r"ends the process .*signal 6")],
)
def test_a_file_from_which_the_library_does_not_come_back(tmp_path, monkeypatch, trial, message):
    """Once in a thousand damaged files: nothing within the process can stop it."""
    path = write_sofa(tmp_path / "g.sofa", "GeneralFIR", **GENERAL)
    monkeypatch.setattr(sofa, "TRIAL", trial)
    monkeypatch.setattr(sofa, "DEADLINE_S", 1.0)
    with pytest.raises(DatasetError, match=message):
        read_sofa(path)
