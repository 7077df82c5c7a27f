"""What goes wrong with microphones, files and lists, and what users expect then: the whole way, from sound to answer.

The number in a test's name is that of the row in the list of faults that soundfix is built against. What is tested of
single parts is in their own files; here is what a user sees.
"""

import csv
import json
import re
import struct
import tracemalloc
from dataclasses import replace
from time import monotonic

import jsonschema
import numpy as np
import pytest
import soundfile
import soxr
from scipy.signal import lfilter
from typer.testing import CliRunner

import soundfix
from helpers.scenes import anechoic_scene, drawn
from helpers.walks import ROOM as WALKED
from helpers.walks import array, walk
from soundfix import physics
from soundfix.calibration import self_localization
from soundfix.cli.app import app
from soundfix.errors import AudioFileError, MicrophoneFileError, SceneError, SoundfixError
from soundfix.evaluation.metrics import is_inside
from soundfix.files.microphones import write_microphones
from soundfix.files.scenes import write_scene
from soundfix.microphones import Microphones
from soundfix.report.exports import locate_schema
from soundfix.report.text import describe, describe_microphones
from soundfix.simulation.faults import Fault, break_scene
from soundfix.simulation.worlds import world_named
from soundfix.testing import ROOM, SOURCE, contract_scene

RATE = 16_000
LOUD_DB = [20.0, 30.0, 40.0]
NETWORK = soundfix.load()
OTHERS = np.arange(8) != 2
SHELL = ["--room", "0,0,0,6,5,3", "--speed-of-sound", "343", "--method", "srp-phat"]


def located(scene, *, method=NETWORK, **options):
    """Every window, by the library's front door."""
    options = {"room": scene.room, "speed_of_sound_m_s": scene.speed} | options
    return soundfix.locate(scene.audio, scene.sample_rate, scene.microphones, method=method, **options)


def answer(scene, **options):
    (estimate,) = located(scene, **options).estimates
    return estimate


def broken(kind, amount=None, *, scene=None, microphone="3"):
    fault = Fault(kind, microphone, amount)
    return break_scene(contract_scene() if scene is None else scene, [fault], np.random.default_rng(1))


def with_channel(scene, samples, m=2):
    audio = scene.audio.copy()
    audio[m] = samples
    return replace(scene, audio=audio)


def gap(estimate, place=SOURCE):
    return float(np.linalg.norm(estimate.sources[0].position_m - place))


def note(estimate, code):
    return dict(zip(estimate.reasons, estimate.notes, strict=True))[code]


# microphones


@pytest.mark.parametrize("make", [np.zeros, lambda n: np.full(n, 0.3), lambda n: np.arange(n) % 2 / 32768])
def test_row_01_a_dead_microphone_leaves_the_answer_of_the_others(make):
    estimate = answer(with_channel(contract_scene(), make(8000)))
    assert (estimate.verdict, estimate.reasons) == ("degraded", ("dead:mic3",))
    assert (estimate.microphones[2].status, estimate.microphones[2].weight) == ("dead", 0.0)
    assert gap(estimate, answer(contract_scene().where(OTHERS)).sources[0].position_m) < 1e-3


@pytest.mark.parametrize("offset", [0.05, 0.12, 1.0, 10.0, -0.5])
def test_row_03_an_offset_is_removed_and_told_above_a_tenth_of_full_scale(offset):
    estimate = answer(broken("dc", offset))
    assert gap(estimate, answer(contract_scene()).sources[0].position_m) < 1e-3
    assert (estimate.verdict, estimate.microphones[2].status) == ("ok", "ok")
    assert ("dc:mic3" in estimate.reasons) == (abs(offset) > 0.1)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.45, 0.6, 0.9])
def test_row_04_clipping_is_flagged_weighs_less_and_ruin_is_left_out(share):
    estimate = answer(broken("clipped", share))
    assert (estimate.verdict, estimate.microphones[2].status) == ("degraded", "clipped")
    assert note(estimate, "clipped:mic3") == "mic3: is clipped"
    assert estimate.microphones[2].weight == pytest.approx(1 - share if share < 0.5 else 0, abs=0.01)
    assert gap(estimate) < 0.01


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("count", [1, 800, 8000])
def test_row_05_bad_samples_cost_their_share_and_one_costs_nothing(bad, count, rng):
    samples = contract_scene().audio[2].copy()
    samples[rng.permutation(8000)[:count]] = bad
    estimate = answer(with_channel(contract_scene(), samples))
    assert estimate.microphones[2].weight == pytest.approx(1 - count / 8000, abs=0.001)
    assert any(code in ("nan:mic3", "dead:mic3") for code in estimate.reasons)
    assert gap(estimate) < 0.01


