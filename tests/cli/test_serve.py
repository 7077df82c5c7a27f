"""`soundfix serve`, as a process: it answers, ends in good order, and loses nothing when it does not."""

import json
import signal
import socket
import subprocess
import sys

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from helpers.service import FAST, LIST, recording, sent, serving, until


def test_it_answers_and_ends(tmp_path):
    with serving(tmp_path / "s", SOUNDFIX_TOKEN="t/?=") as (process, client):
        take = recording(tmp_path / "take.wav")
        assert client.post("/locate", files=sent(take), data=FAST).status_code == 401
        client.headers["Authorization"] = "Bearer t/?="
        assert client.post("/locate", files=sent(take), data=FAST).json()["estimates"]
        address = str(client.base_url.join("/live")).replace("http", "ws")
        with connect(address, additional_headers={"Authorization": "Bearer t/?="}) as live:
            live.send(json.dumps({"microphones": LIST, "method": "srp-phat"}))
            assert json.loads(live.recv(60))["event"] == "ready"
        with connect(address, subprotocols=["soundfix", "bearer.dC8_PQ"]) as live:  # as the page does
            assert live.subprotocol == "soundfix"
            live.send("?")
            assert json.loads(live.recv(60))["event"] == "error"
        with pytest.raises(InvalidStatus, match="403"):
            connect(address).close()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGINT)
    lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{") and "at once" not in line]
    assert [line["event"] for line in lines] == ["waiting", "ended", "live", "live"]
    assert (lines[1]["kind"], lines[1]["status"]) == ("locate", 200)


def test_killed_in_the_middle_nothing_is_lost(tmp_path):
    with serving(tmp_path / "s") as (process, client):
        done = client.post("/locate", files=sent(recording(tmp_path / "a.wav")), data=FAST).headers["location"]
        long = recording(tmp_path / "b.wav", seconds=6.0)
        jobs = [
            client.post("/locate?wait=0", files=sent(long), data=FAST | {"hop_s": 0.1}).headers["location"]
            for _ in range(2)
        ]
        until(lambda: client.get(jobs[0]).json()["progress"] > 0)
        process.kill()
        process.wait()
    with serving(tmp_path / "s") as (_, client):
        assert client.get(f"{done}/result").json()["estimates"]
        for job in jobs:
            until(lambda job=job: client.get(job).json()["state"] == "done", 120)
            assert len(client.get(f"{job}/result").json()["estimates"]) > 50


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


def test_a_database_that_is_not_there(tmp_path):
    words = [sys.executable, "-m", "soundfix", "serve", "--port", "0", "--folder", tmp_path / "s"]
    run = subprocess.run([*words, "--database", f"sqlite:///{tmp_path}/none/x.sqlite"], capture_output=True, timeout=60)
    assert run.returncode == 3


def test_a_port_that_is_taken(command, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, errors = command("serve", "--port", port, "--folder", tmp_path / "s")
    assert status == 2
    assert f"cannot listen at 127.0.0.1, port {port}" in errors
    assert "--port 0 takes a free one" in errors
    assert not (tmp_path / "s").exists()
