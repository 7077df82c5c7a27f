"""One fault, one answer: what the tests of the rows of faults share."""

import json
from dataclasses import replace

import numpy as np
from typer.testing import CliRunner

import soundfix
from soundfix.cli.app import app
from soundfix.simulation.faults import Fault, break_scene
from soundfix.testing import SOURCE, contract_scene

RATE = 16_000
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


def shell(folder, *options, audio=None):
    """(the run, the estimates that it wrote)."""
    words = ["locate", str(audio or folder), "-m", str(folder / "mics.csv"), *SHELL, *options]
    done = CliRunner().invoke(app, [*words, "--json", str(folder / "answers.json")])
    written = folder / "answers.json"
    return done, json.loads(written.read_text())["estimates"] if written.exists() else None


def place(estimate):
    return np.array(estimate["sources"][0]["position_m"])
