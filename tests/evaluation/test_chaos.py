"""Chaos breaks by seed, says honestly what a method made of it, and takes methods of anyone's making."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from helpers.scenes import anechoic_scene
from soundfix.errors import SceneError
from soundfix.estimate import Estimate, Finding, MicrophoneReport, Source
from soundfix.evaluation.chaos import (
    EXPECTED,
    MIX,
    PAIRED,
    ChaosRequest,
    attempt,
    attempts,
    chaos,
    draw_kinds,
    hear_clean,
    labels,
    plan,
)
from soundfix.evaluation.chaos_report import FILES, as_dict, describe_clean, lines_of, markdown, typical
from soundfix.files.scenes import write_scene
from soundfix.methods.srp_phat import SrpPhat
from soundfix.microphones import Microphones
from soundfix.scene import Scene, Truth
from soundfix.simulation.faults import KINDS
from soundfix.testing import SOURCE, contract_scene, load_checked

SECONDS, WINDOWS = 2.0, 4


@pytest.fixture(scope="module")
def scene():
    """Two seconds from one point, with its truth; nine microphones."""
    return replace(contract_scene(9, seconds=SECONDS), truth=Truth(sources=SOURCE[None]))


@pytest.fixture(scope="module")
def clean(scene):
    return hear_clean(scene, SrpPhat())


@dataclass(frozen=True)
class Accuser:
    """Says in every window where the source is, that some microphones are dead, and by a reason something of others."""

    accused: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()
    name: str = "accuser"

    def locate(self, scene: Scene) -> Estimate:
        source = Source(position_m=SOURCE, covariance_m2=1e-4 * np.eye(3), radius90_m=0.025, score=1.0)
        end_s = scene.start_s + scene.duration_s
        reports = tuple(
            MicrophoneReport(name=name, status="dead" if name in self.accused else "ok", weight=1.0, position_m=None)
            for name in scene.microphones.names
        )
        findings = tuple(Finding(f"noise:{name}", "") for name in self.mentioned)
        return Estimate(
            method=self.name, start_s=scene.start_s, end_s=end_s, verdict="ok", findings=findings, sources=(source,),
            microphones=reports,
        )  # fmt: skip


class Feet(SrpPhat):
    """Refuses a recording in which a microphone is silent."""

    def locate(self, scene: Scene) -> Estimate:
        if not scene.audio.any(axis=1).all():
            raise SceneError("were they given in feet?")
        return super().locate(scene)


def tried(clean, kind, number=0, broken=1):
    rng = np.random.default_rng(number)
    return attempt(clean, [kind] * broken, rng, label=kind)


def test_every_kind_has_an_expectation():
    assert list(EXPECTED) == list(KINDS)


def test_the_clean_recording_is_answered_and_accuses_nobody(clean):
    assert clean.is_true
    assert clean.alarms == ()
    assert clean.heard.verdicts == ("ok",) * WINDOWS
    assert clean.errors_m(clean.heard) == pytest.approx(np.zeros(WINDOWS), abs=0.02)


@pytest.mark.parametrize("kind", ["dead", "nan", "inverted", "cut", "unknown", "moved", "relisted"])
def test_what_is_broken_is_found_and_named(clean, kind):
    done = tried(clean, kind)
    assert (done.is_found, done.is_named, done.alarms) == (True, True, ())
    assert np.median(done.after_m) < 0.02


@pytest.mark.parametrize("kind", ["gain", "dc"])
def test_what_is_mended_is_right_when_nobody_is_accused(clean, kind):
    done = tried(clean, kind)
    assert (done.is_named, done.alarms) == (True, ())
    assert done.after_m == pytest.approx(done.before_m, abs=1e-3)


def test_errors_are_those_of_the_broken_recording(clean):
    """Sources that were elsewhere by 30 cm: all errors say so, before and after."""
    aside = replace(clean, sources_m=clean.sources_m + np.array([0.0, 0.0, 0.3]))
    done = tried(aside, "dead", broken=4)
    assert len(set(done.microphones)) == 4
    assert done.before_m == pytest.approx(np.full(WINDOWS, 0.3), abs=0.02)
    assert done.after_m == pytest.approx(np.full(WINDOWS, 0.3), abs=0.02)
    assert not np.array_equal(done.before_m, done.after_m)


def test_the_nearest_of_several_sources_counts(clean):
    both = np.concatenate([clean.sources_m + 1.0, clean.sources_m], axis=1)
    assert np.array_equal(replace(clean, sources_m=both).errors_m(clean.heard), clean.errors_m(clean.heard))
    unseen = replace(clean, sources_m=np.full_like(both, np.nan))
    assert np.isnan(unseen.errors_m(clean.heard)).all()


def accusing(clean, *, accused=(), mentioned=()):
    """The same recording for a method that accuses these, whatever is broken."""
    return replace(clean, localizer=Accuser(accused, mentioned))


@pytest.mark.parametrize(
    ("kind", "says", "found", "named", "alarms"),
    [
        ("late", {}, False, False, 0),
        ("late", {"accused": "it"}, True, True, 0),
        ("late", {"mentioned": "it"}, True, False, 0),
        ("late", {"accused": "another"}, False, False, 1),
        ("late", {"accused": "both"}, True, False, 1),
        ("nan", {"mentioned": "it"}, True, True, 0),
        ("nan", {"mentioned": "another"}, False, False, 0),
        ("gain", {}, False, True, 0),
        ("gain", {"accused": "it"}, True, False, 1),
    ],
)
def test_found_named_and_false_alarms(scene, clean, kind, says, found, named, alarms):
    guilty = tried(accusing(clean), kind).microphones[0]
    other = next(name for name in scene.microphones.names if name != guilty)
    who = {"it": (guilty,), "another": (other,), "both": (guilty, other)}
    done = tried(accusing(clean, **{how: who[word] for how, word in says.items()}), kind)
    assert (done.is_found, done.is_named, len(done.alarms)) == (found, named, alarms)


@pytest.mark.parametrize("kind", PAIRED)
def test_partners_are_broken_too(clean, kind):
    pair = tried(accusing(clean), kind).microphones
    assert len(set(pair)) == 2
    assert tried(accusing(clean, accused=pair), kind).is_named
    assert not tried(accusing(clean, accused=pair[:1]), kind).is_named


def test_microphones_without_a_position_are_no_false_alarm_and_do_not_break(scene):
    positions = scene.microphones.border_positions()
    positions[3] = np.nan
    clean = hear_clean(replace(scene, microphones=Microphones(positions=positions)), SrpPhat())
    assert clean.alarms == ()
    done = [tried(clean, "dead", number) for number in range(4)]
    assert all(one.is_named and not one.alarms and one.microphones != ("mic4",) for one in done)


def test_the_seed_decides_whatever_else_is_tried(clean):
    options = {"broken": 1, "tries": 2, "seed": 3}
    alone = list(attempts(clean, ChaosRequest(kinds=["late"], **options)))
    beside = [one for one in attempts(clean, ChaosRequest(kinds=["dead", "late"], **options)) if one.label == "late"]
    other = list(attempts(clean, ChaosRequest(kinds=["late"], tries=2, seed=4)))
    assert [one.microphones for one in alone] == [one.microphones for one in beside]
    assert all(np.array_equal(a.after_m, b.after_m) for a, b in zip(alone, beside, strict=True))
    assert [one.microphones for one in alone] != [one.microphones for one in other]


def test_several_broken_ones_are_mixed_too(scene):
    assert labels(["late", "dead", "late"], 1) == ("late", "dead")
    done = list(chaos(scene, SrpPhat(), kinds=["dead", "nan"], broken=2, tries=1))
    assert [one.label for one in done] == ["dead", "nan", MIX]
    assert sorted(done[2].kinds) == ["dead", "nan"]
    assert all(len(one.microphones) == 2 and one.is_named for one in done)


def test_plans_never_break_a_microphone_twice(scene, rng):
    for _ in range(20):
        faults = plan(scene, ["swapped", "late", "copied", "relisted"], rng)
        partners = [scene.microphones.names[int(f.amount) - 1] for f in faults if f.amount]
        touched = [*(fault.microphone for fault in faults), *partners]
        assert len(set(touched)) == len(touched) == 7


@pytest.mark.parametrize(
    ("kinds", "broken", "count"), [(["late"], 3, 3), (["swapped"], 1, 1), (["swapped"], 2, 1), (["swapped"], 3, 2)]
)
def test_kinds_break_as_many_microphones_as_wanted(rng, kinds, broken, count):
    assert draw_kinds(kinds, broken, rng) == kinds * count


def test_kinds_of_a_mix_differ_and_never_break_more_than_wanted(rng):
    for _ in range(50):
        kinds = draw_kinds(list(KINDS), 3, rng)
        assert len(set(kinds)) == len(kinds)
        assert sum(1 + (kind in PAIRED) for kind in kinds) == 3
    assert sorted(set(draw_kinds(["late", "moved"], 4, rng))) == ["late", "moved"]


def test_a_plan_needs_microphones(scene, rng):
    with pytest.raises(SceneError, match="break 10 microphones, and 9 are of known position"):
        plan(scene, ["swapped"] * 5, rng)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"broken": 5}, "wanted 1 to 4; where most are broken, nobody can say which"),
        ({"kinds": ["rusty"]}, "no fault is called 'rusty'; there are dead"),
    ],
)
def test_what_cannot_be_tried_is_refused(scene, options, message):
    with pytest.raises(SceneError, match=message):
        list(chaos(scene, SrpPhat(), tries=1, **options))


def test_a_recording_shorter_than_a_window_is_refused():
    with pytest.raises(SceneError, match="wanted at least a window"):
        hear_clean(contract_scene(8, seconds=0.4), SrpPhat())


def test_without_a_truth_errors_are_from_the_clean_answers(scene):
    clean = hear_clean(replace(scene, truth=None), SrpPhat())
    assert not clean.is_true
    assert not clean.errors_m(clean.heard).any()
    done = tried(clean, "dead")
    assert 0 < np.median(done.after_m) < 0.02
    assert "what srp-phat itself answers on the clean recording" in markdown(clean, [done])


def test_a_recording_that_is_refused_has_no_answer(scene):
    done = tried(hear_clean(scene, Feet()), "dead")
    assert (done.refused, done.unanswered, done.is_named) == ("were they given in feet?", 1.0, False)
    assert np.isnan(done.after_m).all()


def test_errors_are_of_windows_with_an_answer():
    assert typical(np.array([0.1, np.nan, 0.3])) == pytest.approx((0.2, 0.28))
    assert np.isnan(typical(np.array([np.nan]))).all()


def test_lines_are_shares_of_tries(clean):
    done = [tried(clean, "dead"), tried(accusing(clean), "dead")]
    (line,) = lines_of(done)
    assert (line.label, line.tries, line.found, line.named, line.alarmed) == ("dead", 2, 0.5, 0.5, 0.0)
    tries = as_dict(clean, done, {"seed": 0})["tries"]
    assert [one["named"] for one in tries] == [True, False]


@pytest.fixture
def take(tmp_path, scene):
    """A folder as `soundfix simulate` writes it."""
    write_scene(tmp_path / "take", scene)
    return tmp_path / "take"


def words(take, *options):
    method = [] if "--localizer" in options else ["--method", "srp-phat"]
    audio = ["chaos", take / "scene.wav", "-m", take / "microphones.csv", "--room", "0,0,0,6,5,3", *method]
    return [*audio, "--speed-of-sound", 343, "--tries", 1, "--fault", "dead", *options]


def test_the_command_prints_and_writes_three_files(take, tmp_path, command):
    status, said, complaint = command(*words(take, "--fault", "gain", "--seconds", 1, "--out", tmp_path / "c"))
    assert status == 0, complaint
    assert "srp-phat on 1 s of 9 microphones. Errors are measured from the truth" in said
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == sorted(FILES)
    rows = [line.split()[0] for line in said.splitlines()]
    assert rows[-4:-1] == ["fault", "dead", "gain"]
    written = json.loads((tmp_path / "c/chaos.json").read_text())
    assert [one["label"] for one in written["tries"]] == ["dead", "gain"]
    assert written["reference"] == "truth"
    assert "| dead | 1 | 100 | 100 | 0 |" in (tmp_path / "c/chaos.md").read_text()
    assert (tmp_path / "c/chaos.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("text", [None, '{"room_m": [[0, 0, 0], [6, 5, 3]]}'])
def test_the_command_says_when_there_is_no_truth(take, command, text):
    (take / "truth.json").unlink()
    if text:
        (take / "truth.json").write_text(text)
    _, said, _ = command(*words(take, "--broken", 2, "--seconds", 0.5))
    assert "from what srp-phat itself answers on the clean recording" in said


def test_a_recording_that_is_not_clean_is_called_so(scene):
    dead = replace(
        scene, audio=scene.audio * (np.arange(9) != 4)[:, None], truth=replace(scene.truth, faults=("dead:mic5",))
    )
    clean = hear_clean(dead, SrpPhat())
    assert clean.alarms == ("mic5",)
    assert describe_clean(clean)[1].endswith(
        "It already names mic5: is the recording clean? By its truth it is not clean: dead:mic5."
    )


def test_a_method_of_ones_own(take, command, monkeypatch, tmp_path):
    (tmp_path / "theirs.py").write_text(
        "from soundfix.methods.srp_phat import SrpPhat\n"
        "from test_chaos import Accuser\n"
        "def good(): return SrpPhat(name='theirs')\n"
        "def number(): return 7\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    _, said, _ = command(*words(take, "--localizer", "theirs:good"))
    assert said.startswith("theirs on 2 s of 9 microphones")
    for made, message in (
        ("theirs:Accuser", "theirs:Accuser breaks the contract of localizers: accuser: moves_with_the_room"),
        ("theirs:number", "theirs:number made 7, wanted an object with a name and locate(scene)"),
        ("theirs:absent", "is it installed, or on PYTHONPATH?"),
        ("theirs", "wanted MODULE:FACTORY"),
    ):
        status, _, complaint = command(*words(take, "--localizer", made))
        assert status == 2
        assert message in complaint


def test_load_checked_gives_the_localizer():
    assert load_checked("soundfix.methods.srp_phat:SrpPhat") == SrpPhat()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fault", "rusty"], "no fault is called 'rusty'"),
        (["--broken", 7], "where most are broken, nobody can say which"),
        (["--localizer", "a:b", "--method", "srp-phat"], "--method and --localizer exclude each other"),
    ],
)
def test_the_command_refuses_in_a_sentence(take, command, options, message):
    status, _, complaint = command(*words(take, *options))
    assert status == 2
    assert message in complaint.splitlines()[-1]
    assert "Traceback" not in complaint


def test_the_command_refuses_a_file_for_a_folder(take, command):
    status, _, complaint = command(*words(take, "--out", take / "scene.wav"))
    assert status == 2
    assert "cannot write" in complaint


def test_short_scene_of_a_bare_localizer(rng):
    """From Python, on any scene: a third party needs no file."""
    positions = contract_scene(8).microphones.positions
    scene = anechoic_scene(positions, SOURCE, rng, seconds=1.0)
    done = list(chaos(scene, SrpPhat(), kinds=["dead", "late"], tries=1))
    assert [one.label for one in done] == ["dead", "late"]