@pytest.mark.parametrize("db", LOUD_DB)
def test_row_06_a_noisy_microphone_is_named_and_left_out(db):
    estimate = answer(broken("noisy", db))
    assert (estimate.verdict, estimate.reasons) == ("degraded", ("noisy:mic3",))
    assert (estimate.microphones[2].status, estimate.microphones[2].weight) == ("noisy", 0.0)
    assert gap(estimate, answer(contract_scene().where(OTHERS)).sources[0].position_m) < 1e-3


@pytest.mark.parametrize("db", LOUD_DB)
def test_row_06_in_a_live_room_noise_harms_no_answer(db):
    scene = drawn(world_named("luvira-twin"), np.random.default_rng(3)).part(0, 8000)
    assert gap(answer(broken("noisy", db, scene=scene)), scene.truth.sources[0]) < 0.02


@pytest.mark.parametrize("db", LOUD_DB)
@pytest.mark.parametrize("method", ["srp-phat", NETWORK], ids=["srp-phat", "three-stream"])
def test_row_06_hum_is_filtered_out_and_told_and_the_microphone_stays(method, db):
    estimate = answer(broken("hum", db), method=method)
    assert note(estimate, "hum:mic3") == "mic3: mains hum; it was filtered out"
    assert (estimate.verdict, estimate.microphones[2].status, estimate.microphones[2].weight) == ("ok", "ok", 1.0)
    assert gap(estimate) < 0.01


def test_row_07_a_reversed_polarity_is_corrected_and_told():
    estimate = answer(broken("inverted"))
    assert (estimate.reasons, estimate.microphones[2].status) == (("inverted:mic3",), "inverted")
    assert estimate.microphones[2].weight == 1
    assert gap(estimate, answer(contract_scene()).sources[0].position_m) < 1e-3


@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_row_08_a_gain_has_no_effect(factor):
    plain, loud = answer(contract_scene()), answer(broken("gain", factor))
    assert gap(loud, plain.sources[0].position_m) < 1e-3
    assert (loud.verdict, loud.reasons) == (plain.verdict, plain.reasons) == ("ok", ())
    assert [m.weight for m in loud.microphones] == [m.weight for m in plain.microphones]


# files


@pytest.fixture
def folder(tmp_path):
    """A file a microphone, and their list."""
    scene = contract_scene(seconds=1.0)
    for name, samples in zip(scene.microphones.names, scene.audio, strict=True):
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE, subtype="FLOAT")
    files = tuple(f"{name}.wav" for name in scene.microphones.names)
    write_microphones(tmp_path / "mics.csv", replace(scene.microphones, files=files))
    return tmp_path


def shell(folder, *options, audio=None):
    """(the run, the estimates that it wrote)."""
    words = ["locate", str(audio or folder), "-m", str(folder / "mics.csv"), *SHELL, *options]
    done = CliRunner().invoke(app, [*words, "--json", str(folder / "answers.json")])
    written = folder / "answers.json"
    return done, json.loads(written.read_text())["estimates"] if written.exists() else None


def place(estimate):
    return np.array(estimate["sources"][0]["position_m"])


def refused(folder, error, message, **options):
    done, written = shell(folder, **options)
    assert isinstance(done.exception, error)
    assert isinstance(done.exception, SoundfixError)
    assert message in str(done.exception)
    assert written is None


def test_row_13_files_of_unequal_lengths_use_the_common_span_and_say_so(folder):
    audio, _ = soundfile.read(folder / "mic3.wav")
    soundfile.write(folder / "mic3.wav", audio[:9600], RATE, subtype="FLOAT")
    done, estimates = shell(folder)
    assert "only the common 0.60 s from the start are used" in done.stderr
    assert [(each["start_s"], each["end_s"]) for each in estimates] == [(0.0, 0.5)]
    assert np.linalg.norm(place(estimates[0]) - SOURCE) < 0.01


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
        (lambda row: 1e-5 * row + [55.71, 13.21, 0], "name,lat,lon,z", "these are degrees: convert to metres first"),
        (lambda row: row, "name,x_mm,y_mm,z_mm", "call it x"),
    ],
    ids=["mm", "cm", "degrees", "lat-lon", "x_mm"],
)
def test_row_17_another_unit_is_refused_with_a_hint(tmp_path, change, header, message):
    audio = rewritten(tmp_path, change, header)
    refused(tmp_path, (SceneError, MicrophoneFileError), message, audio=audio)


def test_row_17_feet_are_guessed_from_the_sound(tmp_path):
    audio = rewritten(tmp_path, lambda row: row / 0.3048)
    done = CliRunner().invoke(app, ["locate", str(audio), "-m", str(tmp_path / "mics.csv"), "--method", "srp-phat"])
    assert isinstance(done.exception, SceneError)
    assert "were they given in feet?" in str(done.exception)


