"""A whole recording, located: lines of text, a table, pages and pictures of it, and all that was concluded."""

import sys
from dataclasses import fields, replace

import numpy as np
import pytest

import soundfix
from helpers.plain import PLAIN
from soundfix.api.located import HEAD
from soundfix.calibration.hypotheses import FaultHypothesis
from soundfix.errors import MissingPackageError, OutputError
from soundfix.estimate import Air, Estimate, Source
from soundfix.files.silences import Silence
from soundfix.microphones import Microphones
from soundfix.report.exports import CSV_COLUMNS
from soundfix.session.microphone_history import Event
from soundfix.session.summary import Interruption, Summary
from soundfix.survey.start_offsets import StartOffset


def test_it_says_what_the_command_prints(located):
    lines = repr(located).splitlines()
    assert lines[0] == "Located by srp-phat: 2 windows"
    assert lines[1].startswith("    0.00 -    0.50 s  degraded   (3.90, 1.80, 1.30) m ±")
    assert any(line.startswith("  mic4: dead") for line in lines)


def test_a_long_recording_is_a_few_lines(located):
    long = replace(located, estimates=located.estimates * 50)
    assert len(repr(long).splitlines()) < 20
    assert "... and 93 more" in repr(long)
    assert "... and 89 more" in long._repr_html_()
    assert long._repr_html_().count("<tr>") == 12


def test_a_dataframe_is_a_row_a_source(located):
    pandas = pytest.importorskip("pandas")
    silent = Estimate(method="srp-phat", start_s=1.0, end_s=1.5, verdict="abstain")
    frame = replace(located, estimates=(*located.estimates, silent)).to_dataframe()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == CSV_COLUMNS
    assert frame["x_m"].tolist()[:2] == [located.estimates[k].sources[0].position_m[0] for k in range(2)]
    assert frame["x_m"].isna().tolist() == [False, False, True]
    assert frame["start_s"].tolist() == [0.0, 0.5, 1.0]


def test_without_pandas_one_sentence_says_what_to_install(located, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingPackageError, match=r"pandas is not installed; .*pip install 'soundfix\[dataframe\]'"):
        located.to_dataframe()


def test_names_are_escaped_in_html(scene):
    names = ("<b>mic1</b>", *scene.microphones.names[1:])
    audio = np.where(np.arange(8)[:, None] == 0, 0.0, scene.audio)
    spoken = soundfix.locate(audio, 16_000.0, Microphones(positions=scene.microphones.positions, names=names), **PLAIN)
    html = spoken._repr_html_()
    assert "&lt;b&gt;mic1&lt;/b&gt;" in html
    assert "<b>" not in html
    assert all(f"<th>{column}</th>" in html for column in HEAD)


def test_several_places_are_a_row_each(located):
    first = located.estimates[0].sources[0]
    twin = Source(position_m=first.position_m + 1, covariance_m2=first.covariance_m2, radius90_m=0.1, score=0.5)
    both = replace(located.estimates[0], verdict="ambiguous", sources=(first, twin))
    html = replace(located, estimates=(both,))._repr_html_()
    assert html.count("<td>ambiguous</td>") == 2
    assert f"<td>{twin.position_m[0]:.2f}</td>" in html


@pytest.mark.parametrize(("name", "magic"), [("map.png", b"\x89PNG"), ("map.html", b"<")])
def test_it_draws(located, tmp_path, name, magic):
    assert located.plot(tmp_path / name) is None
    assert (tmp_path / name).read_bytes().lstrip().startswith(magic)


def test_it_draws_into_a_notebook(located):
    image = located.plot()
    assert image._repr_png_().startswith(b"\x89PNG")
    assert "PNG" in repr(image)
    with pytest.raises(OutputError, match=r"wanted one of \.png, "):
        located.plot("map.bmp")


def test_the_result_holds_all_that_was_concluded(located):
    """Also what this recording has nothing of: events, explanations, starts, silences."""
    concluded = Summary(
        microphones=located.microphones[:1],
        events=(Event(time_s=3.0, microphone="mic1", status="late"),),
        explanations={"mic1": FaultHypothesis(position_m=np.zeros(3))},
        speed_m_s=340.0,
        starts=(StartOffset("mic2", 1.5, "mic3"),),
        silences=(Silence("mic4", 0.0, 2.0, "no sound before 0:02 (mic4.wav begins there)"),),
        band_hz=(100.0, 4000.0),
        exchanged=(("mic1", "mic2"), ("mic2", "mic1")),
        list_unit="feet",
        passed_over=3,
        air=Air(350.0, 1.0),
        air_contradicts=True,
        interrupted=Interruption(3, 4),
    )
    changed = replace(located, summary=concluded)
    for field in fields(Summary):
        assert getattr(changed, field.name) == getattr(concluded, field.name) != getattr(Summary(), field.name)
    assert changed.to_dict()["events"][0]["time_s"] == 3.0
