"""Evaluating: conditions are nested, windows the same for all, a run goes on where it was, tables say what rows say."""

import csv
import json
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from helpers.clips import Clips
from soundfix.datasets.benchmark import Benchmark, Part, Wanted
from soundfix.errors import ConfigError, OutputError
from soundfix.estimate import Estimate, Source
from soundfix.evaluation.conditions import Condition, Grid, spread, windows_of
from soundfix.evaluation.request import Request
from soundfix.evaluation.request import run as run_request
from soundfix.evaluation.rows import RowFile
from soundfix.evaluation.run import Job, Method, Plan, evaluate
from soundfix.evaluation.tables import lines_of, markdown
from soundfix.methods.srp_phat import SrpPhat
from soundfix.microphones import Microphones
from soundfix.networks.checkpoint import PACKAGED

KEY = (3, 5)
ASKED = Request(
    dataset="luvira-twin", methods="srp-phat,multilateration", microphones="6,4", subsets="spread", windows="0.128,0.25",
    unknown="0", sources="1", faults="none", clips=3, root=None, audio=(), seed=1, workers=1,
)  # fmt: skip


@pytest.fixture
def scene():
    return Clips()[0]


def windows(scene, **varied):
    return list(windows_of(scene, Grid(**varied), KEY))


@pytest.mark.parametrize("subsets", ["first", "spread", "random"])
def test_fewer_microphones_are_among_more(scene, subsets):
    heard = [set(w.microphones.names) for _, w in windows(scene, microphones=(4, 3, 2), subsets=subsets)]
    assert [len(names) for names in heard] == [4, 3, 2]
    assert heard[0] > heard[1] > heard[2]


def test_all_windows_of_a_clip_have_one_middle(scene):
    found = windows(scene, windows_s=(0.05, 0.1, 0.2), microphones=(4,))
    middles = [w.start_s + w.duration_s / 2 for _, w in found]
    assert middles == pytest.approx([middles[0]] * 3, abs=1e-3)
    assert [w.duration_s for _, w in found] == pytest.approx([0.05, 0.1, 0.2])


def test_what_is_broken_is_broken_in_the_window(scene):
    grid = Grid(microphones=(4,), faults=("nan:2",), windows_s=(0.05,))
    for seed in range(5):
        ((_, window),) = windows_of(scene, grid, (seed, 0))
        assert (~np.isfinite(window.audio).all(axis=1)).sum() == 2


def test_who_comes_late_is_heard_from_before(scene):
    """No silence at the start of the window: the sound before it has come by then."""
    both = windows(scene, microphones=(4,), faults=("none", "late:1"), windows_s=(0.05,))
    clean, late = (window.audio for _, window in both)
    changed = (clean != late).any(axis=1)
    assert changed.sum() == 1
    assert late[changed][0, :16].any()


def test_more_microphones_than_there_are(tmp_path):
    plan = Plan(dataset="luvira-twin", methods=(Method(name="srp-phat"),), grid=Grid(microphones=(11, 12)))
    with pytest.raises(ConfigError, match="12 microphones were asked for, and luvira-twin has 11"):
        evaluate(plan, tmp_path)


def test_a_method_takes_its_beats_along(tmp_path, monkeypatch):
    given = {}
    monkeypatch.setattr("soundfix.evaluation.run.load", lambda name, **options: given.update(options) or SrpPhat())
    (tmp_path / "beats.pt").write_bytes(b"beats")
    method = Method(name="three-stream-paper", checkpoint=tmp_path / "net", beats=tmp_path / "beats.pt")
    method.load()
    assert given == {"checkpoint": tmp_path / "net", "beats": tmp_path / "beats.pt"}


def test_unknown_positions_and_faults_are_nested(scene):
    found = windows(scene, microphones=(4,), unknown=(0, 1, 2), windows_s=(0.1,))
    hidden = [set(np.flatnonzero(~w.microphones.is_known).tolist()) for _, w in found]
    assert [len(each) for each in hidden] == [0, 1, 2]
    assert hidden[1] < hidden[2]
    faults = [
        set(w.truth.faults)
        for _, w in windows(scene, microphones=(4,), faults=("none", "dead", "dead:3"), windows_s=(0.1,))
    ]
    assert [len(each) for each in faults] == [0, 1, 3]
    assert faults[1] < faults[2]


def test_windows_longer_than_the_clip(scene):
    with pytest.raises(ConfigError, match=r"windows of 2 s from clips of 0.5 s: too long"):
        windows(scene, windows_s=(0.1, 2.0), microphones=(4,))


def test_the_same_key_gives_the_same_windows(scene):
    one, same = (
        [w.audio for _, w in windows(scene, subsets="random", faults=("noisy",), microphones=(3,))] for _ in "ab"
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))


def test_clips_with_too_few_microphones_are_left_out(scene):
    assert [c.microphones for c, _ in windows(scene, microphones=(11, 4))] == [4]


def test_spread_begins_with_the_two_furthest_apart(scene):
    """On a line at 0, 1, 5, 10 and 4: the ends, then 5 or 4, ... worked out by hand; unknown ones come last."""
    places = np.array([[0.0, 0, 0], [1, 0, 0], [5, 0, 0], [10, 0, 0], [4, 0, 0], [np.nan] * 3])
    line = replace(
        scene, audio=np.zeros((6, 8000)), microphones=Microphones(positions=places), is_trusted=np.ones(6, bool)
    )
    assert spread(line, np.random.default_rng(0)).tolist() == [0, 3, 2, 1, 4, 5]


