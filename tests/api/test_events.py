"""Events of a table: each in its own time and band, by the stations that hear it, however these are named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

import soundfix
from helpers.calls import BANDS_HZ, NAMES, PLACES, RATE, SPEED_M_S, calls, raven_table, written
from soundfix.api.events import listed_events, with_clock
from soundfix.api.locate import LocateRequest, run
from soundfix.api.sound import open_sound
from soundfix.errors import ConfigError, EventFileError, SceneError
from soundfix.estimate import Estimate
from soundfix.events import SoundEvent
from soundfix.files.events.reading import EventTable, read_events
from soundfix.files.events.table import Table
from soundfix.microphones import Microphones
from soundfix.session.session import Session

PLAIN = {"method": "srp-phat", "speed_of_sound_m_s": SPEED_M_S}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return written(tmp_path_factory.mktemp("field"))


def located(folder, **options):
    how = PLAIN | {"events": folder / "events.txt"} | options
    return soundfix.locate(folder / "scene.wav", microphones=folder / "microphones.csv", **how)


def gaps(found):
    return [
        float(np.linalg.norm(estimate.sources[0].position_m - place))
        for estimate, place in zip(found.estimates, PLACES.values(), strict=True)
    ]


def test_each_event_has_an_answer_in_its_own_time_and_band(folder):
    found = located(folder)
    assert max(gaps(found)) < 0.5
    assert [(each.start_s, each.end_s) for each in found.estimates] == [(1.5, 1.8), (4.0, 4.3)]
    assert [each.event.label for each in found.estimates] == ["call 0", "call 1"]
    assert [each.event.band_hz for each in found.estimates] == list(BANDS_HZ.values())
    assert "2 events" in repr(found)


def test_who_does_not_hear_it_is_not_asked(folder):
    names = [{report.name for report in each.microphones} for each in located(folder).estimates]
    assert all("far" not in each and len(each) >= 5 for each in names)


def test_stations_as_they_are_listed(folder, tmp_path):
    rows = "".join(f"n1,n2,n4,n5,n7,{start},{start + 0.3},{low},{high},x\n" for start, (low, high) in BANDS_HZ.items())
    table = tmp_path / "d.csv"
    table.write_text("Station1,Station2,Station3,Station4,Station5,From,To,F_Low,F_High,Species\n" + rows)
    for each in located(folder, events=table).estimates:
        assert [report.name for report in each.microphones] == ["n1", "n2", "n4", "n5", "n7"]


def test_regions_are_larger_in_the_wind(folder):
    still, windy = ([each.sources[0].radius90_m for each in located(folder, wind_m_s=w).estimates] for w in (None, 5.0))
    assert all(larger > 1.3 * usual for usual, larger in zip(still, windy, strict=True))
    assert max(gaps(located(folder, wind_m_s=5.0))) < 1.0
    with pytest.raises(SceneError, match="was it given in km/h"):
        located(folder, wind_m_s=50.0)


def test_a_band_for_all_instead_of_their_own(folder):
    found = located(folder, band_hz=(2000.0, 4000.0))
    assert [each.event.band_hz for each in found.estimates] == [(2000.0, 4000.0)] * 2
    assert gaps(replace_last(found))[0] < 0.5
    with pytest.raises(SceneError, match="was it given in kHz"):
        located(folder, band_hz=(2000.0, 9000.0))


def replace_last(found):
    return replace(found, estimates=(found.estimates[0], found.estimates[0]))


def test_arrays_and_files_are_the_same(folder):
    scene = calls()
    by_array = soundfix.locate(scene.audio, RATE, scene.microphones, events=folder / "events.txt", **PLAIN)
    assert [each.to_dict() for each in by_array.estimates] == [each.to_dict() for each in located(folder).estimates]


def test_an_event_at_the_edge_or_without_length_is_located_all_the_same(folder, tmp_path):
    (tmp_path / "l.txt").write_text("0\t0\ta\n4.1\t4.1\tb\n5.9\t7\tc\n6.5\t7\tgone\n")
    found = located(folder, events=tmp_path / "l.txt")
    assert [each.event.label for each in found.estimates] == ["a", "b", "c"]
    assert found.notes[-1] == "1 of 4 events are not in this recording: left out."


def test_what_does_nothing_with_events_is_refused(folder):
    for option in ({"window_s": 1.0}, {"hop_s": 0.5}, {"smooth": True}, {"require": "20cm 95% minus 1"}):
        with pytest.raises(ConfigError, match="does nothing with events"):
            located(folder, **option)


def test_the_rate_suits_the_highest_band():
    sound = open_sound(np.zeros((4, 48_000), np.float32), 48_000.0, np.eye(4, 3))
    table = of(event(band_hz=(1000.0, 2000.0)), event(band_hz=(9000.0, 15_000.0)))
    tuned, listed = listed_events(sound, table, None)
    assert tuned.sample_rate == 32_000.0
    assert len(listed) == 2


def test_a_band_reaches_as_high_as_the_recording_does():
    sound = open_sound(np.zeros((4, 16_000), np.float32), 16_000.0, np.eye(4, 3))
    _, (listed,) = listed_events(sound, of(event(band_hz=(5000.0, 12_000.0))), None)
    assert listed.event.band_hz == (5000.0, 8000.0)
    with pytest.raises(EventFileError, match="holds nothing above 8000 Hz"):
        listed_events(sound, of(event(band_hz=(9000.0, 12_000.0))), None)


@pytest.mark.parametrize(
    ("stations", "expected"),
    [
        (("b",), [1]),
        (("B", "c"), [1, 2]),
        (("data/x.wav",), [0]),
        (("C:\\data\\Y.WAV",), [1]),
        (("/other/c/20200617.wav",), [2]),
        (("z.flac",), [2]),
        (("copies/z.wav",), [2]),
        ((), []),
        (("a", "b", "c", "d"), [0, 1, 2, 3]),
    ],
)
def test_a_station_is_named_or_its_file_or_its_folder(stations, expected):
    _, (listed,) = listed_events(four(), of(event(stations=stations)), None)
    assert list(np.flatnonzero(listed.is_listed)) == expected


def test_events_of_other_recordings_are_left_out_and_none_is_refused():
    sound, listed = listed_events(four(), of(event(stations=("e.wav",)), event()), None)
    assert len(listed) == 1
    assert sound.notes == ("1 of 2 events are not in this recording: left out.",)
    for other in (event(stations=("e.wav",)), event(start_s=9.0)):
        with pytest.raises(EventFileError, match=r"none of its 1 events is in this recording of 1.0 s with a, b, c"):
            listed_events(four(), of(other), None)


def test_a_clock_says_when_a_span_began(folder):
    began = datetime(2020, 6, 17, 9, tzinfo=UTC)
    silent = Estimate(method="m", start_s=2.5, end_s=3.0, verdict="abstain")
    assert with_clock(silent, four()).clock is None
    take = soundfix.read(folder / "scene.wav", folder / "microphones.csv")
    told = with_clock(silent, replace(take, recording=replace(take.recording, starts_at=began)))
    assert told.clock == began + timedelta(seconds=2.5)
    assert told.to_dict()["clock"] == "2020-06-17T09:00:02.500000+00:00"


def test_the_table_comes_back_with_answers(folder, tmp_path):
    found = located(folder)
    found.to_raven(tmp_path / "answers.txt")
    again = read_events(tmp_path / "answers.txt")
    assert [each.label for each in again.events] == ["call 0", "call 1"]
    assert float(again.table.rows[0].cells["X (m)"]) == pytest.approx(
        found.estimates[0].sources[0].position_m[0], abs=1e-3
    )
    with pytest.raises(ConfigError, match="no table of events"):
        replace(found, table=None).to_raven(tmp_path / "answers.txt")


def test_the_request_counts_its_events(folder):
    sound = open_sound(folder / "scene.wav", None, folder / "microphones.csv")
    sound, listed = listed_events(sound, read_events(folder / "events.txt"), None)
    assert LocateRequest(sound=sound, events=listed, **PLAIN).count == 2


def test_without_bands_voices_are_listened_to(folder, tmp_path):
    (tmp_path / "e.txt").write_text(raven_table(bands=False))
    assert max(gaps(located(folder, events=tmp_path / "e.txt"))) < 0.5


def event(**told):
    return SoundEvent(**{"start_s": 0.1, "end_s": 0.2, "rows": (0,)} | told)


def of(*events):
    return EventTable(table=Table(path=Path("e.txt"), columns=(), rows=()), events=events)


def four():
    files = ("data/x.wav", "data/y.wav", "z.flac", "other/x.wav")
    listed = Microphones(positions=np.eye(4, 3), names=("a", "b", "c", "d"), files=files)
    return open_sound(np.zeros((4, 16_000), np.float32), 16_000.0, listed)


def test_names_of_the_field_are_those_of_the_list(folder):
    assert soundfix.read(folder / "scene.wav", folder / "microphones.csv").microphones.names == NAMES


def test_in_a_long_recording_of_the_field_windows_of_nothing_are_passed_over():
    """30 s of noise round two calls; every window is located where the array is a room's, or the recording short."""
    scene = calls()
    noise = 0.005 * np.random.default_rng(2).standard_normal((len(scene.audio), int(30 * RATE)))
    audio = np.concatenate([scene.audio, noise.astype(np.float32)], axis=1)
    near = scene.microphones.where(np.arange(8) < 7)
    found = soundfix.locate(audio[:7], RATE, near, **PLAIN)
    windows = round(36 / 0.5)
    assert {1.5, 4.0} <= {each.start_s for each in found.estimates}
    assert len(found.estimates) < 8
    assert found.passed_over == windows - len(found.estimates)
    assert f"{found.passed_over} windows were passed over: nothing stands out in them" in repr(found)
    assert found.to_dict()["passed_over"] == found.passed_over
    short = soundfix.locate(scene.audio[:7], RATE, near, **PLAIN)
    assert (len(short.estimates), short.passed_over) == (12, 0)
    assert "passed_over" not in short.to_dict()


