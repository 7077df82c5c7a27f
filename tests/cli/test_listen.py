"""`soundfix listen`: every way in and out."""

import json
import os
import signal
import socket
import sys
import threading
import time

import jsonschema
import numpy as np
import pytest
import soundfile

import soundfix
from helpers.command import CORNERS, ROOM, SOURCE, SPEED, assert_refused
from helpers.scenes import anechoic_scene
from helpers.sound_card import FakeSoundDevice
from soundfix.cli import listening
from soundfix.cli.live_outputs import Outputs, Teller
from soundfix.files.microphones import read_microphones
from soundfix.files.scenes import write_scene
from soundfix.report.exports import CSV_COLUMNS, locate_schema
from soundfix.streaming import outlet
from soundfix.streaming.inbox import Block, Inbox
from soundfix.streaming.receiver import Receiver
from soundfix.streaming.sender import Sender

FAST = ("--method", "srp-phat", "--hop", "0.25", *SPEED)


def lines(said):
    return [json.loads(line) for line in said.splitlines()]


def given(take, source, *options):
    return ["listen", source, "-m", take / "microphones.csv", *FAST, *options]


@pytest.fixture
def told_so_far(monkeypatch):
    """Answers that somebody was told."""
    told = []
    monkeypatch.setattr(
        Teller, "tell", lambda self, answer, tell=Teller.tell: (tell(self, answer), told.append(answer))
    )
    return told


def test_from_standard_input_every_answer_is_that_of_locate(take, pcm, tmp_path, command):
    json_path, csv_path = tmp_path / "live.json", tmp_path / "live.csv"
    status, said, complaint = command(*given(take, "-", *pcm, "--every", "--json", json_path, "--csv", csv_path))
    assert (status, complaint) == (0, "")
    offline = tmp_path / "offline.json"
    words = ["locate", take / "scene.wav", "-m", take / "microphones.csv", *FAST, "--json", offline]
    assert command(*words)[0] == 0
    streamed, located = json.loads(json_path.read_text()), json.loads(offline.read_text())
    jsonschema.validate(streamed, locate_schema())
    assert located.pop("request")  # of a recording, which can be located again
    told = lines(said)
    assert [list(each["sources"][0])[-2:] for each in told] == [["score", "level_dbfs"]] * 2 + [["track", "level_dbfs"]]
    for source in (source for each in streamed["estimates"] + told for source in each["sources"]):
        source.pop("track", None)
        source.pop("level_dbfs")
    assert streamed == located
    assert [{k: v for k, v in each.items() if k not in ("latency_s", "skipped")} for each in told] == located[
        "estimates"
    ]
    assert {each["skipped"] for each in told} == {0}
    assert csv_path.read_text().splitlines()[0] == ",".join(CSV_COLUMNS)
    assert len(csv_path.read_text().splitlines()) == 1 + len(told)


def test_a_recording_is_played(take, command):
    started = time.monotonic()
    status, said, _ = command(*given(take, take / "scene.wav", "--room", ROOM))
    assert status == 0
    assert time.monotonic() - started > 0.9
    told = lines(said)
    assert 1 <= len(told) <= 3
    assert np.linalg.norm(np.array(told[-1]["sources"][0]["position_m"]) - SOURCE) < 0.05
    assert all(0 < each["latency_s"] < 30 for each in told)


