"""Jobs of a few steps, and `soundfix train` as a user calls it."""

import sys
from dataclasses import replace

from typer.testing import CliRunner

from helpers.clips import Clips
from soundfix.cli.app import app
from soundfix.training import recipes
from soundfix.training.loop import Job
from soundfix.training.recipes import STAGES

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
QUICK = {"batch": 4, "warm_up": 2, "windows_s": (0.128,), "microphones": (4, 5), "points": 32}


def quick(correlation=2, autoencoder=2, localization=4, reranker=0, *, votes=0, **changes):
    tiny = recipes.tiny()
    steps = (correlation, autoencoder, localization, votes, reranker)
    stages = dict(zip(STAGES, steps, strict=True))
    return replace(tiny, **{n: replace(getattr(tiny, n), steps=s, **QUICK) for n, s in stages.items()}, **changes)


def voting():
    """The network of recipe tiny, with votes."""
    network = recipes.tiny().network
    return replace(network, head=replace(network.head, partial=(0.5, 300.0)))


def job(out, **changes):
    given = {"recipe": quick(), "data": [Clips()], "out": out, "workers": 0, "save_every": 1, "note_every": 1}
    return Job(**(given | changes))


def run(*words):
    return CliRunner().invoke(app, ["train", *map(str, words)])
