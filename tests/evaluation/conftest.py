"""A recording to break, and a small evaluation from start to end."""

import pytest

from helpers.chaos import recording
from helpers.evaluation import ASKED
from soundfix.evaluation.chaos import hear_clean
from soundfix.evaluation.request import run
from soundfix.evaluation.rows import RowFile
from soundfix.methods.srp_phat import SrpPhat


@pytest.fixture(scope="session")
def clean():
    return hear_clean(recording(), SrpPhat())


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A small evaluation, start to end: its folder, its rows."""
    out = tmp_path_factory.mktemp("whole")
    run(ASKED, out, lambda count: None)
    return out, RowFile(out / "windows.jsonl").read()
