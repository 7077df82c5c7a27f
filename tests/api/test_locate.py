"""`soundfix.locate`: paths, arrays and the command give the same; every option shows; every mistake is one sentence."""

import json
import os
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

import soundfix
from helpers.networks import tiny
from soundfix.api.locate import HEAD, Located, LocateRequest, run
from soundfix.api.sound import open_sound
from soundfix.calibration.hypotheses import FaultHypothesis
from soundfix.errors import (
    ConfigError,
    MicrophoneFileError,
    MissingPackageError,
    OutputError,
    SceneError,
    SoundfixError,
    UnknownMethodError,
)
from soundfix.estimate import Estimate, Source
from soundfix.files.microphones import read_microphones
from soundfix.files.scenes import write_scene
from soundfix.files.silences import Silence
from soundfix.methods.three_stream import ThreeStream
from soundfix.microphones import Microphones
from soundfix.networks import checkpoint
from soundfix.report.exports import CSV_COLUMNS
from soundfix.session.microphone_history import Event
from soundfix.session.summary import Summary
from soundfix.survey.start_offsets import StartOffset
from soundfix.testing import ROOM, contract_scene

PLAIN = {"method": "srp-phat", "room": ROOM, "speed_of_sound_m_s": 343.0}


@pytest.fixture(scope="module")
def scene():
    """1.2 s of noise from one point, heard by eight microphones, of which mic4 is dead."""
    whole = contract_scene(8, seconds=1.2)
    audio = whole.audio.copy()
    audio[3] = 0
    return replace(whole, audio=audio)


@pytest.fixture(scope="module")
def files(scene, tmp_path_factory):
    """scene.wav and microphones.csv."""
    folder = tmp_path_factory.mktemp("take")
    write_scene(folder, scene)
    return folder


@pytest.fixture(scope="module")
def located(scene):
    return soundfix.locate(scene.audio, scene.sample_rate, scene.microphones, **PLAIN)


def heard(scene, **options):
    return soundfix.locate(scene.audio, scene.sample_rate, scene.microphones, **PLAIN | options)


def place(located, window=0):
    return located.estimates[window].sources[0].position_m


# one answer, however it is asked for


def test_paths_arrays_and_the_command_are_the_same(scene, files, located, tmp_path, command):
    words = ["locate", files / "scene.wav", "-m", files / "microphones.csv", "--method", "srp-phat"]
    options = ["--room", "0,0,0,6,5,3", "--speed-of-sound", 343, "--require", "20cm 95% minus 1"]
    assert command(*words, *options, "--json", tmp_path / "c.json", "--csv", tmp_path / "c.csv")[0] == 0
    written = json.loads((tmp_path / "c.json").read_text())
    told = PLAIN | {"require": "20cm 95% minus 1"}
    by_paths = soundfix.locate(files / "scene.wav", microphones=files / "microphones.csv", **told)
    by_array = soundfix.locate(scene.audio, scene.sample_rate, scene.microphones.positions, **told)
    assert by_paths.to_dict() == by_array.to_dict() == written
    by_paths.to_json(tmp_path / "p.json")
    by_paths.to_csv(tmp_path / "p.csv")
    for suffix in ("json", "csv"):
        assert (tmp_path / f"p.{suffix}").read_bytes() == (tmp_path / f"c.{suffix}").read_bytes()
    assert [estimate.reasons for estimate in by_paths.estimates] == [("dead:mic4", "contract_at_risk")] * 2


def test_a_take_a_string_a_list_and_a_folder_are_the_same(scene, files, located, tmp_path):
    expected = located.to_dict()
    take = soundfix.read(files / "scene.wav", scene.microphones)
    assert soundfix.locate(take, **PLAIN).to_dict() == expected
    assert soundfix.locate(str(files / "scene.wav"), None, scene.microphones, **PLAIN).to_dict() == expected
    for m in range(8):
        soundfile.write(tmp_path / f"Track {m + 1}.wav", scene.audio[m], 16_000, subtype="FLOAT")
    tracks = [tmp_path / f"Track {m + 1}.wav" for m in range(8)]
    assert soundfix.locate(tracks, microphones=scene.microphones.positions, **PLAIN).to_dict() == expected
    assert soundfix.locate(tmp_path, microphones=scene.microphones.positions.tolist(), **PLAIN).to_dict() == expected


