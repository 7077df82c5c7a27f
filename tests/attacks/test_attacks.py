"""One small file of every kind that once ended in somebody else's exception, a hang, or numbers that are not finite."""

import io
import json
import struct
import zipfile
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from attacks.attack import complaint
from attacks.mutations import mutated
from attacks.readers import PLACES, READERS, arrays, converted_beats, published_beats, scene, torch_bytes, written
from soundfix.datasets.members import encode
from soundfix.errors import SceneError
from soundfix.microphones import MOST_MICROPHONES, Microphones


def attacked(name, content):
    assert complaint(READERS[name], content) is None


@pytest.mark.parametrize("name", READERS)
def test_the_file_that_attacks_begin_from_is_read(name, tmp_path):
    reader = READERS[name]
    path = tmp_path / f"whole{reader.suffix}"
    path.write_bytes(reader.whole())
    assert all(np.isfinite(np.asarray(each, dtype=float)).all() for each in reader.tells(reader.read(path)))


@pytest.mark.parametrize("name", READERS)
def test_small_changes(name):
    """`make fuzz` tries them by the thousand."""
    whole = READERS[name].whole()
    for number in range(12):
        content = mutated(whole, Random(f"7 {number}"))
        assert complaint(READERS[name], content) is None, number


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "content", [b"", b"\0" * 4096, b"{}", b"[]", b"null", b"[" * 100_000, b"\x80\x04K\x01.", b"PK\x03\x04"]
)
def test_what_is_no_such_file(name, content):
    attacked(name, content)


def beats_with(**changed):
    content = published_beats()
    return torch_bytes(
        {part: content[part] | changed.get(part, {}) for part in ("cfg", "model")} | changed.get("top", {})
    )


WEIGHT, POSITION = "encoder.layers.0.fc1.weight", "encoder.pos_conv.0.weight_v"
STRANGE = {
    "quantized": lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8),
    "sparse": lambda t: t.to_sparse(),
    "nested": lambda t: torch.nested.nested_tensor([t[0], t[1, :3]]),
    "meta": lambda t: t.to("meta"),
    "float8": lambda t: t.to(torch.float8_e4m3fn),
    "complex": lambda t: t.to(torch.complex64),
    "NaN": lambda t: t * torch.nan,
    "number": lambda t: 3.0,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", STRANGE)
def test_published_beats_with_a_strange_tensor(kind):
    attacked("beats.pt", beats_with(model={WEIGHT: STRANGE[kind](published_beats()["model"][WEIGHT])}))


@pytest.mark.parametrize(
    "changed",
    [
        {"model": {3: torch.zeros(2)}},
        {"model": {("a", 1): torch.zeros(2)}},
        {
            "model": {
                "encoder.pos_conv.0.weight_v": torch.zeros_like(
                    published_beats()["model"]["encoder.pos_conv.0.weight_v"]
                )
            }
        },
        {"cfg": {"encoder_layers": 10**6}},
        {"cfg": {"encoder_layers": 10**30}},
        {"cfg": {"encoder_ffn_embed_dim": 2**62}},
        {"cfg": {"conv_pos": -1}},
        {"top": {"cfg": None}},
        {"top": {"cfg": 3}},
        {"top": {"model": []}},
        {"top": {"label_dict": {0: [], "1": None}}},
    ],
)
def test_published_beats_with_a_strange_content(changed):
    attacked("beats.pt", beats_with(**changed))


def rewritten(name, *, tensors=(), **metadata):
    """The safetensors file of this reader with other metadata or tensors."""
    content = READERS[name].whole()

    def save_anew(path):
        path.write_bytes(content)
        with safe_open(path, framework="pt") as file:
            held = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            path.write_bytes(save(held | dict(tensors), (file.metadata() or {}) | metadata))

    return written(save_anew, ".safetensors")


def config_with(**changed):
    with_config = io.BytesIO(READERS["checkpoint"].whole())
    length = struct.unpack("<Q", with_config.read(8))[0]
    config = json.loads(json.loads(with_config.read(length))["__metadata__"]["config"])
    return json.dumps(config | changed)


@pytest.mark.parametrize("name", ["width", "heads", "encoder_blocks", "decoder_blocks"])
@pytest.mark.parametrize("size", [-1, 0, 10**6, 2**40, 10**30, 1e308])
def test_a_checkpoint_that_asks_for_a_huge_network(name, size):
    attacked("checkpoint", rewritten("checkpoint", config=config_with(**{name: size})))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "null", "[3]", '"x"', "9" * 5000])
