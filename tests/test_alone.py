"""Two do not write in one folder at once, and the lock goes however its holder ends."""

import subprocess
import sys

import pytest

from helpers.disks import taken
from soundfix.alone import alone_in

HOLDER = """
import sys
from pathlib import Path
from soundfix.alone import alone_in
with alone_in(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


def test_the_folder_is_made_and_free_again_afterwards(tmp_path, monkeypatch):
    folder = tmp_path / "new" / "set"
    with alone_in(folder):
        assert folder.is_dir()
    with taken(folder, monkeypatch), alone_in(folder):
        pytest.fail("two at once")
    with alone_in(folder):
        pass


def test_a_killed_process_lets_it_go(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"mine\n"
    holder.kill()
    holder.communicate()
    with alone_in(tmp_path):
        pass