def test_an_event_begins_only_while_nothing_stops_it(folder):
    sound = open_sound(folder / "scene.wav", None, folder / "microphones.csv")
    sound, listed = listed_events(sound, read_events(folder / "events.txt"), None)
    told = []
    summary = run(LocateRequest(sound=sound, events=listed, **PLAIN), told.append, stop=lambda: len(told) == 1)
    assert ([each.event.label for each in told], summary.interrupted) == (["call 0"], (1, 2))


def test_an_event_that_names_a_file_is_told_in_the_time_of_that_file(folder, tmp_path):
    """Recorders of two files in a row, the second from 3 s on; and a table that counts from the start of each file."""
    sound, _ = soundfile.read(folder / "scene.wav", always_2d=True)
    names = [line.split(",")[0] for line in (folder / "microphones.csv").read_text().splitlines()[1:]]
    (tmp_path / "m.csv").write_text((folder / "microphones.csv").read_text())
    for name, channel in zip(names, sound.T, strict=True):
        (tmp_path / "rec" / name).mkdir(parents=True)
        soundfile.write(tmp_path / "rec" / name / "20220620_110000.wav", channel[: 3 * int(RATE)], int(RATE))
        soundfile.write(tmp_path / "rec" / name / "20220620_110003.wav", channel[3 * int(RATE) :], int(RATE))
    rows = [
        f"/mnt/rec/{name}/20220620_11000{at}.wav,{start},{start + 0.3},1"
        for name in names[:5]
        for at, start in ((0, 1.5), (3, 1.0))
    ]
    (tmp_path / "d.csv").write_text("file,start_time,end_time,owl\n" + "\n".join(rows))
    found = soundfix.locate(tmp_path / "rec", microphones=tmp_path / "m.csv", events=tmp_path / "d.csv", **PLAIN)
    assert [(round(each.start_s, 6), round(each.end_s, 6)) for each in found.estimates] == [(1.5, 1.8), (4.0, 4.3)]
    assert [len(each.event.stations) for each in found.estimates] == [5, 5]
    for estimate, place in zip(found.estimates, PLACES.values(), strict=True):
        assert np.linalg.norm(estimate.sources[0].position_m - place) < 1.0  # m; without bands