def test_row_19_the_same_channel_twice_is_no_second_ear():
    estimate = answer(broken("copied", 1.0))
    assert (estimate.microphones[2].status, estimate.microphones[2].weight) == ("duplicate", 0.0)
    assert note(estimate, "duplicate:mic3") == "mic3: has the very same samples as another channel"
    assert gap(estimate, answer(contract_scene().where(OTHERS)).sources[0].position_m) < 1e-3


def test_row_19_a_copy_makes_no_array_of_five_of_four():
    estimate = answer(broken("copied", 1.0, scene=contract_scene(5)))
    assert "no_integrity_check" in estimate.reasons


def test_row_19_two_microphones_on_one_spot_are_refused(tmp_path):
    audio = rewritten(tmp_path, lambda row: np.maximum(row, [3.0, 0, 0]) if row[1] < 1 else row)
    text = (tmp_path / "mics.csv").read_text().splitlines()
    text[2] = "mic2," + text[1].split(",", 1)[1]
    (tmp_path / "mics.csv").write_text("\n".join(text))
    refused(tmp_path, MicrophoneFileError, "microphones mic1 and mic2 stand on the same spot", audio=audio)


# layouts


def arranged(positions, rng, *, source=SOURCE, room=ROOM, **options):
    return answer(anechoic_scene(np.asarray(positions, float), source, rng, room=room), **options)


def test_row_20_a_line_of_microphones_is_ambiguous(rng):
    line = np.stack([np.linspace(0.5, 5.5, 8), np.full(8, 2.5), np.full(8, 1.5)], axis=1)
    estimate = arranged(line, rng, method="srp-phat")
    assert estimate.verdict == "ambiguous"
    assert "collinear" in estimate.reasons
    round_it = [np.hypot(*(s.position_m - [0, 2.5, 1.5])[1:]) for s in estimate.sources]
    assert np.allclose(round_it, np.hypot(SOURCE[1] - 2.5, SOURCE[2] - 1.5), atol=0.05)


def test_row_21_a_ceiling_has_a_mirror_image_that_a_room_excludes(rng):
    ceiling = contract_scene().microphones.positions.copy()
    ceiling[:, 2] = 2.95
    inside, anywhere = (arranged(ceiling, rng, room=room, method="srp-phat") for room in (ROOM, None))
    assert (inside.verdict, len(inside.sources)) == ("ok", 1)
    assert gap(inside) < 0.01
    assert anywhere.verdict == "ambiguous"
    assert "mirror_twin" in anywhere.reasons
    assert np.allclose(sorted(s.position_m[2] for s in anywhere.sources), [1.3, 2 * 2.95 - 1.3], atol=0.05)


def test_row_22_the_weak_axis_is_named_and_the_region_is_long(rng):
    """Microphones all round, hardly apart in height, under a floor that excludes their mirror images."""
    turn = np.arange(8) * np.pi / 4
    positions = np.column_stack([3 + 2.5 * np.cos(turn), 2.5 + 2 * np.sin(turn), 0.4 + 0.03 * (np.arange(8) % 3)])
    estimate = arranged(
        positions, rng, source=np.array([3.4, 2.9, 0.7]), room=((0.0, 0.0, 0.45), (6.0, 5.0, 3.0)), method="srp-phat"
    )
    deviations = np.sqrt(np.diag(estimate.sources[0].covariance_m2))
    assert deviations.argmax() == 2
    assert deviations[2] > 3 * deviations[:2].max()
    assert "z is poorly determined by this array here" in note(estimate, "poor_z")


@pytest.mark.parametrize("room", [ROOM, None], ids=["beyond the wall", "beyond the box"])
@pytest.mark.parametrize(("x", "method"), [(7.0, NETWORK), (9.0, "srp-phat"), (20.0, "srp-phat")])
def test_row_23_a_source_outside_is_where_it_is_and_nobodys_fault(room, x, method):
    source = np.array([x, 2.0, 1.5])
    positions = contract_scene().microphones.positions
    estimate = arranged(positions, np.random.default_rng(1), source=source, room=room, method=method)
    assert any(np.linalg.norm(each.position_m - source) < max(0.05, each.radius90_m) for each in estimate.sources)
    assert ("outside_room" in estimate.reasons) == (room is not None)
    assert all(report.status == "ok" for report in estimate.microphones)


# sounds


def pink(rng):
    """Noise of 3 dB less an octave, each microphone's own (Kellet's filter)."""
    white = rng.standard_normal((8, 16_000))
    return lfilter([0.05, -0.096, 0.0507, -0.0044], [1, -2.495, 2.017, -0.522], white, axis=1)[:, 8000:].astype(
        np.float32
    )