def test_positions_is_the_former_name(scene, located):
    with pytest.warns(DeprecationWarning, match="positions= is called microphones= now") as caught:
        former = soundfix.locate(scene.audio, 16_000.0, positions=scene.microphones.positions, **PLAIN)
    assert os.environ.get("SHAPES") or caught[0].filename == __file__  # a check of shapes stands in between
    assert former.to_dict() == located.to_dict()
    with pytest.raises(SceneError, match="positions is the former name"):
        soundfix.locate(scene.audio, 16_000.0, scene.microphones, positions=scene.microphones.positions)


def test_a_request_keeps_no_window_and_tells_each(scene, located):
    told = []
    sound = open_sound(scene.audio, scene.sample_rate, scene.microphones)
    summary = run(LocateRequest(sound=sound, **PLAIN), told.append)
    assert [estimate.to_dict() for estimate in told] == located.to_dict()["estimates"]
    assert [report.status for report in summary.microphones] == [report.status for report in located.microphones]


def test_the_request_counts_its_windows(scene):
    sound = open_sound(scene.audio, scene.sample_rate, scene.microphones)
    assert LocateRequest(sound=sound).count == 2
    assert LocateRequest(sound=sound, window_s=0.4).count == 3
    assert LocateRequest(sound=sound, window_s=0.5, hop_s=0.25).count == 3


# every option


def test_window_and_hop(scene):
    assert [each.start_s for each in heard(scene, window_s=0.4).estimates] == pytest.approx([0.0, 0.4, 0.8])
    overlapping = heard(scene, window_s=0.6, hop_s=0.3)
    assert [each.start_s for each in overlapping.estimates] == pytest.approx([0.0, 0.3, 0.6])
    assert [each.end_s for each in overlapping.estimates] == pytest.approx([0.6, 0.9, 1.2])


def test_smooth_moves_places(scene, located):
    smooth = heard(scene, smooth=True)
    assert any((place(smooth, k) != place(located, k)).any() for k in range(2))


def test_the_method_and_the_room(scene):
    thin = ((0.0, 0.0, 1.3), (6.0, 5.0, 1.3))
    other = heard(scene, method="multilateration", room=thin)
    assert (other.method, other.room) == ("multilateration", thin)
    assert place(other)[2] == pytest.approx(1.3, abs=1e-6)


def test_a_temperature_is_a_speed(scene, located):
    cold = heard(scene, speed_of_sound_m_s=None, temperature_c=-40.0)
    assert cold.speed_m_s == pytest.approx(306, abs=1)
    assert np.linalg.norm(place(cold) - place(located)) > 0.02
    assert located.speed_m_s == 343.0


def test_a_checkpoint_and_an_explanation(scene, tmp_path):
    network = tiny(is_untrained=True)
    checkpoint.save(network, tmp_path / "net.safetensors")
    options = {"method": "three-stream", "window_s": 0.5}
    short = replace(scene, audio=scene.audio[:, :8000])
    by_file = heard(short, **options, checkpoint=tmp_path / "net.safetensors", explain=True)
    by_hand = heard(short, method=ThreeStream(network=network, explains=True))
    assert len(by_file.estimates[0].pairs) == 21
    assert by_file.to_dict()["estimates"] == by_hand.to_dict()["estimates"]


def test_a_contract_is_watched(scene, located):
    codes = {finding for estimate in heard(scene, require="1cm 95%").estimates for finding in estimate.reasons}
    assert "contract_broken" in codes
    assert all("contract_broken" not in estimate.reasons for estimate in located.estimates)


