"""The service as its clients see it: what they ask is answered as the command would; what they must not ask is refused."""

import io
import json
import re
import threading
import time

import numpy as np
import pytest
import soundfile

import soundfix
from helpers.service import FAST, LIST, TALKER_M, in_this_process, instant, recording, running, sent, until
from soundfix.server import at_once
from soundfix.server.at_once import WARM_UP
from soundfix.server.limits import Limits
from soundfix.server.workers import Outcome


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service")) as client:
        until(lambda: client.get("/ready").status_code == 200, 120)
        yield client


@pytest.fixture
def take(tmp_path):
    return recording(tmp_path / "take.wav")


def test_a_recording_is_located_as_the_library_does(service, take, tmp_path):
    said = service.post("/locate", files=sent(take), data=FAST | {"temperature_c": 21})
    (tmp_path / "microphones.csv").write_text(LIST)
    located = soundfix.locate(take, microphones=tmp_path / "microphones.csv", temperature_c=21.0, method="srp-phat")
    assert said.status_code == 200
    assert said.json()["estimates"] == json.loads(json.dumps(located.to_dict()["estimates"]))
    place_m = said.json()["estimates"][0]["sources"][0]["position_m"]
    assert np.linalg.norm(np.subtract(place_m, TALKER_M)) < 0.05


def test_whoever_asks_learns_nothing_of_the_folders_of_the_service(service, take):
    text = service.post("/locate", files=sent(take), data=FAST).text
    assert json.loads(text)["request"]["audio"]["paths"] == ["take.wav"]
    assert "/jobs/" not in text
    broken = service.post("/locate", files=sent(take, listed="name,x\nm0,nowhere\n"), data=FAST)
    assert broken.status_code == 422
    assert broken.json()["detail"].startswith("microphones.csv")


@pytest.mark.parametrize(
    ("path", "data", "key"),
    [("/check", {"room": "0,0,0,5,4,3", "height_m": "1.3"}, "microphones"), ("/calibrate", {}, "microphones")],
)
def test_an_array_is_checked_and_calibrated(service, tmp_path, path, data, key):
    said = service.post(path, files=sent(recording(tmp_path / "take.wav", seconds=4.0)), data=data)
    assert said.status_code == 200, said.text
    assert len(said.json()[key]) == 6


def test_every_option_arrives(monkeypatch, tmp_path, take):
    data = {
        "method": "srp-phat", "window_s": 0.25, "hop_s": 0.1, "room": "0,0,0,6,5,3", "search": "1,1,0,2,2,2",
        "height_m": "1,2", "temperature_c": 5, "band_hz": "300,7000", "smooth": True, "tracks": True, "explain": True,
        "sound": True,
        "require": "20cm 95% minus 2", "position_sigma_m": 0.01, "clock_sigma_s": 1e-4, "speed_of_sound_m_s": 340,
        "wind_m_s": 3,
    }  # fmt: skip
    with instant(monkeypatch, tmp_path / "s") as service:
        options = service.post("/locate", files=sent(take), data=data).json()["options"]
    assert options.pop("room") == [[0, 0, 0], [6, 5, 3]]
    assert options.pop("search") == [[1, 1, 0], [2, 2, 2]]
    assert options.pop("height_m") == [1, 2]
    assert options.pop("band_hz") == [300, 7000]
    assert options == {name: data[name] for name in options}
    assert len(options) == len(data) - 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "gnn"}, {"method": "../x"}, {"checkpoint": "/etc/passwd"}, {"room": "1,2,3"}, {"window_s": "-1"},
        {"temperature_c": "nan"}, {"height_m": "a"}, {"band_hz": "1,2,3"}, {"microphone_set": "kept"},
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_before_a_job_begins(monkeypatch, tmp_path, take, wrong):
    with instant(monkeypatch, tmp_path / "s") as service:
        assert service.post("/locate", files=sent(take), data=wrong).status_code == 422
        assert service.post("/locate", files=sent(take)[:1]).status_code == 422
        assert not list((tmp_path / "s" / "jobs").glob("*"))


def test_who_does_not_wait_asks_again(service, take):
    begun = service.post("/locate?wait=0", files=sent(take), data=FAST)
    assert begun.status_code == 202
    job = begun.headers["location"]
    until(lambda: service.get(job).json()["state"] == "done")
    said = service.get(job).json()
    assert (said["progress"], said["kind"], said["detail"]) == (1.0, "locate", "")
    assert service.get(said["result"]).json()["estimates"]
    assert service.delete(job).status_code == 204
    assert service.get(job).status_code == service.get(said["result"]).status_code == 404