def test_a_checkpoint_whose_words_are_no_json(text):
    for key in ("config", "soundfix", "notes"):
        attacked("checkpoint", rewritten("checkpoint", **{key: text}))
    attacked("kinds", rewritten("kinds", **{"soundfix kinds": text}))
    attacked("beats", rewritten("beats", beats=text))
    attacked("ngcc", rewritten("ngcc", config=text))


@pytest.mark.parametrize("kind", ["float8", "NaN"])
def test_a_checkpoint_with_a_strange_tensor(kind):
    name = "head.lag.last.weight"
    attacked("checkpoint", rewritten("checkpoint", tensors={name: STRANGE[kind](torch.ones(3, 3))}.items()))
    attacked("beats", rewritten("beats", tensors={WEIGHT: STRANGE[kind](published_beats()["model"][WEIGHT])}.items()))


SAID = {
    "sources": [[1, 1, 1]], "rt60_s": None, "snr_db": None, "faults": [], "track": None, "positions": None,
    "speed_of_sound_m_s": None, "gains_db": None,
}  # fmt: skip


def described(**changed):
    wav, text = encode(scene())
    text = json.dumps(json.loads(text) | changed).encode()
    return struct.pack("<I", len(text)) + text + wav


@pytest.mark.parametrize(
    "changed",
    [
        {"sample_rate": 10**400}, {"start_s": 10**400}, {"full_scale": [10**400] * 3}, {"truth": [[]]},
        {"lost": [[0, 10**30, 5]]}, {"lost": [[0, -5, 10**18]]}, {"microphones": []}, {"room": [[10**400] * 3] * 2},
        {"microphones": {"positions": [[k, 0, 0] for k in range(20_000)], "names": [], "sigma_m": [], "offset_s": [],
                         "drift_ppm": [], "files": None, "channels": None}},
        {"truth": SAID | {"track": [[1]]}}, {"truth": SAID | {"track": {"times_s": [], "places": []}}},
        {"truth": SAID | {"positions": [[1, 2, 3]]}}, {"truth": SAID | {"gains_db": [1, 2, 3, 4, 5]}},
    ],
)  # fmt: skip
def test_a_scene_that_cannot_be(changed):
    attacked("scene", described(**changed))


@pytest.mark.parametrize("gap", [[], [[1, 2, 3]], [[1, 2, 3]] * 99, [[1e400, 0, 0]] * 5])
def test_a_truth_of_another_number_of_microphones(gap):
    attacked("truth.json", json.dumps(json.loads(READERS["truth.json"].whole()) | {"true_positions_m": gap}).encode())


@pytest.mark.parametrize(
    "changed",
    [
        {"scenes": -1}, {"scenes": 0, "shards": {}}, {"scenes": 10**18}, {"scenes_a_shard": 0}, {"scenes_a_shard": -3},
        {"shards": []},
        {"shards": {"000000.tar": {"scenes": -1, "bytes": 10**30, "sha256": ""}}},
    ],
)  # fmt: skip
def test_an_index_of_shards_with_numbers_that_cannot_be(changed):
    attacked("manifest", json.dumps(json.loads(READERS["manifest"].whole()) | changed).encode())