@pytest.mark.parametrize("make", [lambda rng: np.zeros((8, 8000)), pink], ids=["silence", "pink noise"])
def test_row_24_silence_and_noise_have_no_place(make, rng):
    estimate = answer(replace(contract_scene(), audio=make(rng)))
    assert (estimate.verdict, estimate.sources) == ("abstain", ())
    assert estimate.reasons[-1] in ("no_signal", "no_fix", "narrow_band")


def test_row_25_a_tone_has_no_single_place(rng):
    ranges = np.linalg.norm(contract_scene().microphones.positions - SOURCE, axis=1)[:, None]
    tone = np.sin(2 * np.pi * 1000 * (np.arange(8000) / RATE - ranges / 343)) / ranges
    estimate = answer(replace(contract_scene(), audio=tone + 0.001 * rng.standard_normal(tone.shape)))
    assert estimate.verdict in ("abstain", "ambiguous")
    assert "narrow_band" in estimate.reasons or len(estimate.sources) > 1


@pytest.mark.slow
def test_row_26_microphones_that_hear_an_echo_only_are_left_out(rng):
    """mic3 and mic6 stand behind a screen: what they hear comes from the image of the source in a wall."""
    scene = anechoic_scene(contract_scene(11).microphones.positions, SOURCE, np.random.default_rng(1), room=ROOM)
    image = SOURCE * [1, -1, 1]
    echoed = anechoic_scene(scene.microphones.positions, image, np.random.default_rng(1), room=ROOM)
    audio = scene.audio.copy() + 0.5 * echoed.audio
    audio[[2, 5]] = echoed.audio[[2, 5]]
    estimate = answer(replace(scene, audio=audio))
    assert gap(estimate) < 0.02
    assert (estimate.verdict, [m.weight for m in estimate.microphones if m.name in ("mic3", "mic6")]) == (
        "degraded",
        [0, 0],
    )
    assert {code.split(":")[1] for code in estimate.reasons if ":" in code} == {"mic3", "mic6"}


@pytest.mark.parametrize("count", [2, 3])
def test_row_27_several_sources_are_said_and_placed(count):
    places = np.array([SOURCE, [1.2, 3.9, 1.7], [5.0, 4.2, 0.9]])[:count]
    positions = contract_scene().microphones.positions
    heard = [anechoic_scene(positions, p, np.random.default_rng(k), room=ROOM).audio for k, p in enumerate(places)]
    estimate = answer(replace(contract_scene(), audio=sum(heard)))
    assert note(estimate, "several_sources") == f"{count} sources sound at once"
    found = np.array([source.position_m for source in estimate.sources])
    assert max(np.linalg.norm(found - p, axis=1).min() for p in places) < 0.05


@pytest.fixture(scope="module")
def walks():
    """Half a second of a voice in the twin, by speed in m/s, and what is said of it."""
    settings = {"duration_s": 0.5, "rt60_s": (0.4, 0.4), "snr_db": (20.0, 20.0), "sound_shares": {"voice": 1.0}}
    still = drawn(world_named("luvira-twin"), np.random.default_rng(5), **settings)
    scenes = {0.0: still} | {
        speed: drawn(
            world_named("luvira-twin"),
            np.random.default_rng(5),
            **settings,
            share_moving=1.0,
            moving_m_s=(speed, speed),
        )
        for speed in (0.3, 1.0)
    }
    return {speed: (scene, answer(scene)) for speed, scene in scenes.items()}


@pytest.mark.parametrize("speed", [0.3, 1.0])
def test_row_28_a_walker_is_where_they_were_in_the_middle_and_the_region_knows(walks, speed):
    scene, estimate = walks[speed]
    (source,) = estimate.sources
    assert gap(estimate, scene.truth.sources[0]) < 0.03
    assert is_inside(source, scene.truth.sources[0])
    said = json.loads(json.dumps(estimate.to_dict()))
    assert "moves" in said["reasons"]
    assert re.search(r"the source moves, about \d\.\d m/s", note(estimate, "moves"))
    assert "moves" in describe(estimate)

    way = scene.truth.track.at(0.5)[0] - scene.truth.track.at(0.0)[0]
    along = way / np.linalg.norm(way)
    across = np.cross(along, [0.0, 0.0, 1.0])
    plain = located_without_motion(scene)
    grown = source.covariance_m2 - plain.covariance_m2
    assert along @ grown @ along > 2 * abs(across @ grown @ across)
    assert np.linalg.norm(plain.position_m - scene.truth.sources[0]) > gap(estimate, scene.truth.sources[0])


