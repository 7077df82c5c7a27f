"""Every command on the pages of docs/coming-from runs as it stands, beside files of the names that the pages give them."""

import json
import re
import shlex
from itertools import pairwise

import numpy as np
import pandas
import pytest
import soundfile

from attacks.readers import sofa
from helpers import TESTS
from helpers.bags import write_bag
from helpers.command import CORNERS, SOURCE
from helpers.locata import write_recording
from helpers.scenes import anechoic_scene

PAGES = sorted((TESTS.parent / "docs" / "coming-from").glob("*.md"))
COMMANDS = [
    pytest.param(line, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, line in enumerate(re.findall(r"^soundfix .*$", page.read_text("utf-8"), re.MULTILINE), 1)
]
NAMES = [f"mic{m}" for m in range(1, len(CORNERS) + 1)]
RATE, SECONDS = 16_000, 2.2
RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\n"
    "1\tS\t1\t0.5\t1.2\t200\t7000\n"
)
BIRDNET = (
    "Start (s),End (s),Scientific name,Common name,Confidence,File\n0.5,1.5,Strix aluco,Tawny Owl,0.9,aru/mic1.wav\n"
)
RTTM = "SPEAKER talk 1 0.500 0.800 <NA> <NA> anna <NA> <NA>\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Two seconds of a sound in a room of seven microphones, in everybody's files."""
    folder = tmp_path_factory.mktemp("site")
    sound = anechoic_scene(CORNERS, SOURCE, np.random.default_rng(3), seconds=SECONDS).audio.T
    for name in ("take.wav", "talk.wav", "recording.wav"):
        soundfile.write(folder / name, sound, RATE)
    (folder / "aru").mkdir()
    for name, channel in zip(NAMES, sound.T, strict=True):
        soundfile.write(folder / "aru" / f"{name}.wav", channel, RATE)
    integers = (sound * 20_000).astype("<i2")
    write_bag(folder / "bag", {f"/{name}/audio": integers[:, m : m + 1] for m, name in enumerate(NAMES)}, RATE)
    array = folder / "dev" / "task1" / "recording1" / "dicit"
    write_recording(array, sound, RATE, CORNERS, {"loudspeaker1": SOURCE}, name="dicit")
    (folder / "rooms").mkdir()
    (folder / "rooms" / "room.sofa").write_bytes(sofa())
    lists(folder)
    events(folder)
    return folder


def lists(folder):
    places = pandas.DataFrame(CORNERS, columns=["x", "y", "z"], index=pandas.Index(NAMES, name="name"))
    places.to_csv(folder / "mics.csv")
    places.set_axis([f"aru/{name}.wav" for name in NAMES]).to_csv(folder / "aru_coords.csv")
    entries = ", ".join(f"{{ mu = ( {x}, {y}, {z} ); }}" for x, y, z in CORNERS)
    (folder / "odas.cfg").write_text(
        f"mapping: {{ map: ({', '.join('1234567')}); }}\ngeneral: {{ mics = ( {entries} ); }}\n"
    )
    features = [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {"type": "Point", "coordinates": [9 + x / 74_600, 48 + y / 111_200, z]},
        }
        for name, (x, y, z) in zip(NAMES, CORNERS.tolist(), strict=True)
    ]
    (folder / "stations.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def events(folder):
    (folder / "selections.txt").write_text(RAVEN)
    (folder / "labels.txt").write_text("0.5\t1.2\tcall\n")
    (folder / "results.csv").write_text(BIRDNET)
    (folder / "talk.rttm").write_text(RTTM)
    (folder / "metadata.csv").write_text("".join(f"{frame},1,0,20,0,200\n" for frame in range(5, 12)))
    clips = [(f"aru/{name}.wav", 0.5, 1.5, 1) for name in NAMES]
    pandas.DataFrame(clips, columns=["file", "start_time", "end_time", "owl"]).to_csv(
        folder / "detections.csv", index=False
    )
    late = np.linalg.norm(CORNERS - SOURCE, axis=1) / 343.0
    spatial = {
        "receiver_files": [f"aru/{name}.wav" for name in NAMES], "receiver_locations": CORNERS.tolist(), "class_name": "owl",
        "duration": 1.0, "receiver_start_time_offsets": [0.5] * len(NAMES), "tdoas": (late - late[0]).tolist(),
    }  # fmt: skip
    (folder / "spatial_events.json").write_text(json.dumps([spatial]))


@pytest.mark.slow
@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_runs_as_it_is(site, tmp_path, monkeypatch, command, line):
    if "--as rerun:" in line:
        pytest.importorskip("rerun")
    for path in site.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)[1:]
    status, said, complaint = command(*words)
    assert status == 0, complaint
    outputs = [word.partition(":")[2] for flag, word in pairwise(words) if flag == "--as"]
    outputs += [word for flag, word in pairwise(words) if flag in ("--csv", "--raven", "--turns", "--geojson", "--out")]
    assert outputs or words[0] == "check" or said
    assert [name for name in outputs if not (tmp_path / name).exists()] == []


def test_every_page_has_a_command_or_code():
    assert [
        page.stem for page in PAGES if "\nsoundfix " not in page.read_text() and "```python" not in page.read_text()
    ] == []


def test_there_is_a_page_for_every_format():
    from soundfix.report.formats import FORMATS

    assert set(FORMATS) - {page.stem for page in PAGES} == set()
