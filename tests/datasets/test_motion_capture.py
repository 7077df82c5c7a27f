"""Tables of a motion capture, read to the last coordinate, and refused where they are not what they should be."""

import numpy as np
import pytest

from soundfix.datasets.motion_capture import read_positions, read_qualisys, read_trajectory
from soundfix.errors import DatasetError

HEADER = (
    "NO_OF_FRAMES\t{frames}\nNO_OF_CAMERAS\t8\nFREQUENCY\t100\nDESCRIPTION\t--\nTIME_STAMP\t2022-05-07, 10:00:00\t1.5\n"
)
MARKERS = HEADER + "DATA_INCLUDED\t3D\nMARKER_NAMES\tmic01R\tspeaker1\n"
BODIES = HEADER + "DATA_INCLUDED\t6D\nBODY_NAMES\tcart\tspeaker\n"
TRAJECTORY = "timestamps,X,Y,Z,Roll,Pitch,Yaw,Residual,Rot[0],Rot[1],Rot[2],Rot[3],Rot[4],Rot[5],Rot[6],Rot[7],Rot[8]\n"
TURN = "0,0,0,0.5,1,0,0,0,1,0,0,0,1"


@pytest.fixture
def table(tmp_path):
    def write(text, name="t.tsv"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_markers_under_column_names(table):
    """Zeros and blanks are lost; a zero in one coordinate is a place; other columns are passed over."""
    path = table(
        MARKERS.format(frames=4)
        + "Frame\tTime\tmic01R X\tmic01R Y\tmic01R Z\tmic01R Type\t"
        + "speaker1 X\tspeaker1 Y\tspeaker1 Z\tspeaker1 Type\t\n"
        + "1\t0.00000\t1000.5\t0\t-250\tMeasured\t0.000\t0.000\t0.000\t-\t\n"
        + "2\t0.01000\t1001.5\t2000\t-250\tMeasured\t10\t20\t30\tMeasured\t\n"
        + "3\t0.02000\t\t\t\t-\t11\t21\t31\tMeasured\t\n"
        + "4\t0.03000\t1003.5\t2000\t-250\tMeasured\t12\t\t32\tMeasured\t\n"
    )
    capture = read_qualisys(path)
    assert capture.times_s == pytest.approx([0, 0.01, 0.02, 0.03])
    assert not capture.has_bodies
    nan = [np.nan] * 3
    assert np.allclose(
        capture.places["mic01R"], [[1.0005, 0, -0.25], [1.0015, 2, -0.25], nan, [1.0035, 2, -0.25]], equal_nan=True
    )
    assert np.allclose(
        capture.places["speaker1"], [nan, [0.01, 0.02, 0.03], [0.011, 0.021, 0.031], nan], equal_nan=True
    )


@pytest.mark.parametrize("end", ["", "\t"])
@pytest.mark.parametrize("lead", [False, True])
def test_markers_without_column_names(table, lead, end):
    """A frame in which everything was lost is a line of tabs, and still a frame."""
    rows = ["1\t2\t300\t4\t5\t600", "\t\t\t\t\t", "7\t8\t900\t10\t11\t1200"]
    lines = [(f"{n + 1}\t{n / 100:.5f}\t" if lead else "") + row + end for n, row in enumerate(rows)]
    capture = read_qualisys(table(MARKERS.format(frames=3) + "\n".join(lines) + "\n"))
    assert capture.times_s == pytest.approx([0, 0.01, 0.02])
    assert capture.places["speaker1"][[0, 2]] == pytest.approx(np.array([[4, 5, 600], [10, 11, 1200]]) / 1000)
    assert np.isnan(capture.places["mic01R"][1]).all()


def test_bodies_under_column_names(table):
    columns = "\t".join(f"{name} X\tY\tZ\tRoll\tPitch\tYaw\tResidual\t" + "\t".join(f"Rot[{n}]" for n in range(9))
                        for name in ("cart", "speaker"))  # fmt: skip
    turn = TURN.replace(",", "\t")
    rows = [f"{n + 1}\t{n / 100}\t{n}\t2\t3\t{turn}\t{500 + n}\t600\t700\t{turn}\t" for n in range(3)]
    capture = read_qualisys(table(BODIES.format(frames=3) + f"Frame\tTime\t{columns}\t\n" + "\n".join(rows)))
    assert capture.has_bodies
    assert capture.places["speaker"] == pytest.approx(np.array([[0.5, 0.6, 0.7], [0.501, 0.6, 0.7], [0.502, 0.6, 0.7]]))
    assert capture.places["cart"][2] == pytest.approx([0.002, 0.002, 0.003])


def test_bodies_without_column_names(table):
    turn = TURN.replace(",", "\t")
    rows = [f"{n}\t2\t3\t{turn}\t{500 + n}\t600\t700\t{turn}" for n in range(3)]
    capture = read_qualisys(table(BODIES.format(frames=3) + "\n".join(rows)))
    assert capture.places["speaker"][:, 0] == pytest.approx([0.5, 0.501, 0.502])


@pytest.mark.parametrize(
    "change", [str, str.upper, lambda text: text.replace(",", " , "), lambda text: text.replace(",", ";")]
)
@pytest.mark.parametrize(
    ("epoch", "step"), [(0, 0.01), (1651916361.26, 0.01), (1651916361260, 10), (1.6519e18, 1e7), (7, 1)]
)
def test_a_trajectory_in_any_unit_of_time(table, change, epoch, step):
    rows = [f"{epoch + n * step!r},{1000 + n},-2000,{500 * (n > 0)},{TURN}" for n in range(5)]
    capture = read_trajectory(table(change(TRAJECTORY + "\n".join(rows)), "t.csv"))
    assert capture.times_s == pytest.approx(np.arange(5) / 100, abs=1e-5)
    assert capture.places["body"] == pytest.approx(np.array([[1 + n / 1000, -2, 0.5 * (n > 0)] for n in range(5)]))


def test_rows_left_out_are_one_lost_frame(table):
    rows = [f"{n / 100},{1000 + n},0,0,{TURN}" for n in (0, 1, 2, 6, 7)]
    capture = read_trajectory(table(TRAJECTORY + "\n".join(rows), "t.csv"))
    assert capture.times_s == pytest.approx([0, 0.01, 0.02, 0.03, 0.06, 0.07])
    assert np.isnan(capture.places["body"][:, 0]).tolist() == [False, False, False, True, False, False]


def test_positions_in_metres(table):
    text = (
        "Time [s],mic1_x,mic1_y,mic1_z,Mic2_x [m],Mic2_y [m],Mic2_z [m],speaker_x,speaker_y,speaker_z\n"
        "0.00,1,2,3,4,5,6,0.5,0.25,1.5\n0.01,1,2,3,NaN,NaN,NaN,NaN,NaN,NaN\n0.02,1,2,3,4,5,6,0.7,,1.5\n"
    )
    capture = read_positions(table(text, "gt_positions.csv"))
    assert list(capture.places) == ["mic1", "mic2", "speaker"]
    assert capture.places["mic1"].tolist() == [[1, 2, 3]] * 3
    assert np.isnan(capture.places["mic2"]).all(axis=1).tolist() == [False, True, False]
    assert np.isnan(capture.places["speaker"]).all(axis=1).tolist() == [False, True, True]
    assert capture.places["speaker"][0].tolist() == [0.5, 0.25, 1.5]


ROW = "1\t0.0\t1000\t2\t3\t4\t5\t6\n2\t0.01\t1000\t2\t3\t4\t5\t6\n"
COLUMNS = "Frame\tTime\tmic01R X\tmic01R Y\tmic01R Z\tspeaker1 X\tspeaker1 Y\tspeaker1 Z\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.tsv is empty"),
        ("name,x,y,z\na,1,2,3\n", "begins with 'name,x,y,z', wanted Qualisys header lines"),
        (MARKERS.format(frames=2) + COLUMNS, "no frames: was the copy interrupted"),
        (MARKERS.format(frames=200) + COLUMNS + ROW, "has 2 frames, wanted 200 as its header promises"),
        (MARKERS.format(frames=2) + COLUMNS + ROW.replace("5\t6", "5"), "line 9: 7 cells, wanted 8"),
        (
            MARKERS.format(frames=2) + COLUMNS + ROW.replace("1000", "1000,5"),
            "line 9: '1000,5' is no number: a decimal comma",
        ),
        (MARKERS.format(frames=2) + COLUMNS.replace("mic01R Z", "mic01R") + ROW, "for mic01R, wanted X, Y and Z"),
        (MARKERS.format(frames=2) + COLUMNS + ROW.replace("0.01", "0.0"), "time does not go on after 0"),
        (MARKERS.format(frames=1) + COLUMNS + ROW.split("2\t0.01")[0], "with a single frame"),
        (MARKERS.format(frames=2) + ROW.replace("4\t5\t6", "4\t5"), "7 columns for 2 names, wanted 3 for each"),
        (MARKERS.format(frames=2).replace("FREQUENCY\t100", "FREQUENCY\t0") + ROW, "FREQUENCY is '0'"),
        (MARKERS.format(frames=2) + COLUMNS + ROW.replace("1000", "2"), "comes to 0.006 m.*metres already"),
        (MARKERS.format(frames=2) + COLUMNS + ROW.replace("1000", "1000000"), "comes to 1e.03 m"),
    ],
)
def test_qualisys_files_that_cannot_be(table, text, message):
    with pytest.raises(DatasetError, match=message):
        read_qualisys(table(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TRAJECTORY.replace("Z,", "") + f"0,1000,2,{TURN}\n" * 2, "wanted z too"),
        (TRAJECTORY + f"0,1000,2,3,{TURN}\n", "has 1 frames, wanted two or more"),
        (TRAJECTORY + f"0,1000,2,3,{TURN}\n0.02,1000,2,3,{TURN}\n", "step by 0.02, wanted 1/100 s"),
        (TRAJECTORY + f"0,1000,2,3,{TURN}\n0.01,1000,oops,3,{TURN}\n", "line 3: 'oops' is no number"),
        (TRAJECTORY + f"0,1000,2,3,{TURN}\n0.01,10\n", "line 3: 2 cells, wanted 4: is the file cut short there"),
        (TRAJECTORY + f"0.01,1000,2,3,{TURN}\n0,1000,2,3,{TURN}\n", "time does not go on after 0.01"),
        (TRAJECTORY + f"0,1000,2,3,{TURN}\n,1000,2,3,{TURN}\n", "time does not go on after 0"),
    ],
)
def test_trajectories_that_cannot_be(table, text, message):
    with pytest.raises(DatasetError, match=message):
        read_trajectory(table(text, "t.csv"))


def test_positions_that_cannot_be(table):
    with pytest.raises(DatasetError, match="wanted speaker_x, speaker_y, speaker_z too"):
        read_positions(table("time,mic1_x,mic1_y,mic1_z\n0,1,2,3\n0.01,1,2,3\n", "gt_positions.csv"))
    with pytest.raises(DatasetError, match="wanted mic1_z too"):
        read_positions(table("time,mic1_x,mic1_y,speaker_x,speaker_y,speaker_z\n0,1,2,3,4,5\n1,1,2,3,4,5\n"))
    with pytest.raises(DatasetError, match=r"comes to 3e.03 m.*millimetres, where metres were wanted"):
        read_positions(table("time,speaker_x,speaker_y,speaker_z\n0,1000,2000,3000\n0.01,1000,2000,3000\n"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DatasetError, match=r"cannot read .*gone.tsv: No such file"):
        read_qualisys(tmp_path / "gone.tsv")
