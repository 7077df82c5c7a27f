"""Chaos in words and in tables: shares of tries, and a recording that is not clean."""

from dataclasses import replace

import numpy as np

from helpers.chaos import accusing, recording, tried
from soundfix.evaluation.chaos import (
    hear_clean,
)
from soundfix.evaluation.chaos_report import as_dict, describe_clean, lines_of
from soundfix.methods.srp_phat import SrpPhat


def test_lines_are_shares_of_tries(clean):
    done = [tried(clean, "dead"), tried(accusing(clean), "dead")]
    (line,) = lines_of(done)
    assert (line.label, line.tries, line.found, line.named, line.alarmed) == ("dead", 2, 0.5, 0.5, 0.0)
    tries = as_dict(clean, done, {"seed": 0})["tries"]
    assert [one["named"] for one in tries] == [True, False]


def test_a_recording_that_is_not_clean_is_called_so():
    scene = recording()
    dead = replace(
        scene, audio=scene.audio * (np.arange(9) != 4)[:, None], truth=replace(scene.truth, faults=("dead:mic5",))
    )
    clean = hear_clean(dead, SrpPhat())
    assert clean.alarms == ("mic5",)
    assert describe_clean(clean)[1].endswith(
        "It already names mic5: is the recording clean? By its truth it is not clean: dead:mic5."
    )