def test_row_28_who_stands_keeps_place_and_region(walks):
    scene, estimate = walks[0.0]
    plain = located_without_motion(scene)
    assert "moves" not in estimate.reasons
    assert np.array_equal(estimate.sources[0].position_m, plain.position_m)
    assert np.array_equal(estimate.sources[0].covariance_m2, plain.covariance_m2)


def located_without_motion(scene):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(soundfix.localization.pipeline, "followed", lambda window, sources: (sources, ()))
        return answer(scene).sources[0]


# counts


@pytest.mark.parametrize("count", [1, 2, 3])
def test_row_29_too_few_microphones_have_no_place(count):
    scene = contract_scene(count)
    estimate = answer(scene)
    assert (estimate.verdict, estimate.reasons) == ("abstain", ("too_few_microphones",))
    assert f"{count} usable microphones of known position, but 4 are needed" in estimate.notes[0]


def test_row_29_three_microphones_do_at_a_known_height():
    scene = contract_scene().where(np.isin(np.arange(8), [0, 1, 6]))
    estimate = answer(scene, room=((0.0, 0.0, 1.3), (6.0, 5.0, 1.3)))
    assert min(np.linalg.norm(source.position_m - SOURCE) for source in estimate.sources) < 0.05
    assert estimate.verdict in ("degraded", "ambiguous")


def test_row_29_no_microphone_at_all_is_refused(tmp_path):
    audio = rewritten(tmp_path, lambda row: row)
    (tmp_path / "mics.csv").write_text("name,x,y,z\n")
    refused(tmp_path, MicrophoneFileError, "lists no microphones", audio=audio)
    with pytest.raises(SceneError):
        soundfix.locate(np.zeros((0, 8000)), float(RATE), np.zeros((0, 3)))


@pytest.mark.parametrize("count", [64, pytest.param(256, marks=pytest.mark.slow)])
def test_row_30_many_microphones_use_some_pairs_and_say_so(count):
    scene = contract_scene(count)
    tracemalloc.start()
    estimate = answer(scene, method="srp-phat")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert gap(estimate) < 0.01
    assert f"of {count * (count - 1) // 2} pairs were used" in note(estimate, "pairs_subsampled")
    assert peak < 500e6


