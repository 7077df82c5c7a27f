"""`soundfix worlds`: what it prints is what --set takes."""

import pytest

from helpers.command import assert_refused
from soundfix.overrides import apply_overrides
from soundfix.simulation.worlds import WORLDS, World


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_printed_of_one_makes_it(command, name):
    status, said, _ = command("worlds", name)
    lines = said.splitlines()
    assert status == 0
    first = [line for line in lines if line.startswith("size_m=")]  # what others need
    assert apply_overrides(World(), [*first, *(line for line in lines if line not in first)]) == WORLDS[name]


def test_without_a_name_what_each_does_not_share(command):
    _, said, _ = command("worlds")
    lines = said.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(WORLDS)
    hard = lines[lines.index("luvira-hard") + 1 :]
    assert "  size_m=[7.2, 8.0, 2.8]" in hard
    assert "  image_order" not in said
    assert_refused(command("worlds", "attic"), "no world is called 'attic'")