def test_a_job_says_how_far_it_is(monkeypatch, tmp_path, take):
    def half(kind, folder, options, tell, is_cancelled):
        tell("progress", 0.5)
        until(is_cancelled)
        return Outcome(status=410)

    with instant(monkeypatch, tmp_path / "s", half) as service:
        job = service.post("/locate?wait=0", files=sent(take)).headers["location"]
        until(lambda: service.get(job).json()["progress"] == 0.5)
        assert service.get(job).json()["state"] == "running"
        assert service.get(f"{job}/result").status_code == 202


def test_estimates_are_there_before_all_are(monkeypatch, tmp_path, take):
    def two(kind, folder, options, tell, is_cancelled):
        tell("estimate", '{"start_s": 0}')
        tell("estimate", '{"start_s": 1}')
        until(is_cancelled)
        return Outcome(status=410)

    with instant(monkeypatch, tmp_path / "s", two) as service:
        job = service.post("/locate?wait=0", files=sent(take)).headers["location"]
        until(lambda: len(service.get(f"{job}/estimates").json()["estimates"]) == 2)
        said = service.get(f"{job}/estimates?after=1").json()
        assert said == {"state": "running", "progress": 0.0, "sound": False, "estimates": [{"start_s": 1}]}
        service.delete(job)
        until(lambda: service.get("/ready").json()["jobs"] == 0)
        assert service.get(f"{job}/estimates").status_code == 404


def test_when_a_job_has_ended_its_estimates_are_in_its_document(service, take):
    job = service.post("/locate", files=sent(take), data=FAST).headers["location"]
    assert service.get(f"{job}/estimates").json() == {
        "state": "done",
        "progress": 1.0,
        "sound": False,
        "estimates": [],
    }
    assert service.get(f"{job}/sound").status_code == 404


def test_what_was_heard_is_there_for_who_asked_for_it(service, take):
    job = service.post("/locate", files=sent(take), data=FAST | {"sound": "true"}).headers["location"]
    assert service.get(f"{job}/estimates").json()["sound"]
    heard, rate = soundfile.read(io.BytesIO(service.get(f"{job}/sound").content))
    given, _ = soundfile.read(take)
    assert rate == 16000
    np.testing.assert_allclose(heard, given, atol=1e-6)
    service.delete(job)
    assert service.get(f"{job}/sound").status_code == 404


@pytest.mark.parametrize("path", ["/window", "/likelihood", "/plan"])
def test_a_short_question_is_answered_and_forgotten(monkeypatch, tmp_path, take, path):
    data = {"room": "0,0,0,6,5,3", "position_sigma_m": 0.01}
    with instant(monkeypatch, tmp_path / "s") as service:
        files = sent(take) if path != "/plan" else sent(take)[1:]
        monkeypatch.setattr(
            "helpers.service.Instant.do", lambda self, kind, folder, options, **_: told(kind, folder, options)
        )
        said = service.post(path, files=files, data=data)
        assert said.status_code == 200
        assert said.json()["kind"] == path[1:]
        assert said.json()["options"]["position_sigma_m"] == 0.01
        assert service.get("/ready").json()["jobs"] == 0
        assert service.post(path, files=files, data={"smooth": "true"}).status_code == 422
        assert service.post(path, files=[("audio", files[0][1])]).status_code == 422
        monkeypatch.setattr("helpers.service.Instant.do", lambda *_, **__: Outcome(status=422, sentence="no"))
        assert (service.post(path, files=files).status_code, service.post(path, files=files).json()) == (
            422,
            {"detail": "no"},
        )


def told(kind, folder, options):
    return Outcome(document=json.dumps({"kind": kind, "options": options}))


def test_a_window_is_located_by_the_service(service, take):
    estimate = service.post("/window", files=sent(take), data=FAST).json()["estimate"]
    assert np.linalg.norm(np.subtract(estimate["sources"][0]["position_m"], TALKER_M)) < 0.05
    service.put("/microphones/hall", files={"file": ("hall.csv", LIST)})
    plan = service.post("/plan", data={"microphone_set": "hall", "room": "0,0,0,5,4,3"}).json()
    assert plan["predicted_error"]["median_m"] < 0.1


