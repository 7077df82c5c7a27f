"""What is declared is what is done: schemathesis asks everything that the document allows, and much that it does not."""

import json
import socket
import subprocess
import sys
import threading

import pytest
import uvicorn

from helpers.service import Instant, until
from soundfix.server import jobs
from soundfix.server.app import create
from soundfix.server.openapi import without_null


@pytest.fixture
def address(monkeypatch, tmp_path):
    """Of a service with workers that need no time."""
    monkeypatch.setattr(jobs, "Worker", Instant)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create(tmp_path), port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.slow
def test_every_answer_is_one_that_was_declared(address, tmp_path):
    words = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--checks", CHECKS]
    words += ["--max-examples", "20", "--seed", "1", "--no-color"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=250, cwd=tmp_path)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert "Tested: 18" in run.stdout


def test_fields_that_may_be_left_out_are_never_null(tmp_path):
    document = create(tmp_path).openapi()
    assert '"null"' not in json.dumps(
        [document["components"]["schemas"][name] for name in ("Locate", "Check", "Calibrate")]
    )
    fields = document["components"]["schemas"]["Locate"]["properties"]
    assert fields["room"]["examples"] == ["0,0,0,6,5,3"]
    assert fields["method"]["enum"][0] == "srp-phat"
    assert fields["audio"]["type"] == "array"
    assert document["components"]["schemas"]["Locate"]["required"] == ["audio"]


def test_without_null():
    assert without_null({"type": "string", "default": "x"}) == {"type": "string", "default": "x"}
    nullable = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}], "title": "T", "default": None}
    assert without_null(nullable) == {"type": "number", "minimum": 0, "title": "T"}
