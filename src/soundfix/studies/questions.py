"""What the paper leaves open and a finished method can be asked: each a test set, what is varied, and what it does not show.

dropped         0 to 3 of 11 microphones silent
unknown         0 to 6 of 11 positions unknown at once
sources         1 to 5 sources at once, over 2 s
rooms           the fewest microphones for a room of 20, 60 and 200 m2
lists           lists of positions that are wrong as a whole, against lists that are wrong one by one
reverberation   T60 0.2 to 1.5 s
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from soundfix.datasets.varied import LISTS
from soundfix.datasets.wrong_lists import rms
from soundfix.evaluation.conditions import Grid, fault_of
from soundfix.evaluation.rows import Row
from soundfix.simulation.worlds import LUVIRA_TWIN
from soundfix.studies import answers
from soundfix.studies.points import Point, Reading

STUDIO = "the studio"
ELSEWHERE = "rooms and arrays never seen"


@dataclass(frozen=True, kw_only=True)
class Question:
    """datasets: name of a curve -> test set. is_apart: what is varied are parts of the test set, each with clips of its own.

    axis: what is varied, and its unit. answer: the points of one method -> a sentence. measures: what besides the
    error is drawn and listed, of "microphones" and "found".
    """

    title: str
    datasets: Mapping[str, str]
    grid: Grid = field(default_factory=Grid)
    sources: tuple[int, ...] = (1,)
    is_apart: bool = False
    axis: str
    reading: Reading
    answer: Callable[[Sequence[Point]], str]
    about: str
    not_shown: str
    measures: tuple[str, ...] = ()


def reading(
    x: Callable[[Row], float], *, curve: Callable[[Row], str] | None = None, value: Callable[[Row], str] | None = None
) -> Reading:
    """One curve, and x as it is, unless something else is said."""
    return Reading(x=x, curve=curve or (lambda row: ""), value=value or (lambda row: f"{x(row):g}"))


def list_error_cm(row: Row) -> float:
    """How far a row's list is off, root mean square."""
    return _error_cm(row.labels["list"], row.labels["by"])


@lru_cache
def _error_cm(kind: str, by: str) -> float:
    assert LUVIRA_TWIN.size_m is not None
    places = np.array(LUVIRA_TWIN.positions_m)
    listed = LISTS[kind, by].listed(places, ((0.0, 0.0, 0.0), LUVIRA_TWIN.size_m), np.random.default_rng(0))
    return round(100 * rms(listed - places), 1)


def _silent(row: Row) -> float:
    return float(fault_of(row.fault)[1])


QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        "dropped": Question(
            title="Microphones that fall silent",
            datasets={STUDIO: "luvira-twin"},
            grid=Grid(windows_s=(0.128, 0.5), faults=("none", "dead:1", "dead:2", "dead:3")),
            axis="silent microphones of 11",
            reading=reading(_silent, curve=lambda row: f"windows of {row.window_s:g} s"),
            answer=answers.dropped,
            about="Which fall silent is drawn for each clip; who is silent with one is among those with two.",
            not_shown="Silence is the easiest fault to notice: [faults.md](../faults.md) has those that lie. The array is "
            "one of those that the packaged network was trained on, with fewer microphones too.",
        ),
        "unknown": Question(
            title="Several unknown positions at once",
            datasets={STUDIO: "luvira-twin", ELSEWHERE: "rooms-by-size"},
            grid=Grid(unknown=(0, 1, 2, 3, 4, 6)),
            axis="unknown positions of 11",
            reading=reading(lambda row: float(row.unknown)),
            answer=answers.unknown,
            about="One window each: a microphone of unknown position is placed from a single sound. Errors of microphones "
            "are those of the place that an answer puts them at, or the best place on the shell that it knows.",
            not_shown="What a whole recording tells: `soundfix calibrate` places microphones from many sounds, to "
            "centimetres ([calibration.md](../calibration.md)). The packaged network learned with many arrays and remembers "
            "none: one window tells a distance, and no more, in the studio as elsewhere.",
            measures=("microphones",),
        ),
        "sources": Question(
            title="Several sources at once",
            datasets={STUDIO: "luvira-twin"},
            grid=Grid(windows_s=(2.0,)),
            sources=(1, 2, 3, 4, 5),
            axis="sources at once",
            reading=reading(lambda row: float(row.sources)),
            answer=answers.sources,
            about="All sound all the time, at about one level; how many there are is not told. An error is the mean over "
            "the sources of a window; who is not told counts as in the middle of the room.",
            not_shown="Sources that take turns, or of very different levels; noise and reverberation are not told apart "
            "here: [several.md](../several.md) does so for one to three.",
            measures=("found",),
        ),
        "rooms": Question(
            title="How many microphones a room needs",
            datasets={"clean rooms": "rooms-by-size"},
            grid=Grid(microphones=(4, 5, 6, 8, 12, 16), subsets="random"),
            is_apart=True,
            axis="microphones",
            reading=reading(lambda row: float(row.microphones), curve=lambda row: row.labels["floor"]),
            answer=answers.rooms,
            about="Rooms of 5 x 4 x 2.6, 8 x 7.5 x 3 and 16 x 12.5 x 4 m, microphones anywhere on walls, ceiling, tables "
            "and stands, T60 0.2-0.8 s, 5-30 dB; fewer microphones are some of the more, by chance.",
            not_shown="Arrays that somebody planned, which need fewer; positions that are wrong, which need more; halls "
            "with a T60 above 0.8 s.",
        ),
        "lists": Question(
            title="Lists that are wrong as a whole",
            datasets={STUDIO: "luvira-wrong-lists"},
            is_apart=True,
            axis="error of the list (cm, rms)",
            reading=reading(list_error_cm, curve=lambda row: row.labels["list"], value=lambda row: row.labels["by"]),
            answer=answers.lists,
            about="The same clips with every list. wall: the microphones of one wall (4 of 11) shifted along it. turned: "
            "all, about the middle of the array. scaled: all, from there. random: each in a direction of its own. No list "
            "says that it is wrong. Places are judged in the room: who trusts a turned list perfectly is off by the turn.",
            not_shown="What `soundfix calibrate` makes of such lists; errors that are declared (`sigma_m`), for which "
            "regions become larger.",
        ),
        "reverberation": Question(
            title="Rooms that echo more, or less, than those trained in",
            datasets={STUDIO: "luvira-by-reverberation"},
            is_apart=True,
            axis="T60 asked for (s)",
            reading=reading(lambda row: float(row.labels["T60"].split()[0])),
            answer=answers.reverberation,
            about="The studio as LuViRA's recordings are, whoever sounds walking about, 15-30 dB. The packaged network was "
            "trained with T60 of up to 1 s.",
            not_shown="Real rooms: these are shoeboxes by the image method, with a tail of noise; sources that stand still.",
        ),
    }
)