def test_of_a_clip_that_begins_before_a_call_and_ends_after_it_the_call_is_heard(folder, tmp_path, monkeypatch):
    parts, hear = [], Session.hear_event

    def hears(self, part, *rest):
        parts.append((part.start_s, part.start_s + part.audio.shape[1] / part.sample_rate))
        return hear(self, part, *rest)

    monkeypatch.setattr(Session, "hear_event", hears)
    table, clips = tmp_path / "clips.txt", (folder / "events.txt").read_text()
    for start, end in (("1.5", "1.8"), ("4.0", "4.3")):
        clips = clips.replace(f"\t{start}\t{end}", f"\t{float(start) - 0.5}\t{float(end) + 0.7}")
    table.write_text(clips)
    found = located(folder, events=table)
    assert [each.start_s for each in found.estimates] == [1.0, 3.5]
    assert max(gaps(found)) < 0.5
    for (from_s, to_s), start_s in zip(parts, (1.5, 4.0), strict=True):
        assert start_s - 0.4 < from_s < start_s - 0.1
        assert start_s + 0.4 < to_s < start_s + 0.8


def test_rows_in_files_that_began_apart_are_one_event_where_the_recording_says_so(tmp_path):
    """Whatever their names tell: the same second of files that began a second apart is two, the same moment is one."""
    for name, at in (("a", "110000"), ("b", "110001"), ("c", "110000"), ("d", "110000")):
        soundfile.write(tmp_path / f"{name}_20220620_{at}.wav", np.ones(8000, np.float32) / 9, 1000)
    take = soundfix.read(sorted(tmp_path.glob("*.wav")), Microphones(positions=np.eye(4, 3), names=tuple("abcd")))
    rows = [
        event(start_s=5.0, end_s=6.0, stations=("x/a_20220620_110000.wav",), rows=(0,)),
        event(start_s=5.0, end_s=6.0, stations=("B_20220620_110001.flac",), rows=(1,)),
        event(start_s=4.2, end_s=5.0, stations=("b_20220620_110001.wav",), rows=(2,)),
    ]
    _, (first, second) = listed_events(take, of(*rows), None)
    assert (first.event.start_s, first.event.end_s, first.event.rows) == (5.0, 6.0, (0, 2))
    assert (second.event.start_s, second.event.end_s, second.event.rows) == (6.0, 7.0, (1,))
    assert first.is_listed.tolist() == [True, True, False, False]
