"""`soundfix send`: what a pipe gives arrives, or is said to be lost."""

import socket
import time

import numpy as np
import soundfile

from soundfix.files.microphones import read_microphones
from soundfix.streaming.inbox import Inbox
from soundfix.streaming.receiver import Receiver


def test_send_sends_what_a_pipe_gives(take, pcm, command):
    inbox = Inbox()
    receiver = Receiver("tcp://localhost:0", inbox)
    names = read_microphones(take / "microphones.csv").names
    microphones = [word for name in names for word in ("--microphone", name)]
    words = ["send", "-", f"tcp://localhost:{receiver.port}", *microphones, *pcm]
    assert command(*words) == (0, "", "")
    blocks, deadline = [], time.monotonic() + 60
    while sum(len(each.sound) for each in blocks) < 16_000 and time.monotonic() < deadline:
        blocks += inbox.take(0.1)
    receiver.close()
    sound, _ = soundfile.read(take / "scene.wav", dtype="float32")
    np.testing.assert_allclose(np.concatenate([each.sound for each in blocks]), sound.clip(-1, 1), atol=2**-15)
    assert {each.microphones for each in blocks} == {names}


def test_send_says_what_was_lost(take, pcm, command):
    server = socket.create_server(("localhost", 0))
    port = server.getsockname()[1]
    server.close()
    microphones = [word for k in range(7) for word in ("--microphone", f"m{k}")]
    status, _, complaint = command("send", "-", f"tcp://localhost:{port}", *microphones, *pcm)
    assert status == 0
    assert "packets were not sent: nobody was there" in complaint