def npy(header, *, body=b"\0" * 64):
    text = header.encode("latin-1").ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def zipped(member, *, compression=zipfile.ZIP_STORED, name="rir.npy"):
    stream = io.BytesIO(arrays())
    with zipfile.ZipFile(stream) as archive:
        held = {each: archive.read(each) for each in archive.namelist()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for each, content in (held | {name: member}).items():
            archive.writestr(each, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (43000000000000,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 5, 400",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 5, ",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "\\x00(((((((",
        "__import__('os')",
    ],
)
def test_an_array_with_a_header_that_cannot_be(header):
    attacked("room.npz", zipped(npy(header)))
    attacked("tails", zipped(npy(header), name="one.npy"))


def test_an_archive_with_members_that_are_no_arrays_or_packed_in_an_unknown_way():
    attacked("room.npz", zipped(b"no array", name="readme.txt"))
    content = bytearray(zipped(npy("{}")))
    at = content.find(b"PK\x01\x02")
    content[at + 10 : at + 12] = struct.pack("<H", 99)
    attacked("room.npz", bytes(content))


@pytest.mark.parametrize("changed", [{"rir": np.full((2, 5, 400), np.nan)}, {"fs": np.nan}, {"c": np.inf}, {"fs": b"16000"},
                                     {"mic_positions": PLACES * np.nan}, {"rir": np.zeros((2, 5, 0))}])  # fmt: skip
def test_a_measured_room_with_numbers_that_are_none(changed):
    attacked("room.npz", arrays(**changed))


def opened_sofa(folder):
    path = folder / "room.sofa"
    path.write_bytes(READERS["room.sofa"].whole())
    return pytest.importorskip("netCDF4").Dataset(path, "r+")


@pytest.mark.parametrize("delay", [np.nan, np.inf, -1e9, 1e12, 1e7])
def test_a_sofa_file_with_delays_that_cannot_be(delay, tmp_path):
    with opened_sofa(tmp_path) as file:
        file["Data.Delay"][:] = delay
    attacked("room.sofa", (tmp_path / "room.sofa").read_bytes())


@pytest.mark.parametrize(
    "field", ["Data.SamplingRate", "ReceiverPosition", "SourcePosition", "ListenerPosition", "Data.IR"]
)
def test_a_sofa_file_without_a_field(field, tmp_path):
    with opened_sofa(tmp_path) as file:
        file.renameVariable(field, "Other")
    attacked("room.sofa", (tmp_path / "room.sofa").read_bytes())


def test_a_cell_too_long_for_csv():
    long = b"x" * 200_000
    for name in ("raven", "birdnet", "list.csv", "corners", "delays"):
        attacked(name, READERS[name].whole() + b'"' + long + b'"' * 3)


LONG = 120_000  # the longest cell of a CSV is 131,072
HEAD = b"name,x,y,z\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.csv", HEAD + b"m1," + b"9" * LONG + b"x,0,0\n"),
        ("list.csv", b"name,x" + b"_" * LONG + b"?,y,z\nm1,0,0,0\n"),
        ("list.cfg", b"/* " * LONG),
        ("list.cfg", b"general: { mics = (\n{ mu = ( " + b"9" * LONG + b" 1, 0, 0 ); }\n); }\n"),
        ("positions", b"Time,speaker_x,speaker_y,speaker_z" + b",_x" * 40_000 + b"\n0,1,2,3\n1,1,2,3\n"),
        ("trajectory", b"[" * 5 * LONG + b",X,Y,Z\n1,2,3,4\n2,2,3,4\n"),
    ],
)
def test_what_takes_longer_than_its_length(name, content):
    """Tens of thousands of the same, for each of which all others were looked at again."""
    attacked(name, content)


def with_chunk(name, content):
    whole = READERS["wav"].whole()
    return whole + name + struct.pack("<I", len(content)) + content


@pytest.mark.parametrize(
    "time", [b"x" + b" " * 5 * LONG + b"y", b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00"]
)
def test_a_time_in_a_header_that_takes_long_or_is_at_an_end_of_the_calendar(time):
    attacked("wav header", with_chunk(b"guan", b"GUANO|Version: 1.0\nTimestamp: " + time))


@pytest.mark.parametrize("time", ["inf", "-inf", "1e309"])
@pytest.mark.parametrize("row", [0, 1])
def test_a_motion_capture_with_a_time_that_is_infinite(time, row):
    times = ["0.0", "0.01"]
    times[row] = time
    rows = "".join(f"{each},1,2,1.5\n" for each in times)
    attacked("positions", f"Time,speaker_x,speaker_y,speaker_z\n{rows}".encode())


def test_more_microphones_than_distances_have_memory_for():
    with pytest.raises(SceneError, match=f"wanted {MOST_MICROPHONES} at most"):
        Microphones(positions=np.arange(3.0 * (MOST_MICROPHONES + 1)).reshape(-1, 3))


def test_converted_beats_are_read_and_their_bytes_are_the_same_again():
    assert converted_beats() == converted_beats()


def test_a_scene_with_a_name_for_every_microphone_but_one():
    wav, text = encode(replace(scene()))
    told = json.loads(text)
    told["microphones"]["names"] = told["microphones"]["names"][1:]
    attacked("scene", struct.pack("<I", len(json.dumps(told))) + json.dumps(told).encode() + wav)