# recordings as they come


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
    ("spoil", "message"),
    [
        (lambda raw: raw[: len(raw) // 2], "mic3.wav"),
        (lambda raw: b"", "mic3.wav"),
        (lambda raw: b"this is a letter, not a sound\n" * 50, "mic3.wav"),
        (lambda raw: raw[:40] + b"\0" * (len(raw) - 40), "mic3.wav"),
        (lambda raw: raw[:22] + b"\xff\xff" + raw[24:], "mic3.wav"),
    ],
    ids=["truncated", "empty", "text", "zeroed header", "65535 channels"],
)
def test_row_33_a_damaged_file_is_named_in_time(folder, spoil, message):
    path, started = folder / "mic3.wav", monotonic()
    path.write_bytes(spoil(path.read_bytes()))
    refused(folder, AudioFileError, message)
    assert monotonic() - started < 60


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
    _, plain = shell(folder)
    for path in folder.glob("*.wav"):
        audio, rate = soundfile.read(path)
        soundfile.write(path, audio, rate, format=container, subtype=subtype)
    _, estimates = shell(folder)
    assert np.linalg.norm(place(estimates[0]) - place(plain[0])) < (2e-3 if subtype == "PCM_U8" else 2e-4)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("mic9,nan,1,1", "'nan' is not a number"),
        ("mic9,inf,1,1", "'inf' is not a number"),
        ("mic9,1e308,1,1", "'1e308' is beyond 1,000,000"),
        ("mic9,1e999,1,1", "'1e999' is beyond 1,000,000"),
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


@pytest.fixture(scope="module")
def studio():
    """Half a second of someone in a live room, and which microphone is late in it."""
    scene = drawn(
        world_named("luvira-twin"), np.random.default_rng(12), duration_s=0.5, rt60_s=(0.4, 0.4), snr_db=(20.0, 20.0)
    )
    late = break_scene(scene, [Fault("late", "9", 0.007)], np.random.default_rng(0))
    return late, answer(late)


@pytest.mark.parametrize("change", ["exchanged", "dropped", "noise"])
def test_row_01_to_16_what_is_flagged_does_not_matter(studio, change, rng):
    """Another sound in the flagged channel, or none, or no such microphone: the answer stays within its region."""
    late, before = studio
    assert before.microphones[8].weight == 0.0
    if change == "dropped":
        other = late.where(np.arange(11) != 8)
    elif change == "exchanged":
        other = with_channel(late, late.audio[3], 8)
    else:
        other = with_channel(late, late.audio[8].std() * rng.standard_normal(late.audio.shape[1]), 8)
    assert gap(answer(other), before.sources[0].position_m) < before.sources[0].radius90_m


# over a recording


def walking(moments, microphones=8):
    """A sound that goes from place to place among microphones, half a second at each; and where that is."""
    rng = np.random.default_rng(20_505)
    places = array(rng, microphones)
    sources = walk(rng, moments)
    parts = [anechoic_scene(places, source, rng, seconds=0.5, snr_db=20.0, room=WALKED) for source in sources]
    return replace(parts[0], audio=np.concatenate([part.audio for part in parts], axis=1)), sources


@pytest.fixture(scope="module")
def walked():
    return walking(24)


def heard_with(walked, kind, amount=None):
    """Located with this fault of mic3; the places of windows in which it has no weight are those of the others."""
    scene, sources = walked
    heard = located(broken(kind, amount, scene=scene), method="srp-phat")
    for estimate, source in zip(heard.estimates, sources, strict=True):
        assert estimate.microphones[2].weight > 0 or gap(estimate, source) < 0.02
    return heard


def named(heard):
    return {report.name for report in heard.microphones if report.status != "ok"}


def test_row_02_a_pulled_cable_is_an_event_and_the_rest_goes_on_without(walked):
    heard = heard_with(walked, "cut", 6.0)
    assert [(event.time_s, event.microphone, event.status) for event in heard.events] == [(6.0, "mic3", "dead")]
    weights = np.array([estimate.microphones[2].weight for estimate in heard.estimates])
    assert np.array_equal(weights > 0, np.arange(24) < 12)
    assert [estimate.verdict for estimate in heard.estimates] == ["ok"] * 12 + ["degraded"] * 12
    assert named(heard) == {"mic3"}
    without = located(walked[0].where(OTHERS), method="srp-phat")
    for with_it, of_others in zip(heard.estimates[12:], without.estimates[12:], strict=True):
        assert gap(with_it, of_others.sources[0].position_m) < 1e-3


def test_row_02_in_the_file_it_is_an_event_with_its_time_and_in_words(tmp_path, walked):
    """The whole way: what the command prints of it stands in the JSON."""
    scene = broken("cut", 6.0, scene=walked[0])
    soundfile.write(tmp_path / "take.wav", scene.audio.T, RATE, subtype="FLOAT")
    write_microphones(tmp_path / "mics.csv", scene.microphones)
    done, _ = shell(tmp_path, audio=tmp_path / "take.wav")
    document = json.loads((tmp_path / "answers.json").read_text(), parse_constant=pytest.fail)
    jsonschema.validate(document, locate_schema())
    (event,) = document["events"]
    assert event == {"time_s": 6.0, "microphone": "mic3", "status": "dead", "text": "00:00:06  mic3: dead"}
    assert document["summary"]["text"] == ["microphones: 7 of 8 ok", "  mic3: dead"]
    for line in (event["text"], *document["summary"]["text"]):
        assert line in done.stdout


def test_row_09_a_header_of_another_rate_is_resampled_and_told(folder):
    audio, _ = soundfile.read(folder / "mic3.wav")
    soundfile.write(folder / "mic3.wav", soxr.resample(audio, RATE, 44_100), 44_100, subtype="FLOAT")
    done, estimates = shell(folder)
    assert "different sample rates (16000 Hz: mic1.wav and 6 more; 44100 Hz: mic3.wav)" in done.stderr
    assert {estimate["verdict"] for estimate in estimates} == {"ok"}
    assert max(np.linalg.norm(place(estimate) - SOURCE) for estimate in estimates) < 0.01


def test_row_09_a_header_that_lies_costs_the_microphone_and_nothing_else(walked):
    heard = heard_with(walked, "mislabelled")
    assert named(heard) == {"mic3"}
    assert {event.microphone for event in heard.events} == {"mic3"}
    assert all(estimate.microphones[2].weight == 0 for estimate in heard.estimates[6:])


@pytest.mark.parametrize("late_s", [0.0005, 0.002, 0.015])
def test_row_11_a_small_offset_is_left_out_and_estimated(walked, late_s):
    heard = heard_with(walked, "late", late_s)
    assert named(heard) == {"mic3"}
    found = heard.explanations["mic3"]
    assert (found.is_late, found.is_elsewhere) == (True, False)
    assert found.offset_m / 343.0 == pytest.approx(late_s, abs=1e-4)


def test_row_11_the_least_offset_is_left_out(walked):
    """0.1 ms are 3 cm of path: not to be told from a position that is a little wrong."""
    assert named(heard_with(walked, "late", 0.0001)) == {"mic3"}


@pytest.fixture(scope="module")
def studio_take():
    """12 s of speech or music in a live room."""
    return drawn(world_named("luvira-twin"), np.random.default_rng(1001), duration_s=12.0)


def not_together(scene, folder, command):
    """What the command prints of the recordings, each in a file of its own, and its JSON."""
    for name, samples in zip(scene.microphones.names, scene.audio, strict=True):
        soundfile.write(folder / f"{name}.wav", samples, RATE, subtype="FLOAT")
    files = tuple(f"{name}.wav" for name in scene.microphones.names)
    write_microphones(folder / "mics.csv", replace(scene.microphones, files=files))
    method = ["--method", "srp-phat"] if command == "locate" else []
    words = [command, str(folder), "-m", str(folder / "mics.csv"), *method, "--json", str(folder / "told.json")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.exception
    return done.stdout, json.loads((folder / "told.json").read_text())


@pytest.mark.parametrize("command", ["locate", "check"])
def test_row_11_two_seconds_are_not_the_same_event(tmp_path, studio_take, command):
    said, document = not_together(broken("late", 2.0, scene=studio_take), tmp_path, command)
    (line,) = [line for line in said.splitlines() if "does not hear the same event" in line]
    assert re.search(
        r"mic3.* everything comes (1\.9|2\.0)\d s later than mic1; cut the recordings to the same start", line
    )
    assert "soundfix calibrate --free-clocks" in line
    if command == "locate":
        (start,) = document["starts"]
        assert (start["microphone"], start["reference"]) == ("mic3", "mic1")
        assert start["late_s"] == pytest.approx(2.0, abs=0.03)
    else:
        assert [each["grade"] for each in document["microphones"]].count("poor") == 1


@pytest.mark.parametrize("command", ["locate", "check"])
def test_row_11_recorders_that_all_start_by_themselves_are_told(tmp_path, studio_take, command):
    late_s = np.random.default_rng(3).uniform(0.0, 2.0, 11)
    faults = [Fault("late", str(m + 1), float(late)) for m, late in enumerate(late_s)]
    said, _ = not_together(break_scene(studio_take, faults, np.random.default_rng(0)), tmp_path, command)
    assert said.count("does not hear the same event") >= 8


def test_row_11_who_hears_the_same_is_told_nothing(tmp_path, studio_take):
    said, document = not_together(studio_take, tmp_path, "locate")
    assert "same event" not in said
    assert document["starts"] == []


@pytest.mark.parametrize("samples", [64.0, 512.0])
def test_row_12_lost_samples_are_flagged_from_there(walked, samples):
    """4 or 32 ms, 1.4 or 11 m of path; the samples are lost in the middle half of 12 s."""
    heard = heard_with(walked, "dropped", samples)
    assert named(heard) == {"mic3"}
    (event,) = heard.events
    first = int(np.random.default_rng(1).integers(12 * RATE // 4, 12 * RATE // 2)) / RATE
    assert abs(event.time_s - first) <= 1.0
    assert event.status in ("late", "misplaced", "excluded")
    assert heard.estimates[int(first / 0.5) - 1].microphones[2].weight == 1
    assert all(estimate.microphones[2].weight == 0 for estimate in heard.estimates[-5:])


def test_row_16_a_microphone_off_by_a_metre_is_left_out_and_where_it_stands_is_said(walked):
    scene, sources = walked
    wrong = broken("moved", 1.0, scene=scene)
    heard = located(wrong, method="srp-phat")
    assert max(gap(estimate, source) for estimate, source in zip(heard.estimates, sources, strict=True)) < 0.02
    assert named(heard) == {"mic3"}
    assert np.linalg.norm(heard.explanations["mic3"].position_m - scene.microphones.positions[2]) < 0.1


def calibrated(scene, folder, *options):
    """What `soundfix calibrate` prints, and its JSON."""
    write_scene(folder / "take", replace(scene, room=None))
    words = [
        "calibrate",
        str(folder / "take/scene.wav"),
        "-m",
        str(folder / "take/microphones.csv"),
        "--room",
        "0,0,0,7,8,2.8",
    ]
    words += ["--out", str(folder / "out.csv"), "--json", str(folder / "found.json"), *options]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.exception
    return done.stdout, json.loads((folder / "found.json").read_text())


@pytest.mark.slow
def test_row_16_calibration_corrects_it_and_shows_the_misfit_before_and_after(tmp_path, walked):
    scene = walked[0]
    said, found = calibrated(broken("moved", 1.0, scene=scene), tmp_path, "--speed-of-sound", "343")
    moved = found["microphones"][2]
    assert [each["finding"] for each in found["microphones"]] == ["misplaced" if m == 2 else "good" for m in range(8)]
    assert np.linalg.norm(np.array(moved["position_m"]) - scene.microphones.positions[2]) < 0.1
    assert moved["before_m"] > 0.3 > 0.02 > moved["after_m"]
    assert f"; misfit {100 * moved['before_m']:.1f} -> {100 * moved['after_m']:.1f} cm" in said
    assert "worst microphone's median misfit:" in said


def test_row_18_one_window_tells_of_an_unknown_position_only_the_distance():
    scene = contract_scene()
    estimate = answer(broken("unknown", scene=scene))
    report = estimate.microphones[2]
    assert (report.status, report.weight, report.position_m) == ("unknown-position", 0.0, None)
    away = float(np.linalg.norm(scene.microphones.positions[2] - SOURCE))
    assert report.range_m == pytest.approx(away, abs=0.02)
    on_a_sphere = (
        f"on a sphere of {report.range_m:.2f} m ± 2 cm round the source: radius only, one window knows no more"
    )
    assert note(estimate, "radius_only:mic3") == f"mic3: position unknown; {on_a_sphere}"
    assert gap(estimate, answer(scene.where(OTHERS)).sources[0].position_m) < 1e-3


@pytest.mark.slow
def test_row_18_a_recording_tells_where_it_is_and_how_well(tmp_path, walked):
    scene = walked[0]
    said, found = calibrated(broken("unknown", scene=scene), tmp_path, "--speed-of-sound", "343")
    placed = found["microphones"][2]
    off = np.array(placed["position_m"]) - scene.microphones.positions[2]
    assert placed["finding"] == "placed"
    assert np.linalg.norm(off) < 0.1
    assert off @ np.linalg.solve(placed["covariance_m2"], off) < 12.0
    assert "mic3  placed at (" in said


@pytest.mark.slow
def test_row_18_without_any_position_the_shape_is_found(tmp_path, walked, monkeypatch):
    """Twelve seconds tell of eight microphones' shape, or the answer says that they do not."""
    monkeypatch.setattr(self_localization, "STARTS", 2)
    monkeypatch.setattr(self_localization, "FLIPS", 5)
    scene = walked[0]
    said, found = calibrated(replace(scene, microphones=Microphones(positions=np.full((8, 3), np.nan))), tmp_path)
    assert found["is_relative"]
    assert "the layout is right but for a turn" in said
    placed = np.array([each["position_m"] for each in found["microphones"]])
    apart = [physics.distances(places, places) for places in (placed, scene.microphones.positions)]
    assert found["is_doubtful"] or np.abs(apart[0] - apart[1]).max() < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("given_m_s", [337.0, 350.0])
def test_row_31_a_wrong_speed_of_sound_is_estimated(tmp_path, walked, given_m_s):
    """10 K off; what is listed holds the array's size, so that the speed can be found."""
    said, found = calibrated(walked[0], tmp_path, "--speed-of-sound", str(given_m_s))
    assert abs(found["speed_of_sound_m_s"] - 343.0) < 0.35 * abs(given_m_s - 343.0)
    assert {each["finding"] for each in found["microphones"]} == {"good"}
    assert "speed of sound 34" in said


def test_row_14_and_15_exchanged_channels_and_rows_say_the_pair(rng):
    """Windows from many places name both, and ask whether channels or rows of the list are exchanged."""
    places = array(rng, 8)
    parts = [anechoic_scene(places, source, rng, seconds=0.5, snr_db=20.0) for source in walk(rng, 12)]
    scene = replace(parts[0], audio=np.concatenate([part.audio for part in parts], axis=1))
    for kind in ("swapped", "relisted"):
        wrong = break_scene(scene, [Fault(kind, "2", 6.0)], np.random.default_rng(0))
        heard = located(wrong, method="srp-phat")
        lines = "\n".join(describe_microphones(heard.microphones, heard.explanations))
        assert {report.name for report in heard.microphones if report.status != "ok"} == {"mic2", "mic6"}
        assert "where mic6 is listed: are their channels, or their rows, exchanged?" in lines
        assert "where mic2 is listed" in lines


def test_row_10_a_drifting_clock_is_told_with_its_drift(rng):
    places = array(rng, 8)
    parts = [anechoic_scene(places, source, rng, seconds=0.5, snr_db=20.0) for source in walk(rng, 24)]
    scene = replace(parts[0], audio=np.concatenate([part.audio for part in parts], axis=1))
    heard = located(broken("drift", 300.0, scene=scene), method="srp-phat")
    found = heard.explanations["mic3"]
    assert found.drifts
    assert abs(found.drift_m_s / 343.2 * 1e6 + 300.0) < 60.0
