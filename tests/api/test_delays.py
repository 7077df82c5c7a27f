"""`soundfix.locate_delays`: tables in, what `locate` gives out; signs and units are looked at."""

import json

import jsonschema
import numpy as np
import pytest
from scipy.optimize import least_squares

import soundfix
from helpers.tables import HEIGHT_M, playback, write_table
from soundfix.api.delays import DelaysRequest, notes, run
from soundfix.delays import Delays, arrivals
from soundfix.errors import SceneError
from soundfix.microphones import Microphones
from soundfix.physics import SPEED_OF_SOUND_M_S, speed_of_sound
from soundfix.report.exports import locate_schema


def errors_m(located, sources):
    return [
        float(np.linalg.norm(estimate.sources[0].position_m - source))
        for estimate, source in zip(located.estimates, sources, strict=True)
    ]


def plain(times_s, positions):
    """Least squares from the middle."""

    def misfit(unknowns):
        place = [*unknowns[:2], HEIGHT_M]
        return SPEED_OF_SOUND_M_S * times_s - np.linalg.norm(positions - place, axis=1) - unknowns[2]

    return np.append(least_squares(misfit, [150, 150, 300]).x[:2], HEIGHT_M)


def test_places_of_twenty_playbacks_where_least_squares_is_metres_off():
    positions, sources, times_s, _ = playback(11)
    off = errors_m(soundfix.locate_delays(times_s, positions, height_m=HEIGHT_M), sources)
    by_squares = [
        np.linalg.norm(plain(times, positions) - source) for times, source in zip(times_s, sources, strict=True)
    ]
    assert np.median(off) <= 0.25
    assert max(off) < 1.0
    assert np.median(by_squares) > 1.0


def test_a_table_on_disk_and_arrays_say_the_same(tmp_path):
    positions, _, times_s, _ = playback(12, places=2, recorders=8)
    names = [f"R{m}" for m in range(8)]
    microphones = Microphones(positions=positions, names=tuple(names))
    rows = [(f"song {e}", *times) for e, times in enumerate(times_s.tolist())]
    path = write_table(tmp_path / "t.csv", ",".join(["event", *names]), rows)
    of_file, of_array = (soundfix.locate_delays(each, microphones) for each in (path, times_s))
    assert [each.event.label for each in of_file.estimates] == ["song 0", "song 1"]
    for one, other in zip(of_file.estimates, of_array.estimates, strict=True):
        assert np.array_equal(one.sources[0].position_m, other.sources[0].position_m)


def test_results_are_written_and_shown(tmp_path):
    positions, _, times_s, _ = playback(13, places=3)
    located = soundfix.locate_delays(times_s, positions, height_m=HEIGHT_M)
    located.to_json(tmp_path / "a.json")
    written = json.loads((tmp_path / "a.json").read_text())
    jsonschema.validate(written, locate_schema())
    assert [each["event"]["label"] for each in written["estimates"]] == ["event1", "event2", "event3"]
    assert located.to_dataframe()["event"].tolist() == ["event1", "event2", "event3"]
    assert "event2  degraded" in repr(located)
    assert located.method == "delays"


def test_the_opposite_sign_is_noticed():
    positions, _, times_s, _ = playback(14, wrong=0.0, places=4)
    assert soundfix.locate_delays(times_s, positions).notes == ()
    (note,) = soundfix.locate_delays(-times_s, positions).notes
    assert note.startswith("With the opposite sign 100 delays agree")


@pytest.mark.parametrize(("as_they_are", "is_told"), [(1, True), (2, False)])
def test_the_opposite_sign_of_some_events_only(as_they_are, is_told):
    positions, _, times_s, _ = playback(14, wrong=0.0, places=5)
    times_s[as_they_are:] *= -1
    assert bool(soundfix.locate_delays(times_s, positions).notes) == is_told


def test_delays_in_milliseconds_are_refused():
    positions, _, times_s, _ = playback(15, places=2)
    with pytest.raises(SceneError, match="are they in milliseconds"):
        soundfix.locate_delays(1e3 * times_s, positions)


