"""What large tensors leave is kept, in a process that trains and in those that help it."""

import platform
import subprocess
import sys

import pytest

from soundfix.training import memory

FAULTS = """
import resource, numpy
from soundfix.training.batches import begin_worker
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def caused():
    for _ in range(3):
        numpy.ones(1 << 22)
    before = faults()
    for _ in range(20):
        numpy.ones(1 << 22)
    return faults() - before
usual = caused()
begin_worker(0)
print(usual, caused())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_large_arrays_cost_no_pages_anew():
    """32 MB are 8192 pages."""
    said = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, check=True).stdout
    asked, kept = map(int, said.split())
    assert kept < 100 < asked


def test_another_system_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert not memory.keep_memory()
