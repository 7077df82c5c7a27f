"""What goes wrong with files and lists, and what users expect then (rows as in test_fault_rows.py)."""

import csv
import struct
import tracemalloc
from functools import cache
from time import monotonic

import numpy as np
import pytest
import soundfile
import soxr
from typer.testing import CliRunner

import soundfix
from helpers.faults import RATE, located, place, shell, with_channel
from soundfix.cli.app import app
from soundfix.errors import AudioFileError, MicrophoneFileError, SceneError, SoundfixError
from soundfix.files.microphones import write_microphones
from soundfix.microphones import Microphones
from soundfix.testing import SOURCE, contract_scene


@cache
def of_all():
    """What is in the folder, without a file."""
    return located(contract_scene(seconds=1.0), method="srp-phat")


def refused(folder, error, message, **options):
    done, written = shell(folder, **options)
    assert isinstance(done.exception, error)
    assert isinstance(done.exception, SoundfixError)
    assert message in str(done.exception)
    assert written is None


def test_row_13_a_file_that_ends_early_is_a_microphone_that_is_dead_from_there(folder):
    audio, _ = soundfile.read(folder / "mic3.wav")
    soundfile.write(folder / "mic3.wav", audio[:9600], RATE, subtype="FLOAT")
    done, estimates = shell(folder)
    assert "mic3: no sound after 0:00.6 (mic3.wav ends there)" in done.stderr
    assert "  mic3: no sound after 0:00.6 (mic3.wav ends there)" in done.stdout
    assert [(each["start_s"], each["end_s"]) for each in estimates] == [(0.0, 0.5), (0.5, 1.0)]
    assert [each["microphones"][2]["status"] for each in estimates] == ["ok", "dead"]
    assert max(np.linalg.norm(place(each) - SOURCE) for each in estimates) < 0.01


def test_row_11_a_file_that_begins_later_by_its_name_is_heard_where_it_belongs(folder):
    for m in range(1, 9):
        audio, _ = soundfile.read(folder / f"mic{m}.wav")
        late_s = 2 if m == 3 else 0
        name = folder / f"mic{m}_20220620_14300{late_s}.wav"
        soundfile.write(name, np.tile(audio, 4)[late_s * RATE :], RATE, subtype="FLOAT")
        (folder / f"mic{m}.wav").unlink()
    (folder / "mics.csv").write_text((folder / "mics.csv").read_text().replace(".wav", ""))
    done, estimates = shell(folder, "--hop", "1")
    assert "mic3: no sound before 0:02 (mic3_20220620_143002.wav begins there)" in done.stderr
    assert "take begins at 2022-06-20 14:30:00" in done.stderr
    assert [each["microphones"][2]["status"] for each in estimates] == ["dead", "dead", "ok", "ok"]
    assert max(np.linalg.norm(place(each) - SOURCE) for each in estimates) < 0.01


def test_row_01_a_microphone_without_a_file_is_dead_throughout(folder):
    (folder / "mic3.wav").unlink()
    done, estimates = shell(folder)
    assert "mic3: no sound at all: it has no file" in done.stderr
    assert [each["microphones"][2]["status"] for each in estimates] == ["dead", "dead"]
    assert max(np.linalg.norm(place(each) - SOURCE) for each in estimates) < 0.01


def rewritten(folder, change, header="name,x,y,z"):
    """The list with its coordinates changed, one multichannel file beside it."""
    scene = contract_scene(seconds=1.0)
    soundfile.write(folder / "take.wav", scene.audio.T, RATE, subtype="FLOAT")
    rows = [f"mic{m + 1}," + ",".join(map(str, change(row))) for m, row in enumerate(scene.microphones.positions)]
    (folder / "mics.csv").write_text("\n".join([header, *rows]))
    return folder / "take.wav"


@pytest.mark.parametrize(
    ("change", "header", "message"),
    [
        (lambda row: 1000 * row, "name,x,y,z", "were positions given in mm?"),
        (lambda row: 100 * row, "name,x,y,z", "given in cm"),
        (lambda row: 1e-5 * row + [55.71, 13.21, 0], "name,x,y,z", "given in degrees"),
        (lambda row: row, "name,x_mm,y_mm,z_mm", "call it x"),
    ],
    ids=["mm", "cm", "degrees", "x_mm"],
)
def test_row_17_another_unit_is_refused_with_a_hint(tmp_path, change, header, message):
    audio = rewritten(tmp_path, change, header)
    refused(tmp_path, (SceneError, MicrophoneFileError), message, audio=audio)