# mistakes


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"sample_rate": None}, SceneError, "sample_rate is missing"),
        ({"sample_rate": 16.0}, SceneError, "kHz"),
        ({"microphones": None}, SceneError, "no microphones: wanted the path of their list"),
        ({"microphones": "nowhere.csv"}, MicrophoneFileError, "nowhere.csv cannot be read"),
        ({"window_s": 0.0}, SceneError, "window_s is 0.0 s"),
        ({"hop_s": float("nan")}, SceneError, "hop_s is nan s"),
        ({"require": "20cm"}, ConfigError, "20cm 95% minus 2"),
        ({"method": "srp-fat"}, UnknownMethodError, "Did you mean 'srp-phat'"),
        ({"explain": True}, UnknownMethodError, "srp-phat has no option 'explains'"),
        ({"beats": "beats.pt"}, UnknownMethodError, "srp-phat has no option 'beats'"),
        ({"temperature_c": 293.0, "speed_of_sound_m_s": None}, SceneError, "was it given in °F or K"),
        ({"room": (ROOM[1], ROOM[0])}, SceneError, "lowest corner first"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_mistakes_are_one_sentence(scene, change, error, message):
    given = {"sample_rate": 16_000.0, "microphones": scene.microphones} | PLAIN | change
    with pytest.raises(error, match=message) as refused:
        soundfix.locate(scene.audio, **given)
    assert isinstance(refused.value, SoundfixError)
    assert "\n" not in str(refused.value)


@pytest.mark.skipif("SHAPES" in os.environ, reason="a check of types refuses it before")
def test_a_list_in_the_place_of_the_rate(files):
    with pytest.raises(SceneError, match="was it meant as microphones="):
        soundfix.locate(files / "scene.wav", str(files / "microphones.csv"))


def test_what_a_recording_knows_itself_is_not_given_again(scene, files):
    take = soundfix.read(files / "scene.wav", files / "microphones.csv")
    for given in ({"sample_rate": 16_000.0}, {"microphones": scene.microphones}):
        with pytest.raises(SceneError, match="a Take has its own: leave it out"):
            soundfix.locate(take, **given)
    with pytest.raises(SceneError, match="files say their own: leave it out"):
        soundfix.locate(files / "scene.wav", 16_000.0, scene.microphones)


def test_weights_belong_to_a_method_by_name(scene):
    with pytest.raises(ConfigError, match="checkpoint does nothing for SrpPhat"):
        heard(scene, method=soundfix.load("srp-phat"), checkpoint="model.safetensors")


# what comes back


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
    assert frame["x_m"].tolist()[:2] == [place(located, k)[0] for k in range(2)]
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
    with pytest.raises(OutputError, match=r"wanted one of \.png, \.html"):
        located.plot("map.pdf")


def test_the_result_holds_all_that_was_concluded(scene, monkeypatch):
    """Also what this recording has nothing of: events, explanations, starts, silences."""
    concluded = Summary(
        events=(Event(time_s=3.0, microphone="mic1", status="late"),),
        explanations={"mic1": FaultHypothesis(position_m=np.zeros(3))},
        speed_m_s=340.0,
        starts=(StartOffset("mic2", 1.5, "mic3"),),
        silences=(Silence("mic4", 0.0, 2.0, "no sound before 0:02 (mic4.wav begins there)"),),
    )
    monkeypatch.setattr("soundfix.api.locate.run", lambda request, watch: concluded)
    located = heard(scene)
    assert isinstance(located, Located)
    assert vars(located.summary) == vars(concluded)
    assert (located.events, located.explanations) == (concluded.events, concluded.explanations)
    assert (located.starts, located.silences, located.microphones) == (concluded.starts, concluded.silences, ())
    assert located.to_dict()["events"][0]["time_s"] == 3.0


def test_notes_say_what_was_assumed(files, located):
    take = soundfix.read(files / "scene.wav", files / "microphones.csv")
    assert soundfix.locate(take, **PLAIN).notes == take.notes != ()
    assert located.notes == ()


def test_a_search_region_and_a_height(scene):
    told = {"sample_rate": scene.sample_rate, "microphones": scene.microphones, "method": "srp-phat"}
    there = soundfix.locate(scene.audio, search=((0, 0, 0), (6, 5, 3)), height_m=1.2, **told)
    assert all(each.sources[0].position_m[2] == pytest.approx(1.2) for each in there.estimates if each.sources)


# coordinates of a map

UTM = np.array([691_000.0, 5_330_000.0, 510.0])
SIDES = np.array(ROOM)


def in_utm(scene):
    return Microphones(positions=scene.microphones.border_positions() + UTM, crs="EPSG:32632")


@pytest.mark.parametrize(
    "told",
    [
        {"room": "box", "require": "20cm 95% minus 1"},
        {"search": "box", "height_m": 1.3},
        {"search": "polygon"},
        {"smooth": True},
    ],
)
def test_in_utm_the_answers_are_the_same(scene, tmp_path, told):
    def asked(by_m):
        low, high = (SIDES + by_m).tolist()
        (tmp_path / "stage.csv").write_text(
            f"easting,northing\n{low[0]},{low[1]}\n{high[0]},{low[1]}\n{high[0]},{high[1]}\n{low[0]},{high[1]}\n"
        )
        as_told = {"box": (tuple(low), tuple(high)), "polygon": str(tmp_path / "stage.csv")}
        options = {name: as_told.get(value, value) for name, value in told.items()}
        if "height_m" in options:
            options["height_m"] += float(by_m[2])
        return {"method": "srp-phat", "speed_of_sound_m_s": 343.0} | options

    near = soundfix.locate(scene.audio, 16_000.0, scene.microphones, **asked(np.zeros(3)))
    far = soundfix.locate(scene.audio, 16_000.0, in_utm(scene), **asked(UTM))
    assert [each.verdict for each in far.estimates] == [each.verdict for each in near.estimates]
    assert [each.reasons for each in far.estimates] == [each.reasons for each in near.estimates]
    for here, there in zip(near.estimates, far.estimates, strict=True):
        for source, moved in zip(here.sources, there.sources, strict=True):
            assert moved.position_m - UTM == pytest.approx(source.position_m, abs=1e-6)
            assert moved.radius90_m == pytest.approx(source.radius90_m, rel=1e-4)
    assert far.microphones[0].position_m - UTM == pytest.approx(scene.microphones.positions[0], abs=1e-6)


def test_a_map_by_the_list_or_as_it_is_told(scene, located, tmp_path):
    far = soundfix.locate(scene.audio, 16_000.0, in_utm(scene), method="srp-phat")
    far.to_geojson(tmp_path / "far.geojson")
    longitude, latitude = json.loads((tmp_path / "far.geojson").read_text())["features"][0]["geometry"]["coordinates"]
    assert (longitude, latitude) == pytest.approx((11.5653, 48.0948), abs=1e-3)
    located.to_geojson(tmp_path / "near.geojson", crs="EPSG:32632")
    assert "FeatureCollection" in (tmp_path / "near.geojson").read_text()
    with pytest.raises(ConfigError, match="nothing says which coordinate system"):
        located.to_geojson(tmp_path / "none.geojson")


def test_a_list_without_heights_says_so(scene, tmp_path):
    rows = "\n".join(f"{x},{y}" for x, y, _ in scene.microphones.positions)
    (tmp_path / "flat.csv").write_text("x,y\n" + rows)
    flat = soundfix.locate(scene.audio, 16_000.0, read_microphones(tmp_path / "flat.csv"), method="srp-phat")
    assert "No z in the list" in flat.notes[0]
    assert np.ptp(flat.listed.positions[:, 2]) == 0


def test_turns_are_of_who_was_followed(scene, located, tmp_path):
    followed = heard(scene, tracks=True, hop_s=0.1)
    assert {source.track for estimate in followed.estimates for source in estimate.sources} == {1}
    (turn,) = followed.turns()
    assert turn.position_m == pytest.approx(place(located), abs=0.05)
    assert turn.level_dbfs == pytest.approx(np.mean([e.sources[0].level_dbfs for e in followed.estimates]), abs=1.0)
    followed.to_turns(tmp_path / "turns.rttm", "take")
    assert (tmp_path / "turns.rttm").read_text().startswith("SPEAKER take 1 0.200 ")
    with pytest.raises(ConfigError, match=r"wanted soundfix\.locate\(\.\.\., tracks=True\)"):
        located.turns()


def test_tracks_leave_the_places_as_they_were_unless_smoothed(scene):
    plain, followed, smooth = (
        heard(scene, hop_s=0.1, **how) for how in ({}, {"tracks": True}, {"tracks": True, "smooth": True})
    )
    same = [np.array_equal(place(plain, k), place(followed, k)) for k in range(len(plain.estimates))]
    assert all(same)
    assert not np.array_equal(place(plain, 3), place(smooth, 3))
