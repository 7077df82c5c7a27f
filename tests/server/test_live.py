"""Sound while it is made, over a WebSocket: the answers are those of `soundfix.Stream`."""

import json

import numpy as np
import pytest
import soundfile
from starlette.websockets import WebSocketDisconnect

import soundfix
from helpers import silent
from helpers.service import LIST, TALKER_M, instant, recording
from soundfix.server import live
from soundfix.server.limits import Limits
from soundfix.server.live_process import opened

ASK = {"microphones": LIST, "sample_rate": 16000, "format": "f32le", "method": "srp-phat", "hop_s": 0.25}


@pytest.fixture
def service(monkeypatch, tmp_path):
    with instant(monkeypatch, tmp_path / "s", limits=Limits(live=1, idle_s=30.0)) as client:
        yield client


@pytest.fixture
def sound(tmp_path):
    return soundfile.read(recording(tmp_path / "take.wav", seconds=2.0), dtype="float32")[0]


def events(socket, until="end"):
    """All that is said, until that."""
    said = [socket.receive_json()]
    while said[-1]["event"] != until:
        said.append(socket.receive_json())
    return said


def test_answers_come_while_it_sounds(service, sound, tmp_path):
    with service.websocket_connect("ws://127.0.0.1/live") as socket:
        socket.send_text(json.dumps(ASK))
        assert socket.receive_json() == {"event": "ready", "microphones": [f"m{k}" for k in range(6)]}
        socket.send_bytes(sound[:16000].tobytes())
        first = events(socket, "answer")[-1]
        socket.send_bytes(sound[16000:].tobytes())
        socket.send_text('{"event": "end"}')
        *answers, end = events(socket)
    (tmp_path / "list.csv").write_text(LIST)
    stream = soundfix.Stream(tmp_path / "list.csv", method="srp-phat", hop_s=0.25)
    wanted = [answer.to_dict() for answer in stream.push(sound.T) + stream.close()]
    assert np.linalg.norm(np.subtract(first["sources"][0]["position_m"], TALKER_M)) < 0.05
    last = answers[-1]
    assert (last["start_s"], last["sources"][0]["position_m"]) == (
        wanted[-1]["start_s"], pytest.approx(wanted[-1]["sources"][0]["position_m"], abs=1e-4)
    )  # fmt: skip
    assert len(end["summary"]["microphones"]) == 6


def test_a_list_that_was_kept(service):
    service.put("/microphones/hall", files={"file": ("hall.csv", LIST)})
    with service.websocket_connect("ws://127.0.0.1/live") as socket:
        socket.send_json({"microphone_set": "hall", "method": "srp-phat"})
        assert len(socket.receive_json()["microphones"]) == 6


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        ({}, "wanted either microphones"), ({"microphone_set": "none"}, "no list of microphones is called 'none'"),
        ({"microphones": LIST, "checkpoint": "x"}, "Extra inputs are not permitted"),
        ({"microphones": LIST, "method": "gnn"}, "no method is called 'gnn' here"),
        ({"microphones": LIST, "format": "mp3"}, "Input should be 's16le'"),
        ({"microphones": "name,x\na,b\n"}, "microphones.csv"),
        ({"microphones": LIST, "wind_m_s": 99}, "Input should be less than or equal to 40"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(service, ask, said):
    with service.websocket_connect("ws://127.0.0.1/live") as socket:
        socket.send_json(ask)
        told = socket.receive_json()
        assert told["event"] == "error"
        assert said in told["detail"]
        assert "/tmp" not in told["detail"]
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == 1008


def test_every_option_of_a_stream_is_passed_on():
    asked = {"sample_rate": 8000.0, "method": "srp-phat", "temperature_c": 5.0, "wind_m_s": 3.0}
    session = opened({"list": ("microphones.csv", LIST), **asked})._session
    assert (session.temperature_c, session.wind_m_s, session.localizer.name) == (5.0, 3.0, "srp-phat")


def test_half_a_frame(service):
    with service.websocket_connect("ws://127.0.0.1/live") as socket:
        socket.send_json(ASK)
        socket.receive_json()
        socket.send_bytes(b"x" * 25)
        assert socket.receive_json()["detail"] == "a block of 25 bytes, wanted whole frames of 24: 6 channels, f32le"


def test_one_more_than_allowed_comes_again_later(service):
    with service.websocket_connect("ws://127.0.0.1/live") as socket:
        socket.send_json(ASK)
        socket.receive_json()
        with service.websocket_connect("ws://127.0.0.1/live") as other:
            assert other.receive_json()["detail"].startswith("others are listening")
            with pytest.raises(WebSocketDisconnect) as closed:
                other.receive_json()
        assert closed.value.code == 1013
    with service.websocket_connect("ws://127.0.0.1/live") as socket:  # who went made room
        socket.send_json(ASK)
        assert socket.receive_json()["event"] == "ready"


def test_who_says_nothing(monkeypatch, tmp_path):
    with (
        instant(monkeypatch, tmp_path, limits=Limits(idle_s=0.1)) as service,
        service.websocket_connect("ws://127.0.0.1/live") as socket,
    ):
        assert socket.receive_json()["detail"] == "no first message came"
    monkeypatch.setattr(live, "stream_in_process", silent.ready)  # it is there before the time is over
    with (
        instant(monkeypatch, tmp_path, limits=Limits(idle_s=2.0)) as service,
        service.websocket_connect("ws://127.0.0.1/live") as socket,
    ):
        socket.send_json(ASK)
        assert socket.receive_json()["event"] == "ready"
        assert socket.receive_json()["detail"] == "nothing came for too long"