def test_row_17_feet_are_guessed_from_the_sound(tmp_path):
    audio = rewritten(tmp_path, lambda row: row / 0.3048)
    done = CliRunner().invoke(app, ["locate", str(audio), "-m", str(tmp_path / "mics.csv"), "--method", "srp-phat"])
    assert done.exit_code == 0
    assert "feet" in done.stdout


def test_row_19_two_microphones_on_one_spot_are_refused(tmp_path):
    audio = rewritten(tmp_path, lambda row: np.maximum(row, [3.0, 0, 0]) if row[1] < 1 else row)
    text = (tmp_path / "mics.csv").read_text().splitlines()
    text[2] = "mic2," + text[1].split(",", 1)[1]
    (tmp_path / "mics.csv").write_text("\n".join(text))
    refused(tmp_path, MicrophoneFileError, "microphones mic1 and mic2 stand on the same spot", audio=audio)


def test_row_29_no_microphone_at_all_is_refused(tmp_path):
    audio = rewritten(tmp_path, lambda row: row)
    (tmp_path / "mics.csv").write_text("name,x,y,z\n")
    refused(tmp_path, MicrophoneFileError, "lists no microphones", audio=audio)
    with pytest.raises(SceneError):
        soundfix.locate(np.zeros((0, 8000)), float(RATE), np.zeros((0, 3)))


def test_row_32_a_huge_sparse_file_streams(tmp_path):
    """20 s of twelve channels at 96 kHz (46 MB), nearly all of it a hole in the file: far less is ever in memory."""
    channels, rate, seconds = 12, 96_000, 20
    size = 2 * channels * rate * seconds
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, channels, rate,
                       2 * channels * rate, 2 * channels, 16, b"data", size)  # fmt: skip
    with (tmp_path / "take.wav").open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)
    write_microphones(tmp_path / "mics.csv", contract_scene(channels).microphones)
    tracemalloc.start()
    done, estimates = shell(tmp_path, "--hop", "2", audio=tmp_path / "take.wav")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert done.exit_code == 0, done.exception
    assert len(estimates) == 10
    assert {estimate["verdict"] for estimate in estimates} == {"abstain"}
    assert peak < 80e6