def test_interrupted_it_leaves_a_whole_file(tmp_path, rng, command, told_so_far):
    """Ctrl-C: a file with all so far and what it says of the microphones; no traceback."""
    write_scene(tmp_path / "long", anechoic_scene(CORNERS, SOURCE, rng, seconds=30.0))
    stopper = threading.Thread(target=lambda: (until(lambda: told_so_far), os.kill(os.getpid(), signal.SIGINT)))
    stopper.start()
    started, path = time.monotonic(), tmp_path / "live.json"
    status, said, complaint = command(*given(tmp_path / "long", tmp_path / "long" / "scene.wav", "--json", path))
    stopper.join()
    assert status == 0
    assert complaint.startswith("The list has no file and no channel column")
    assert complaint.count("\n") == 1
    assert time.monotonic() - started < 30  # it would play for so long
    whole = json.loads(path.read_text())
    assert whole["estimates"]
    assert len(whole["estimates"]) == len(lines(said))
    assert whole["summary"]["text"] == ["microphones: 7 of 7 ok"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(("is_every", "is_late"), [(False, True), (True, True), (True, False)])
def test_interrupted_it_answers_what_had_come(is_every, is_late, rng):
    """And says which windows nobody had time for; is_late: all after the first came while that was answered."""
    scene, inbox, ended = anechoic_scene(CORNERS, SOURCE, rng, seconds=2.0), Inbox(), threading.Event()
    stream = soundfix.Stream(scene.microphones, method="srp-phat", hop_s=0.25)
    teller = Teller(stream, Outputs(None, None, None, None), None)
    answers = listening._answers(stream, inbox, teller, ended, is_every=is_every)
    parts = np.split(scene.audio.T, range(8000, 32_000, 1600))
    for part in parts[: 1 if is_late else None]:
        inbox.put(Block(part, 16_000.0))
    assert next(answers).estimate.end_s == 0.5
    for part in parts[1:] if is_late else []:
        inbox.put(Block(part, 16_000.0))
    ended.set()
    last = list(answers)
    teller.close()
    assert [(each.estimate.end_s, each.skipped) for each in last] == [(2.0, 5)]
    assert "5 windows before this one not located" in last[0].estimate.notes[0]
    assert np.linalg.norm(last[0].estimate.sources[0].position_m - SOURCE) < 0.05


def test_sound_that_was_lost_is_told(take, pcm, monkeypatch, command):
    monkeypatch.setattr(
        Inbox, "close", lambda self, *how, close=Inbox.close: (setattr(self, "dropped", 3), close(self))
    )
    status, _, complaint = command(*given(take, "-", *pcm, "--every"))
    assert status == 0
    assert complaint == "3 blocks of sound were lost: they came faster than they were answered\n"


def test_a_reader_that_has_enough_is_no_loss(take, pcm, monkeypatch, command):
    """As `| head`."""

    def nobody(line):
        raise BrokenPipeError

    monkeypatch.setattr(outlet, "to_file", lambda _: nobody)
    status, _, complaint = command(*given(take, "-", *pcm, "--every"))
    assert (status, complaint) == (0, "")


def test_a_recording_is_listened_to_in_a_band_above_the_usual_rate(take, command):
    sound, _ = soundfile.read(take / "scene.wav", dtype="float32")
    soundfile.write(take / "fast.wav", sound, 48_000)
    status, said, _ = command(*given(take, take / "fast.wav", "--band", "9000,12000", "--window", "0.2", "--every"))
    assert status == 0
    assert lines(said)[0]["end_s"] == pytest.approx(0.2, abs=1e-4)


def test_from_a_sound_card(take, monkeypatch, command, told_so_far):
    sound, _ = soundfile.read(take / "scene.wav", dtype="float32")
    monkeypatch.setitem(sys.modules, "sounddevice", fake := FakeSoundDevice())

    def play():
        if until(lambda: fake.streams):
            for start in range(0, len(sound), 320):
                fake.streams[0].give(sound[start : start + 320])
            until(lambda: len(told_so_far) == 3)
        os.kill(os.getpid(), signal.SIGINT)

    player = threading.Thread(target=play)
    player.start()
    status, said, _ = command(*given(take, "card:USB", "--every"))
    player.join()
    assert status == 0
    assert [each["start_s"] for each in lines(said)] == [0.0, 0.25, 0.5]
    assert fake.streams[0].options["channels"] == 7


def until(is_so):
    """Wait for it; whether it came."""
    deadline = time.monotonic() + 60
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)
    return is_so()


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_from_senders(take, kind, monkeypatch, command, told_so_far):
    """One a microphone; one of them is not in the list, and one dies."""
    sound, _ = soundfile.read(take / "scene.wav", dtype="float32")
    names = read_microphones(take / "microphones.csv").names
    opened = []
    monkeypatch.setattr(
        Receiver, "__init__", lambda self, *how, init=Receiver.__init__: (init(self, *how), opened.append(self))[0]
    )

    def play():
        if until(lambda: opened):
            send(f"{kind}://localhost:{opened[0].port}")
            until(lambda: len(told_so_far) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    def send(where):
        senders = [Sender(where, (name,), tells_time=False) for name in (*names, "who")]
        for sender in senders:
            sender._clock = lambda: 0.0
        for start in range(0, len(sound), 400):
            for m, sender in enumerate(senders):
                if m != 2 or start < 4000:
                    sender.send(Block(sound[start : start + 400, m % 7 : m % 7 + 1], 16_000.0))
            time.sleep(0.005)
        for sender in senders:
            sender.close()

    player = threading.Thread(target=play)
    player.start()
    status, said, complaint = command(*given(take, f"{kind}://localhost:0", "--every"))
    player.join()
    assert status == 0
    assert "microphone 'who' is not in the list" in complaint
    told = lines(said)
    assert len(told) >= 2
    assert [report["status"] for report in told[-1]["microphones"]].count("dead") >= 1


def test_viewers_of_odas_are_told(take, pcm, command):
    servers = [socket.create_server(("localhost", 0)) for _ in range(2)]
    ports = [server.getsockname()[1] for server in servers]
    words = ("--odas", f"localhost:{ports[0]}", "--odas-potential", f"localhost:{ports[1]}")
    status, said, _ = command(*given(take, "-", *pcm, "--every", *words))
    assert status == 0
    for server, key in zip(servers, ("activity", "E"), strict=True):
        viewer, _ = server.accept()
        with viewer.makefile() as file:
            messages = [json.loads(line) for line in file]
        assert [each["timeStamp"] for each in messages] == [1, 2, 3][: len(lines(said))]
        assert all(len(each["src"]) == 4 and key in each["src"][0] for each in messages)
        if key == "activity":
            assert [each["src"][0]["id"] for each in messages] == [0, 0, 1]  # a track is told from its third fix on
        viewer.close()
        server.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--hop", "0"), "hop_s is 0.0 s"),
        (("--format", "mp3"), "format 'mp3', wanted one of s16le"),
        (("--channels", "3"), "(3, "),
        (("--method", "no-such"), "no-such"),
        (("--odas", "nowhere"), "wanted HOST:PORT"),
        (("--room", "1,2"), "--room '1,2'"),
        (("--wind", "90"), "was it given in km/h?"),
    ],
)
def test_what_cannot_be_is_refused(take, pcm, command, options, message):
    assert_refused(command(*given(take, "-", "--format", "f32le", *options)), message)


def test_standard_output_is_taken_by_lines(take, command):
    assert_refused(command(*given(take, "-", "--csv", "-")), "a line of JSON an answer")


def test_a_recording_of_other_microphones(take, command):
    (take / "few.csv").write_text("name,x,y,z\na,0,0,0\nb,1,0,0\nc,0,1,1\n")
    assert_refused(command("listen", take / "scene.wav", "-m", take / "few.csv", *FAST), "7 channels")


def test_an_output_that_is_an_input(take, command):
    assert_refused(command(*given(take, "-", "--json", take / "microphones.csv")), "it is an input")
