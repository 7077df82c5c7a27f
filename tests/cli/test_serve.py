"""`soundfix serve`, as a process: it answers, ends in good order, and loses nothing when it does not."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from helpers.service import FAST, LIST, recording, sent, until


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def serving(folder, port, **environment):
    words = [sys.executable, "-m", "soundfix", "serve", "--folder", folder, "--port", str(port)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, env=os.environ | environment, text=True)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)
    try:
        until(lambda: _is_ready(client), 120)
        yield process, client
    finally:
        process.kill()
        process.communicate()
        client.close()


def _is_ready(client):
    try:
        return client.get("/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_it_answers_and_ends(tmp_path, port):
    with serving(tmp_path / "s", port, SOUNDFIX_TOKEN="t") as (process, client):
        take = recording(tmp_path / "take.wav")
        assert client.post("/locate", files=sent(take), data=FAST).status_code == 401
        client.headers["Authorization"] = "Bearer t"
        assert client.post("/locate", files=sent(take), data=FAST).json()["estimates"]
        with connect(f"ws://127.0.0.1:{port}/live", additional_headers={"Authorization": "Bearer t"}) as live:
            live.send(json.dumps({"microphones": LIST, "method": "srp-phat"}))
            assert json.loads(live.recv(60))["event"] == "ready"
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"ws://127.0.0.1:{port}/live").close()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGINT)
    lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines] == ["waiting", "ended", "live", "live"]
    assert (lines[1]["kind"], lines[1]["status"]) == ("locate", 200)


def test_killed_in_the_middle_nothing_is_lost(tmp_path, port):
    with serving(tmp_path / "s", port) as (process, client):
        done = client.post("/locate", files=sent(recording(tmp_path / "a.wav")), data=FAST).headers["location"]
        long = recording(tmp_path / "b.wav", seconds=60.0)
        jobs = [
            client.post("/locate?wait=0", files=sent(long), data=FAST | {"hop_s": 0.1}).headers["location"]
            for _ in range(2)
        ]
        until(lambda: client.get(jobs[0]).json()["progress"] > 0)
        process.kill()
        process.wait()
    with serving(tmp_path / "s", port) as (_, client):
        assert client.get(f"{done}/result").json()["estimates"]
        for job in jobs:
            until(lambda job=job: client.get(job).json()["state"] == "done", 120)
            assert len(client.get(f"{job}/result").json()["estimates"]) > 590


def test_open_to_everybody_only_with_a_token(command, tmp_path, monkeypatch):
    monkeypatch.delenv("SOUNDFIX_TOKEN", raising=False)
    status, _, errors = command("serve", "--host", "0.0.0.0", "--folder", tmp_path / "s")
    assert status == 2
    assert "--host 0.0.0.0 without a token: set SOUNDFIX_TOKEN" in errors
    assert not (tmp_path / "s").exists()


def test_without_its_packages_it_says_so(command, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    status, _, errors = command("serve", "--folder", tmp_path / "s")
    assert status == 2
    assert "pip install 'soundfix[web]'" in errors
