"""The screen is drawn on a terminal, and nowhere else."""

import io

import pytest
import rich.console

from soundfix.cli.live_view import LiveView
from soundfix.estimate import Estimate
from soundfix.streaming.stream import StreamAnswer
from soundfix.testing import contract_scene

MICROPHONES = contract_scene(5).microphones
ANSWER = StreamAnswer(
    estimate=Estimate(method="x", start_s=1.0, end_s=1.5, verdict="abstain"), latency_s=0.123, skipped=2
)


@pytest.fixture
def terminal(monkeypatch):
    written, real = io.StringIO(), rich.console.Console
    monkeypatch.setattr(
        rich.console, "Console", lambda stderr: real(file=written, force_terminal=True, width=80, height=24)
    )
    return written


def test_on_a_terminal(terminal):
    view = LiveView(MICROPHONES, None)
    view.say("mic1: sound comes")
    view.tell(ANSWER, missing=("mic2",), dropped=7)
    view.close()
    said = terminal.getvalue()
    assert "123 ms after the sound, 2 windows skipped, no sound from mic2" in said
    assert "7 lines dropped: the reader is slow" in said
    assert "mic1: sound comes" in said
    assert said.count("o") >= 5
    assert "microphones: 5 of 5 ok" in said


def test_what_is_said_is_seen_before_there_is_an_answer(terminal):
    """A card that is unplugged gives none."""
    view = LiveView(MICROPHONES, None)
    assert "nothing yet" in terminal.getvalue()
    view.say("is it unplugged?")
    assert "is it unplugged?" in terminal.getvalue()
    view.close()


def test_elsewhere_only_sentences(capsys):
    view = LiveView(MICROPHONES, None)
    view.tell(ANSWER, missing=(), dropped=0)
    view.say("mic1: sound comes")
    view.close()
    assert capsys.readouterr().err == "mic1: sound comes\n"
