"""The page of an ablation: who is better is told of the same windows, and only where it is certain."""

import pytest
from matplotlib.image import imread

from soundfix.evaluation.metrics import Score
from soundfix.evaluation.rows import Row
from soundfix.studies.ablation_pages import Told, answer, differences, draw, listing, page
from soundfix.studies.costs import Cost

TOLD = Told(title="Alpha", about="What alpha is.", not_shown="Noise.")


def row(method, clip, error_m, *, microphones=11, unknown=0):
    return Row(
        clip=clip, moment=clip, labels={"sound": "speech"}, sources=1, window_s=0.128, microphones=microphones,
        unknown=unknown, fault="none", rt60_s=0.3, snr_db=20.0, method=method, verdict="ok",
        score=Score(error_m, error_m, 0.0, True, 1.0, (2.0,) * unknown),
        true_m=[[0.0, 0.0, 0.0]], said_m=[[error_m, 0.0, 0.0]], seconds=0.1,
    )  # fmt: skip


def rows(*methods, **more):
    """method, and what is added to the error of the usual one: errors differ much from window to window."""
    usual = [0.1, 0.5, 0.2, 0.9, 0.3, 0.6, 0.05, 0.4]
    return [
        row(method, clip, base + added + 0.001 * (clip % 2), **more)
        for clip, base in enumerate(usual)
        for method, added in methods
    ]


THREE = rows(("learned", 0.0), ("off", 0.1), ("fixed", -0.05), ("same", 0.0))


def test_a_difference_is_that_on_the_same_windows():
    usual, off, fixed, same = differences(THREE)
    assert (usual.number.value, usual.is_told) == (0.0, False)
    assert off.number.value == pytest.approx(0.1)
    assert off.number.error < 0.01
    assert off.is_told
    assert fixed.is_told
    assert not same.is_told


def test_the_sentence_says_who_is_better_who_is_worse_and_of_whom_nothing_can_be_said():
    said = answer(THREE)
    assert said.startswith("11 microphones, 0.128 s: `learned` is off by 38.2 ± ")
    assert "; better: `fixed` (-5.0 ± 0.0 cm); worse: `off` (+10.0 ± 0.0 cm); no difference" in said
    assert said.endswith("no difference beyond 2 standard errors: `same`.")


def test_a_table_has_every_variant_under_every_condition():
    both = THREE + rows(("learned", 0.0), ("off", 0.3), microphones=7)
    lines = listing(both, {}).splitlines()
    assert lines[0] == "|  | variant | MAE | less the usual | < 30 cm |"
    assert len(lines) == 2 + 4 + 2
    assert lines[-1].startswith("| 7 microphones, 0.128 s | off | 68.2 ± ")
    assert lines[-1].endswith("| 30.0 ± 0.0 cm | 0.0 ± 0.0 % |")
    unknown = listing(rows(("learned", 0.0), unknown=2), {}).splitlines()
    assert unknown[0].endswith("| < 30 cm | unknown microphones |")
    assert "| 200.0 ± 0.0 cm |" in unknown[2], unknown
    priced = listing(THREE, {"off": Cost(0.0123, 4.56)}).splitlines()
    assert priced[0].endswith("| ms | MB |")
    assert priced[3].endswith("| 12.3 | 4.6 |")
    assert priced[2].endswith("|  |  |")


def test_a_page_begins_with_its_answer_and_ends_with_its_limit(tmp_path):
    title, first, picture, *_, about, last = page("ascm", TOLD, THREE, {}, "Where.").strip().split("\n\n")
    assert (title, first, about) == ("# Alpha", answer(THREE), "What alpha is.")
    assert picture.endswith("](ascm.png)")
    assert last == "**What it does not show.** Noise."
    path = draw(THREE, tmp_path / "p.png")
    assert path.stat().st_size < 45_000
    fewer = draw(rows(("learned", 0.0)), tmp_path / "q.png")
    assert imread(path).shape[0] > imread(fewer).shape[0]