@pytest.mark.parametrize(
    ("spoil", "statuses"),
    [
        (lambda raw: raw[: len(raw) // 2], ["ok", "dead"]),
        (lambda raw: b"", ["dead", "dead"]),
        (lambda raw: b"this is a letter, not a sound\n" * 50, ["dead", "dead"]),
        (lambda raw: raw[:40] + b"\0" * (len(raw) - 40), ["dead", "dead"]),
        (lambda raw: raw[:22] + b"\xff\xff" + raw[24:], ["dead", "dead"]),
    ],
    ids=["truncated", "empty", "text", "zeroed header", "65535 channels"],
)
def test_row_33_a_damaged_file_is_named_in_time_and_the_others_go_on(folder, spoil, statuses):
    path, started = folder / "mic3.wav", monotonic()
    path.write_bytes(spoil(path.read_bytes()))
    done, estimates = shell(folder)
    assert "mic3: no sound" in done.stderr
    assert "mic3.wav" in done.stderr
    assert [each["microphones"][2]["status"] for each in estimates] == statuses
    assert max(np.linalg.norm(place(each) - SOURCE) for each in estimates) < 0.01
    assert monotonic() - started < 60


def test_row_33_where_too_few_can_be_read_a_damaged_file_is_an_error(folder):
    for m in range(3, 9):
        (folder / f"mic{m}.wav").write_bytes(b"")
    refused(folder, AudioFileError, "mic3.wav is empty")


@pytest.mark.parametrize("claimed", [b"\xff\xff\xff\xff", b"\0\0\0\0"])
def test_row_33_a_header_that_was_never_closed_costs_nothing(folder, claimed):
    for path in folder.glob("*.wav"):
        raw = path.read_bytes()
        at = raw.index(b"data") + 4
        path.write_bytes(raw[:4] + claimed + raw[8:at] + claimed + raw[at + 4 :])
    done, estimates = shell(folder)
    assert "never closed by its recorder" in done.stderr
    assert [np.linalg.norm(place(each) - SOURCE) < 0.01 for each in estimates] == [True, True]


@pytest.mark.parametrize(
    ("container", "subtype"),
    [("WAV", "PCM_U8"), ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "DOUBLE"), ("WAVEX", "PCM_24"),
     ("FLAC", "PCM_24"), ("RF64", "PCM_16"), ("W64", "FLOAT")],
)  # fmt: skip
def test_row_34_every_format_gives_the_same_place(folder, container, subtype):
    for path in folder.glob("*.wav"):
        audio, rate = soundfile.read(path)
        soundfile.write(path, audio, rate, format=container, subtype=subtype)
    _, estimates = shell(folder)
    plain = of_all().estimates[0].sources[0].position_m
    assert np.linalg.norm(place(estimates[0]) - plain) < (2e-3 if subtype == "PCM_U8" else 2e-4)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("mic9,nan,1,1", "'nan' is not a number"),
        ("mic9,inf,1,1", "'inf' is not a number"),
        ("mic9,1e308,1,1", "'1e308' is beyond 20,000,000"),
        ("mic9,1e999,1,1", "'1e999' is beyond 20,000,000"),
        ("mic9,1_0,1,1", "'1_0' is not a number"),
        ("mic1,1,1,1", "the name 'mic1' is taken"),
        ("mic9,1,1", "wanted 4 as in the header"),
    ],
)
def test_row_49_a_bad_row_is_refused_with_its_line(tmp_path, row, message):
    audio = rewritten(tmp_path, lambda position: position)
    with (tmp_path / "mics.csv").open("a") as file:
        file.write(f"\n{row}\n")
    refused(tmp_path, MicrophoneFileError, message, audio=audio)
    refused(tmp_path, MicrophoneFileError, "line 10", audio=audio)


@pytest.mark.slow
def test_row_49_a_million_rows_are_refused_in_time(tmp_path):
    audio = rewritten(tmp_path, lambda position: position)
    (tmp_path / "mics.csv").write_text("name,x,y,z\n" + "\n".join(f"m{n},{n},0,0" for n in range(1_000_000)))
    started = monotonic()
    refused(tmp_path, MicrophoneFileError, "lists more than 100,000 microphones", audio=audio)
    assert monotonic() - started < 60


@pytest.mark.parametrize("name", ["=HYPERLINK(0)", "+1", "-1", "@SUM(A1)"])
def test_row_49_no_name_becomes_a_formula(tmp_path, name):
    """A dead microphone's name stands in the reasons; a cell never begins with what a spreadsheet would run."""
    scene = with_channel(contract_scene(), np.zeros(8000))
    soundfile.write(tmp_path / "take.wav", scene.audio.T, RATE, subtype="FLOAT")
    names = tuple(name if m == 2 else f"mic{m}" for m in range(8))
    write_microphones(tmp_path / "mics.csv", Microphones(positions=scene.microphones.positions, names=names))
    done, _ = shell(tmp_path, "--csv", str(tmp_path / "answers.csv"), audio=tmp_path / "take.wav")
    assert done.exit_code == 0, done.exception
    cells = [cell for row in csv.reader((tmp_path / "answers.csv").read_text().splitlines()) for cell in row]
    assert any(f"dead:{name}" in cell for cell in cells)
    assert not [
        cell for cell in cells if cell.startswith(("=", "+", "@", "-")) and not cell[1:].replace(".", "").isdigit()
    ]


def test_row_09_a_header_of_another_rate_is_resampled_and_told(folder):
    audio, _ = soundfile.read(folder / "mic3.wav")
    soundfile.write(folder / "mic3.wav", soxr.resample(audio, RATE, 44_100), 44_100, subtype="FLOAT")
    done, estimates = shell(folder)
    assert "different sample rates (16000 Hz: mic1.wav and 6 more; 44100 Hz: mic3.wav)" in done.stderr
    assert {estimate["verdict"] for estimate in estimates} == {"ok"}
    assert max(np.linalg.norm(place(estimate) - SOURCE) for estimate in estimates) < 0.01
