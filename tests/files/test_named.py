"""Which file a table means."""

from pathlib import Path

import pytest

from soundfix.files.named import Named, parts_of

FILES = Named(
    (Path(path), what)
    for path, what in (
        ("/d/S01/a.WAV", 1),
        ("/d/S02/a.WAV", 2),
        ("/d/S02/b.1.wav", 3),
        ("/e/S02/c.wav", 4),
        ("/f/S02/c.wav", 4),
    )
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("S01/a.wav", 1),
        ("C:\\cards\\s02\\A.wav", 2),
        ("a.wav", None),  # two have it
        ("x/a.wav", None),
        ("b.1.wav", 3),
        ("elsewhere/b.1.flac", 3),
        ("b.1", None),
        ("b.wav", None),
        ("c.wav", 4),  # two have it, and stand for the same
        ("S02/c.wav", 4),
        ("", None),
        (".", None),
        ("/", None),
    ],
)
def test_a_file_is_named_by_the_end_of_its_path_or_alone(text, what):
    assert FILES.find(text) == what


@pytest.mark.parametrize(
    ("name", "what"),
    [("b.1.selections.txt", 3), ("B.1.BirdNET.results.csv", 3), ("a.txt", None), ("b.txt", None), ("c.csv", 4)],
)
def test_a_table_is_beside_the_file_whose_name_its_own_begins_with(name, what):
    assert FILES.beside(Path("tables") / name) == what


def test_what_stands_for_nothing_is_something():
    """A start of 0 s."""
    assert Named([(Path("a.wav"), 0.0)]).find("a.wav") == 0.0
    assert Named([(Path("a.wav"), 0.0)]).beside(Path("a.txt")) == 0.0


def test_parts_are_those_of_any_system():
    assert parts_of("C:\\Cards\\A.wav") == parts_of("c:/cards/a.WAV") == ("c:", "cards", "a.wav")