@pytest.mark.parametrize(
    ("varied", "message"),
    [
        ({"microphones": 1}, "wanted two microphones or more"),
        ({"microphones": 3, "unknown": 4}, "4 unknown and 0 none of 3"),
        ({"microphones": 3, "fault": "dead:4"}, "0 unknown and 4 dead of 3"),
        ({"microphones": 3, "fault": "rusty"}, "wanted none, or KIND"),
        ({"microphones": 3, "fault": "dead:x"}, "wanted none, or KIND"),
    ],
)
def test_conditions_that_cannot_be(varied, message):
    with pytest.raises(ConfigError, match=message):
        Condition(window_s=0.5, **varied)


class Oracle:
    """Says a place 10 cm beside the one it was told."""

    name = "oracle"

    def __init__(self, place):
        self.place = place

    def locate(self, scene):
        assert scene.truth is None
        said = Source(
            position_m=self.place + np.array([0.0, 0.1, 0.0]),
            covariance_m2=0.01 * np.eye(3),
            radius90_m=0.25,
            score=1.0,
        )
        return Estimate(method="oracle", start_s=0.0, end_s=1.0, verdict="ok", sources=(said,))


def test_a_row_says_what_was_said(scene):
    place = scene.truth.sources[0]
    data = Benchmark(name="clips", parts=(Part(labels={"sound": "noise"}, data=Clips()),), clips=2)
    job = Job(data=data, grid=Grid(microphones=(4, 3)), methods=[("it", Oracle(place))], seed=0, sources=1)
    clip, rows = job(0)
    assert (clip, len(rows)) == (0, 2)
    assert rows[0].score.error_m == pytest.approx(0.1)
    assert rows[0].score.covered == 1.0
    assert (rows[0].method, rows[0].labels, rows[1].microphones) == ("it", {"sound": "noise"}, 3)
    assert rows[0].true_m == [place.tolist()]


def without_times(rows):
    """As text: a share of nothing is NaN, which is not equal to itself."""
    return [str(replace(row, seconds=0.0)) for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A small evaluation, start to end: its folder, its rows."""
    out = tmp_path_factory.mktemp("whole")
    run_request(ASKED, out, lambda count: None)
    return out, RowFile(out / "windows.jsonl").read()


def test_interrupted_and_gone_on_with_is_the_same(tmp_path, whole):
    done = []

    def stop_after_two(count):
        done.append(count)
        if sum(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(ASKED.plan(), tmp_path, progress=stop_after_two)
    with (tmp_path / "windows.jsonl").open("a") as file:
        file.write('{"clip": 2, "labels"')
    counts = []
    rows = evaluate(ASKED.plan(), tmp_path, progress=counts.append)
    assert counts == [2, 1]
    assert without_times(rows) == without_times(whole[1])
    assert without_times(RowFile(tmp_path / "windows.jsonl").read()) == without_times(rows)


def test_two_workers_say_the_same_as_one(tmp_path, whole):
    rows = evaluate(replace(ASKED, workers=2).plan(), tmp_path)
    assert without_times(rows) == without_times(whole[1])


def test_another_evaluation_in_the_folder_is_refused(whole):
    with pytest.raises(OutputError, match="holds another evaluation: its methods is"):
        evaluate(replace(ASKED, methods="multilat").plan(), whole[0])


def test_the_report_says_what_the_rows_say(whole):
    out, rows = whole
    assert {path.name for path in out.iterdir()} == {
        "windows.jsonl", "manifest.json", "table.md", "summary.csv", "errors.png", "microphones.png", "map.png",
    }  # fmt: skip
    with (out / "summary.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    line = next(
        row for row in table if row["part"] == "all" and row["microphones"] == "4" and row["window_s"] == "0.25"
    )
    errors = [row.score.error_m for row in rows if (row.microphones, row.window_s, row.method) == (4, 0.25, "srp-phat")]
    assert len(errors) == int(line["windows"]) == 3
    assert float(line["mae_m"]) == pytest.approx(np.mean(errors))
    assert f"{100 * np.mean(errors):.1f} (" in (out / "table.md").read_text()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["plan"]["wanted"]["clips"] == 3
    assert set(manifest["versions"]) >= {"soundfix", "torch"}
    assert manifest["seconds"] > 0


def test_parts_have_tables_of_their_own(whole):
    text = markdown("it", lines_of(whole[1]))
    assert "## Everything" in text
    assert "## Noise: 15 dB" in text
    assert "### 6 microphones, 0.128 s: 3 windows" in text


def test_methods_with_weights_and_labels(tmp_path):
    assert Method.parsed("srp-phat") == Method(name="srp-phat", label="srp-phat")
    (tmp_path / "w").write_bytes(b"weights")
    mine = Method.parsed(f"mine:three-stream={tmp_path / 'w'}")
    assert (mine.label, mine.name, mine.checkpoint) == ("mine", "three-stream", tmp_path / "w")
    assert mine.describe()["checkpoint"].startswith("9a129038")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": "srp-phat,srp-phat"}, "two have one name; give labels"),
        ({"windows": "0.5,long"}, "--windows '0.5,long': wanted numbers"),
        ({"subsets": "best"}, "subsets 'best': wanted first, spread, random"),
        ({"unknown": "7"}, "7 unknown and 0 none of 6"),
    ],
)
def test_words_that_are_wrong(changes, message):
    with pytest.raises(ConfigError, match=message):
        replace(ASKED, **changes).plan()


def test_longer_windows_have_longer_clips():
    assert replace(ASKED, windows="0.5,1.5").plan().wanted.clip_s == 3.0
    assert Plan(dataset="luvira-twin", methods=(), wanted=Wanted()).wanted.clip_s == 2.0


def test_a_manifest_names_the_packaged_weights_too():
    assert Method(name="three-stream").describe()["checkpoint"] == sha256(PACKAGED.read_bytes()).hexdigest()
    assert Method(name="srp-phat").describe()["checkpoint"] is None
