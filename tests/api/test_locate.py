"""`soundfix.locate`: paths, arrays and the command give the same; every option shows; every mistake is one sentence."""

import json
import os
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import soundfile

import soundfix
from helpers.networks import tiny
from helpers.plain import PLAIN
from soundfix.api.locate import LocateRequest, run
from soundfix.api.sound import open_sound
from soundfix.errors import (
    ConfigError,
    MicrophoneFileError,
    SceneError,
    SoundfixError,
    UnknownMethodError,
)
from soundfix.files.microphones import read_microphones
from soundfix.files.scenes import write_scene
from soundfix.methods.three_stream import ThreeStream
from soundfix.microphones import Microphones
from soundfix.networks import checkpoint
from soundfix.session.session import Session
from soundfix.simulation.rooms import RoomConfig, simulate
from soundfix.simulation.sounds import melody, voice
from soundfix.testing import ROOM, contract_scene


@pytest.fixture(scope="module")
def files(scene, tmp_path_factory):
    """scene.wav and microphones.csv."""
    folder = tmp_path_factory.mktemp("take")
    write_scene(folder, scene)
    return folder


def heard(scene, **options):
    return soundfix.locate(scene.audio, scene.sample_rate, scene.microphones, **PLAIN | options)


def answers(located):
    """All but what went in."""
    return located.to_dict() | {"request": None}


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
    assert by_paths.to_dict() == written
    assert answers(by_paths) == answers(by_array)
    by_paths.to_json(tmp_path / "p.json")
    by_paths.to_csv(tmp_path / "p.csv")
    for suffix in ("json", "csv"):
        assert (tmp_path / f"p.{suffix}").read_bytes() == (tmp_path / f"c.{suffix}").read_bytes()
    assert [estimate.reasons for estimate in by_paths.estimates] == [("dead:mic4", "contract_at_risk")] * 2


def test_a_take_a_string_a_list_and_a_folder_are_the_same(scene, files, located, tmp_path):
    expected = answers(located)
    take = soundfix.read(files / "scene.wav", scene.microphones)
    assert answers(soundfix.locate(take, **PLAIN)) == expected
    assert answers(soundfix.locate(str(files / "scene.wav"), None, scene.microphones, **PLAIN)) == expected
    for m in range(8):
        soundfile.write(tmp_path / f"Track {m + 1}.wav", scene.audio[m], 16_000, subtype="FLOAT")
    tracks = [tmp_path / f"Track {m + 1}.wav" for m in range(8)]
    assert answers(soundfix.locate(tracks, microphones=scene.microphones.positions, **PLAIN)) == expected
    assert answers(soundfix.locate(tmp_path, microphones=scene.microphones.positions.tolist(), **PLAIN)) == expected


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


@pytest.mark.skipif(bool(os.environ.get("SHAPES")), reason="a check of types refuses it before")
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


# stopped


def test_ctrl_c_gives_what_there_was(scene, monkeypatch):
    """The exception is a KeyboardInterrupt, so that loops end, and holds what was located."""

    def hears(self, start_s, audio, sample_rate, hear=Session.hear):
        if start_s >= 0.5:
            raise KeyboardInterrupt
        return hear(self, start_s, audio, sample_rate)

    monkeypatch.setattr(Session, "hear", hears)
    with pytest.raises(KeyboardInterrupt, match="`located` holds what was located until then") as stopped:
        heard(scene, hop_s=0.25)
    located = stopped.value.located
    assert [each.start_s for each in located.estimates] == [0.0, 0.25]
    assert located.interrupted == (2, 3)
    assert {report.name: report.status for report in located.microphones}["mic4"] == "dead"
    assert "interrupted after 2 of 3" in repr(located)
    assert located.to_dict()["interrupted"] == {"done": 2, "of": 3}


def test_a_window_begins_only_while_nothing_stops_it(scene):
    sound, told = open_sound(scene.audio, scene.sample_rate, scene.microphones), []
    request = LocateRequest(sound=sound, hop_s=0.25, **PLAIN)
    summary = run(request, told.append, stop=lambda: len(told) == 2)
    assert (len(told), summary.interrupted) == (2, (2, 3))
    summary = run(request, told.append, stop=lambda: len(told) == 5)  # the last one was begun
    assert (len(told), summary.interrupted) == (5, None)


def test_what_waits_to_be_smoothed_still_comes(scene):
    """The fifth window is not begun."""
    sound, told, asked = open_sound(scene.audio, scene.sample_rate, scene.microphones), [], count(1)
    request = LocateRequest(sound=sound, hop_s=0.1, smooth=True, **PLAIN)
    summary = run(request, told.append, stop=lambda: next(asked) > 4)
    assert (len(told), summary.interrupted) == (4, (4, request.count))


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


@pytest.fixture(scope="module")
def concert():
    """A voice for 3 s, and when it has been silent for 1.5 s a tune elsewhere for 3 s, in a room."""
    rng, (low, high) = np.random.default_rng(4), np.array(ROOM)
    places = low + (high - low) * np.array([[0.3, 0.3, 0.5], [0.7, 0.6, 0.4]])
    sounds = np.zeros((2, 120_000))
    sounds[0, :48_000] = voice(3.0, sample_rate=16_000.0, rng=rng)
    sounds[1, 72_000:] = melody(3.0, sample_rate=16_000.0, rng=rng)
    room = RoomConfig(size_m=tuple(high - low), origin_m=tuple(low), rt60_s=0.25)
    microphones = contract_scene(8).microphones
    scene = simulate(room, sources=places, sounds=sounds, microphones=microphones, snr_db=30.0, rng=rng)
    return heard(scene, tracks=True, hop_s=0.25)


def test_turns_say_their_kind_and_only_those_of_one_kind_are_kept(concert, tmp_path):
    voice, tune = concert.turns(only=["speech", "music"])
    assert (voice.kind, tune.kind) == ("speech", "music")
    assert voice.end_s < tune.start_s
    assert min(voice.kind_probability, tune.kind_probability) > 0.5
    assert [turn.start_s for turn in concert.turns(only="music")] == [tune.start_s]
    concert.to_turns(tmp_path / "turns.rttm", only="speech")
    (line,) = (tmp_path / "turns.rttm").read_text().splitlines()
    assert line.split()[6] == "speech"
    assert float(line.split()[8]) == pytest.approx(voice.kind_probability, abs=5e-4)
    with pytest.raises(ConfigError, match="'song': no kind of sound"):
        concert.turns(only="song")


def test_tracks_leave_the_places_as_they_were_unless_smoothed(scene):
    plain, followed, smooth = (
        heard(scene, hop_s=0.1, **how) for how in ({}, {"tracks": True}, {"tracks": True, "smooth": True})
    )
    same = [np.array_equal(place(plain, k), place(followed, k)) for k in range(len(plain.estimates))]
    assert all(same)
    assert not np.array_equal(place(plain, 3), place(smooth, 3))
