"""Several processes: what they share, and that two of them learn what one would."""

import json
import subprocess

import pytest
import torch

from helpers.training import TORCHRUN
from soundfix.errors import TrainingError
from soundfix.training import nodes

TWO = """
import json, sys, time
from pathlib import Path
import torch
from soundfix.training import nodes
out = Path(sys.argv[1])
with nodes.joined(), nodes.joined():  # the second time there is nothing to do
    rank = nodes.rank()
    weights = [torch.nn.Parameter(torch.zeros(2, 2)), torch.nn.Parameter(torch.zeros(3)), torch.nn.Parameter(torch.zeros(1))]
    weights[0].grad = torch.full((2, 2), 1.0 + 2 * rank)
    weights[2].grad = torch.ones(1) if rank else None
    nodes.share_gradients(weights)
    first, second = nodes.mean_of_all([torch.tensor(2.0 * rank), torch.tensor([1.0, rank])])
    with nodes.first_before_others():
        seen = (out / "made").exists()
        time.sleep(0.0 if rank else 0.5)
        (out / "made").touch()
    said = {
        "count": nodes.count(), "is_first": nodes.is_first(), "seen": seen,
        "gradients": [None if weight.grad is None else weight.grad.tolist() for weight in weights],
        "means": [first.tolist(), second.tolist()],
        "of_all": nodes.as_of_all(torch.tensor(5.0 * rank), torch.tensor(1.0 + 2 * rank)).tolist(),
        "of_none": nodes.as_of_all(torch.tensor(0.0), torch.tensor(0.0)).tolist(),
        "any": [nodes.any_of_all(False), nodes.any_of_all(rank == 1), nodes.any_of_all(True)],
        "told": nodes.told_by_first({"rank": rank}),
    }
(out / f"{rank}.json").write_text(json.dumps(said | {"after": torch.distributed.is_initialized()}))
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What two processes were told."""
    out = tmp_path_factory.mktemp("two")
    (out / "two.py").write_text(TWO)
    subprocess.run([*TORCHRUN, out / "two.py", out], check=True, stderr=subprocess.DEVNULL, timeout=200)
    return [json.loads((out / f"{rank}.json").read_text()) for rank in (0, 1)]


def test_each_knows_who_it_is(two):
    assert [said["is_first"] for said in two] == [True, False]
    assert [said["count"] for said in two] == [2, 2]
    assert not any(said["after"] for said in two)


def test_all_step_along_the_mean_gradient(two):
    """One that nobody has stays none, else AdamW would let that weight decay; one that only one has counts as half."""
    for said in two:
        assert said["gradients"] == [[[2.0, 2.0], [2.0, 2.0]], None, [0.5]]
        assert said["means"] == [1.0, [1.0, 0.5]]


def test_a_mean_over_what_counts_is_that_of_all_windows(two):
    """0 over one window and 5 over three: 3.75 over four, the mean of 0 and 7.5."""
    assert [said["of_all"] for said in two] == [0.0, 7.5]
    assert [said["of_none"] for said in two] == [0.0, 0.0]


def test_what_one_wants_or_knows_all_know(two):
    for said in two:
        assert said["any"] == [False, True, True]
        assert said["told"] == {"rank": 0}


def test_the_first_goes_ahead(two):
    assert [said["seen"] for said in two] == [False, True]


def test_alone_there_is_nothing_to_share():
    tensor = torch.ones(2)
    with nodes.joined(), nodes.first_before_others():
        assert (nodes.count(), nodes.rank(), nodes.is_first()) == (1, 0, True)
        assert nodes.mean_of_all([tensor])[0] is tensor
        assert nodes.as_of_all(tensor[0], torch.tensor(7.0)) == 1.0
        assert [nodes.any_of_all(wanted) for wanted in (False, True)] == [False, True]
        assert nodes.told_by_first("this") == "this"
        assert nodes.own_device("cuda") == "cuda"


def test_each_process_has_a_gpu_of_its_own(monkeypatch):
    taken = []
    monkeypatch.setattr(nodes, "count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert (nodes.own_device("cuda"), nodes.own_device("cpu"), taken) == ("cuda:1", "cpu", [1])
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(TrainingError, match="process 2 of this machine has no GPU, there are 2"):
        nodes.own_device("cuda")