def test_lists_are_kept_and_used_by_name(monkeypatch, tmp_path, take):
    with instant(monkeypatch, tmp_path / "s") as service:
        assert service.put("/microphones/hall", files={"file": ("hall.csv", LIST)}).status_code == 204
        assert service.get("/microphones").json() == ["hall"]
        asked = {"files": sent(take)[:1], "data": {"microphone_set": "hall"}}
        assert service.post("/locate", **asked).status_code == 200
        assert service.delete("/microphones/hall").status_code == 204
        assert service.delete("/microphones/hall").status_code == service.post("/locate", **asked).status_code == 404
        assert service.put("/microphones/a", files={"file": ("a.csv", b"\xff\xfe")}).status_code == 422
        assert service.put("/microphones/a", files={"file": ("a.csv", b"x" * (2**20 + 1))}).status_code == 413


def test_a_kept_list_is_what_the_worker_reads(service, take):
    service.put("/microphones/hall", files={"file": ("hall.csv", LIST)})
    said = service.post("/locate", files=sent(take)[:1], data=FAST | {"microphone_set": "hall"})
    assert len(said.json()["summary"]["microphones"]) == 6


def test_with_a_token_only_who_shows_it(monkeypatch, tmp_path):
    with instant(monkeypatch, tmp_path, token="very secret") as service:
        assert service.get("/health").status_code == 200
        assert service.get("/methods").status_code == 401
        assert service.get("/methods", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert service.get("/methods", headers={"Authorization": "Bearer very secret"}).status_code == 200


def test_methods_are_those_that_need_no_file(monkeypatch, tmp_path):
    with instant(monkeypatch, tmp_path) as service:
        said = service.get("/methods").json()
    assert [each["name"] for each in said if each["is_default"]] == ["three-stream"]
    assert "srp-phat" in {each["name"] for each in said}
    assert "gnn" not in {each["name"] for each in said}


def test_readiness_and_metrics(monkeypatch, tmp_path, take):
    with instant(monkeypatch, tmp_path) as service:
        until(lambda: service.get("/ready").status_code == 200)
        service.post("/locate", files=sent(take))
        counted = service.get("/metrics").text
        assert re.search(r'soundfix_requests_total\{path="/locate",status="200"\} [1-9]', counted)
        assert re.search(r'soundfix_jobs_ended_total\{kind="locate",status="200"\} [1-9]', counted)
        assert "soundfix_jobs_waiting 0.0" in counted
        service.app.state.jobs.workers[0].stop()
        refused = service.get("/ready")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")


def test_too_many_jobs_are_told_to_come_again(monkeypatch, tmp_path, take):
    def waits(kind, folder, options, tell, is_cancelled):
        until(is_cancelled)
        return Outcome(status=410)

    for limits, status in ((Limits(waiting=1), 503), (Limits(a_client=1), 429)):
        with instant(monkeypatch, tmp_path / str(status), waits, limits=limits) as service:
            assert service.post("/locate?wait=0", files=sent(take)).status_code == 202
            refused = service.post("/locate?wait=0", files=sent(take))
            assert (refused.status_code, refused.headers["retry-after"]) == (status, "10")


def test_a_recording_that_is_too_long_is_refused(monkeypatch, tmp_path, take):
    limits = Limits(sound_s=0.5)
    with instant(monkeypatch, tmp_path / "s", in_this_process(limits), limits=limits) as service:
        refused = service.post("/locate?wait=120", files=sent(take), data=FAST)
        assert (refused.status_code, refused.json()["detail"]) == (
            413, "1 s of sound, 0 s at most: cut the recording into pieces"
        )  # fmt: skip


def test_nothing_is_said_after_its_end(monkeypatch, tmp_path, take, capsys):
    """Though the second process was starting, and went on for longer than the first wait for it."""
    monkeypatch.setattr(at_once, "STOP_S", 0.05)
    begun = []

    def slow(kind, folder, options, tell, is_cancelled):
        if options == WARM_UP:
            begun.append(True)
            until(is_cancelled)
            time.sleep(0.4)
        return Outcome(document="{}")

    with instant(monkeypatch, tmp_path / "s", slow) as service:
        service.post("/locate", files=sent(take))
        until(lambda: begun)
    assert not [thread.name for thread in threading.enumerate() if "_start_second" in thread.name]
    assert "at once" not in capsys.readouterr().err