def test_one_event_of_wild_delays_ends_nothing():
    positions, _, times_s, _ = playback(16, places=2)
    times_s[0] *= 1e3
    first, second = soundfix.locate_delays(times_s, positions).estimates
    assert first.verdict == "abstain"
    assert second.sources


def test_the_temperature_counts():
    positions, sources, times_s, _ = playback(17, wrong=0.0, places=5, sigma_s=1e-5)
    colder_s = times_s * SPEED_OF_SOUND_M_S / speed_of_sound(0.0)
    located = soundfix.locate_delays(colder_s, positions, height_m=HEIGHT_M, temperature_c=0.0)
    assert np.median(errors_m(located, sources)) < 0.05
    assert located.speed_m_s == speed_of_sound(0.0)
    assert np.median(errors_m(soundfix.locate_delays(colder_s, positions, height_m=HEIGHT_M), sources)) > 0.05


def test_a_recorder_that_is_always_wrong_is_bad():
    positions, _, times_s, _ = playback(18, wrong=0.0, places=6)
    times_s[:, 4] += 0.1
    times_s[0, 7] += 0.1
    located = soundfix.locate_delays(times_s, positions, height_m=HEIGHT_M)
    assert [report.name for report in located.microphones if report.status != "ok"] == ["mic5"]
    assert located.microphones[4].pull_m == pytest.approx(0.1 * SPEED_OF_SOUND_M_S, abs=0.5)


def test_a_recorder_that_is_wrong_now_and_then_is_not():
    """Twice, or in three of seven."""
    positions, _, times_s, _ = playback(21, wrong=0.0, places=7)
    times_s[:3, 4] += 0.1
    times_s[:2, 7] += 0.1
    times_s[2:, 7] = np.nan
    located = soundfix.locate_delays(times_s, positions, height_m=HEIGHT_M)
    assert "excluded:mic5" in located.estimates[0].reasons
    assert {report.status for report in located.microphones} == {"ok"}


def test_a_request_is_a_value():
    positions, _, times_s, _ = playback(19, wrong=0.0, places=1)
    request = DelaysRequest(events=arrivals(times_s), microphones=Microphones(positions=positions))
    assert notes(request) == ()
    with pytest.raises(SceneError, match="speed of sound 20 m/s"):
        DelaysRequest(events=request.events, microphones=request.microphones, speed_of_sound_m_s=20.0)


def test_delays_one_by_one_and_what_is_no_table():
    positions, sources, times_s, _ = playback(20, wrong=0.0, places=1)
    told = Delays(
        label="a", first=np.arange(1, 25), second=np.zeros(24, dtype=int), delay_s=times_s[0, 1:] - times_s[0, 0]
    )
    assert errors_m(soundfix.locate_delays([told], positions, height_m=HEIGHT_M), sources)[0] < 0.5
    with pytest.raises(SceneError, match=r"delays have shape \(25,\), wanted \(sounds, 25\)"):
        soundfix.locate_delays(times_s[0], positions)


def test_an_event_begins_only_while_nothing_stops_it():
    positions, _, times_s, _ = playback(12, places=3, recorders=8)
    request = DelaysRequest(events=arrivals(times_s), microphones=Microphones(positions=positions))
    told = []
    assert run(request, told.append, stop=lambda: len(told) == 1).interrupted == (1, 3)
    assert run(request, told.append).interrupted is None
    assert len(told) == 1 + 3


def test_regions_are_larger_in_the_wind():
    positions, _, times_s, _ = playback(22, wrong=0.0, places=3, recorders=10)
    still, windy = (
        [each.sources[0].radius90_m for each in soundfix.locate_delays(times_s, positions, wind_m_s=wind_m_s).estimates]
        for wind_m_s in (None, 5.0)
    )
    assert all(larger > 1.3 * usual for usual, larger in zip(still, windy, strict=True))
    with pytest.raises(SceneError, match="was it given in km/h"):
        soundfix.locate_delays(times_s, positions, wind_m_s=50.0)
