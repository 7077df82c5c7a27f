"""`soundfix locate --as`: formats by name, a listener where one is needed, and what is refused before the work."""

import json

import numpy as np
import pytest

from helpers.command import SOURCE, assert_refused, given
from soundfix.cli.formats import has_tracks, parse_as
from soundfix.errors import ConfigError, SoundfixError

PHYSICS = ("--method", "srp-phat")


def test_formats_and_a_listener_are_parsed():
    files, listener = parse_as(["audacity:a:b.txt", "dcase:d.csv"], "1,2,3.5,90")
    assert [(each.name, str(each.path)) for each in files] == [("audacity", "a:b.txt"), ("dcase", "d.csv")]
    assert (listener.position_m.tolist(), listener.heading_deg) == ([1, 2, 3.5], 90)
    assert parse_as(["dcase:d.csv"], "1,2,3")[1].heading_deg == 0
    assert parse_as(None, None) == ((), None)
    assert [has_tracks(parse_as([f"{name}:x"], None)[0]) for name in ("odas", "audacity")] == [True, False]


@pytest.mark.parametrize(
    ("texts", "listener", "message"),
    [
        (["audacity"], None, "wanted FORMAT:FILE"),
        (["audacity:"], None, "wanted FORMAT:FILE"),
        (["labels:x"], None, "'labels' is no format"),
        (["dcase:x"], None, "wanted --listener x,y,z"),
        (["audacity:x"], "1,2,3", "does nothing without --as dcase:FILE"),
        (None, "1,2,3", "does nothing without --as dcase:FILE"),
        *(
            (["dcase:x"], text, "wanted x,y,z in metres")
            for text in ("1,2", "1,2,3,4,5", "a,b,c", "1,2,nan", "1,2,3,inf", "")
        ),
    ],
)
def test_what_is_no_format_or_listener_is_refused(texts, listener, message):
    with pytest.raises((SoundfixError, ConfigError), match=message):
        parse_as(texts, listener)


def test_answers_are_written_in_several_formats(take, tmp_path, command):
    listener = ",".join(f"{x:g}" for x in SOURCE - [1, 0, 0])
    words = ("--as", f"audacity:{tmp_path / 'l.txt'}", "--as", f"dcase:{tmp_path / 'd.csv'}", "--listener", listener)
    status, _, _ = command(*given(take, *PHYSICS, *words, "--as", f"opensoundscape:{tmp_path / 'p.json'}"))
    assert status == 0
    assert len((tmp_path / "l.txt").read_text().splitlines()) == 2
    rows = np.array([line.split(",") for line in (tmp_path / "d.csv").read_text().splitlines()], dtype=int)
    assert rows[:, 0].tolist() == list(range(10))
    assert np.abs(rows[:, 3:5]).max() <= 3
    assert np.abs(rows[:, 5] - 100).max() <= 5
    positions = json.loads((tmp_path / "p.json").read_text())
    assert np.linalg.norm(np.array(positions[0]["location_estimate"]) - SOURCE) < 0.05
    assert positions[0]["receiver_files"][0].endswith("scene.wav")


def test_tracks_are_followed_where_a_format_tells_them(take, tmp_path, command):
    status, _, _ = command(*given(take, *PHYSICS, "--hop", "0.1", "--as", f"odas:{tmp_path / 'o'}"))
    assert status == 0
    told = [json.loads(line)["src"][0]["id"] for line in (tmp_path / "o").read_text().splitlines()]
    assert (len(told), set(told)) == (6, {1})


def test_a_dash_is_standard_output(take, tmp_path, command):
    status, said, complaint = command(*given(take, *PHYSICS, "--as", "audacity:-"))
    assert status == 0
    assert len(said.splitlines()) == 2
    assert "degraded" in complaint or "ok" in complaint


def test_events_have_no_hops(take, tmp_path, command):
    (tmp_path / "e.txt").write_text("0.1\t0.6\tcall\n")
    words = ("--events", tmp_path / "e.txt")
    assert_refused(command(*given(take, *PHYSICS, *words, "--as", f"odas:{tmp_path / 'o'}")), "events do not")
    status, _, _ = command(
        *given(
            take,
            *PHYSICS,
            *words,
            "--as",
            f"dcase:{tmp_path / 'd'}",
            "--listener",
            "1,1,1",
            "--as",
            f"birdnet:{tmp_path / 'b'}",
        )
    )
    assert status == 0
    assert [line.split(",")[0] for line in (tmp_path / "d").read_text().splitlines()] == ["1", "2", "3", "4", "5"]
    assert "call" in (tmp_path / "b").read_text()


def test_delays_are_written_too(tmp_path, command):
    places = np.array([[0, 0, 0], [50, 0, 3], [50, 40, 1], [0, 40, 2], [25, 60, 4], [60, 60, 0]])
    times = np.linalg.norm(places - [20, 15, 2], axis=1) / 343.2
    (tmp_path / "m.csv").write_text(
        "name,x,y,z\n" + "".join(f"m{k},{x},{y},{z}\n" for k, (x, y, z) in enumerate(places))
    )
    (tmp_path / "d.csv").write_text("event,mic,delay_s\n" + "".join(f"owl,m{k},{t:.7f}\n" for k, t in enumerate(times)))
    words = (
        "locate",
        "--delays",
        tmp_path / "d.csv",
        "-m",
        tmp_path / "m.csv",
        "--as",
        f"opensoundscape:{tmp_path / 'p'}",
    )
    assert command(*words)[0] == 0
    (told,) = json.loads((tmp_path / "p").read_text())
    assert np.linalg.norm(np.array(told["location_estimate"]) - [20, 15, 2]) < 1
    assert (told["class_name"], told["receiver_files"]) == ("owl", [f"m{k}" for k in range(6)])


def test_a_file_for_two_outputs_is_refused(take, tmp_path, command):
    same = tmp_path / "x"
    assert_refused(command(*given(take, "--csv", same, "--as", f"audacity:{same}")), "named for two outputs")
