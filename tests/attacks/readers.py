"""Every reader of what comes from outside, with a file that it reads: what attacks begin from."""

import io
import json
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import torch

import soundfix
from helpers.beats import FEW, as_published, shaken
from helpers.locata import write_recording
from helpers.luvira_files import steady, write_csv, write_tsv
from helpers.networks import SMALL_NGCC, tiny
from soundfix.api.again import read_answer
from soundfix.archive.parts import Parts
from soundfix.archive.work import Located
from soundfix.datasets.folder import read_stored_scene, read_truth
from soundfix.datasets.locata import locata
from soundfix.datasets.measured import read_npz, read_sofa
from soundfix.datasets.members import decode, encode
from soundfix.datasets.motion_capture import read_positions, read_qualisys, read_trajectory
from soundfix.datasets.shards import Shards
from soundfix.datasets.simulated import Simulated
from soundfix.datasets.writing import write_set
from soundfix.files.audio import open_recording
from soundfix.files.decoding import open_what_is_left
from soundfix.files.delays import read_delays
from soundfix.files.events.reading import read_events
from soundfix.files.microphones import read_microphones
from soundfix.files.polygons import read_corners
from soundfix.files.start_tables import read_starts
from soundfix.files.start_times import StartTime, Told, believed, told_by
from soundfix.microphones import Microphones
from soundfix.networks import checkpoint, onnx_runtime
from soundfix.networks.encoders import beats, ngcc
from soundfix.networks.exported import PACKAGED, digest_of, read_exported
from soundfix.networks.kinds import PACKAGED as KINDS
from soundfix.networks.kinds import load_kinds
from soundfix.networks.registry import THREE_STREAM
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.sounds import read_heard
from soundfix.simulation.tails import read_tails
from soundfix.simulation.worlds import LUVIRA_LIKE
from soundfix.testing import contract_scene
from soundfix.training.runs import read_newest

RATE = 16_000
PLACES = np.array([[0, 0, 1], [4, 0, 2], [4, 3, 1], [0, 3, 2], [2, 0, 1.5]], dtype=float)
CSV = b"name,x,y,z,sigma_m\n" + b"".join(b"m%d,%.2f,%.2f,%.2f,0.01\n" % (k, *row) for k, row in enumerate(PLACES))
LISTED = {"microphones": [{"name": f"m{k}", "x": x, "y": y, "z": z} for k, (x, y, z) in enumerate(PLACES.tolist())]}


@dataclass(frozen=True)
class Reader:
    """A reader, the suffix of its files, and the bytes of one that it reads. tells: the numbers that it gave back."""

    suffix: str
    whole: Callable[[], bytes]
    read: Callable[[Path], object]
    tells: Callable[[object], list[np.ndarray]] = lambda content: []


def scene():
    return replace(contract_scene(3, seconds=0.1), room=((-1.0, -1.0, 0.0), (6.0, 5.0, 3.0)))


def written(save: Callable[[Path], object], suffix: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"whole{suffix}"
        save(path)
        return path.read_bytes()


def audio(kind: str, subtype: str | None = None) -> bytes:
    sound, stream = 0.3 * np.random.default_rng(1).standard_normal((8000, 2)), io.BytesIO()
    soundfile.write(stream, sound, RATE, format=kind, subtype=subtype)
    return stream.getvalue()


def hear_all(path: Path) -> None:
    for _ in open_recording([path]).at(float(RATE)).windows(0.25, 0.25):
        pass


def arrays(**changed: object) -> bytes:
    stream, rng = io.BytesIO(), np.random.default_rng(2)
    room = {
        "rir": rng.standard_normal((2, 5, 400)),
        "mic_positions": PLACES,
        "source_position": PLACES[:2] + 0.5,
        "fs": RATE,
    }
    np.savez(stream, **(room | changed))
    return stream.getvalue()


def tails() -> bytes:
    stream, rng = io.BytesIO(), np.random.default_rng(2)
    np.savez(stream, full_scale=1.0, sample_rate=float(RATE), one=rng.integers(-99, 99, (3, 2000)).astype(np.int16))
    return stream.getvalue()


def sofa() -> bytes:
    import sofar

    file = sofar.Sofa("GeneralFIR")
    for name in ("ReceiverDescriptions", "EmitterDescriptions", "MeasurementDate"):
        if hasattr(file, name):
            file.delete(name)
    rng = np.random.default_rng(3)
    told = {
        "Data_IR": rng.standard_normal((2, 5, 64)), "Data_SamplingRate": 48_000, "Data_Delay": np.ones((1, 5)),
        "ReceiverPosition": PLACES, "ListenerPosition": np.zeros((1, 3)), "SourcePosition": PLACES[:2] + 0.5,
        "SourcePosition_Type": "cartesian", "SourcePosition_Units": "metre",
    }  # fmt: skip
    for name, value in told.items():
        setattr(file, name, value)
    return written(lambda path: sofar.write_sofa(str(path), file), ".sofa")


def torch_bytes(content: object) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


@cache
def published_beats() -> dict:
    return as_published(shaken(FEW))


def converted_beats() -> bytes:
    def save(path: Path) -> None:
        first = path.with_suffix(".pt")
        first.write_bytes(torch_bytes(published_beats()))
        beats.convert(first, path)

    return written(save, ".safetensors")


def small_ngcc() -> bytes:
    torch.manual_seed(0)
    return written(lambda path: ngcc.save(ngcc.Ngcc(SMALL_NGCC), path), ".safetensors")


def weights(network: torch.nn.Module) -> list[np.ndarray]:
    return [tensor.detach().double().numpy() for tensor in network.state_dict().values()]


def members(joined: bytes) -> tuple[bytes, bytes]:
    """A scene's JSON and WAV in one file: the length of the JSON, the JSON, the WAV."""
    length = struct.unpack("<I", joined[:4])[0] if len(joined) >= 4 else 0
    return joined[4 + length :], joined[4 : 4 + length]


def scene_bytes() -> bytes:
    wav, described = encode(scene())
    return struct.pack("<I", len(described)) + described + wav


def read_members(path: Path) -> object:
    return decode(*members(path.read_bytes()))


def of_scene(content: object) -> list[np.ndarray]:
    listed = content.microphones
    return [listed.positions[listed.is_known], listed.sigma_m, np.array(content.speed), np.array(content.sample_rate)]


@cache
def small_set() -> dict[str, bytes]:
    """The files of a set of two scenes in two shards."""
    world = replace(LUVIRA_LIKE, duration_s=0.25)
    with TemporaryDirectory() as folder:
        write_set(Path(folder), Simulated(world=world, sounds=BuiltInSounds(), seed=1, count=2), scenes_a_shard=1)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def among(files: Callable[[], dict[str, bytes]], name: str, read: Callable[[Path], object]) -> Callable[[Path], object]:
    """Reads a folder of these files, with the one that is attacked for the one of that name."""

    def read_folder(path: Path) -> object:
        folder = path.parent / f"around-{name}"
        if not folder.exists():
            folder.mkdir()
            for each, content in files().items():
                (folder / each).write_bytes(content)
        (folder / name).write_bytes(path.read_bytes())
        return read(folder)

    return read_folder


TIMESTAMPS = "audio_array_timestamps_benchmark2.txt"


@cache
def locata_files() -> dict[str, bytes]:
    """The files of a recording of 0.3 s."""
    with TemporaryDirectory() as folder:
        sound = 0.3 * np.random.default_rng(1).standard_normal((4800, 5))
        written = write_recording(Path(folder) / "r", sound, RATE, PLACES, {"a": (1.0, 1.0, 1.0)})
        return {path.name: path.read_bytes() for path in written.iterdir()}


def read_locata(name: str) -> Callable[[Path], object]:
    """With this file for the one of that name."""
    return among(locata_files, name, lambda folder: locata(folder, clip_s=0.1)[0])


@cache
def bag_files(kind: str = "sqlite3") -> dict[str, bytes]:
    """The files of a bag with 0.3 s of two channels."""
    from helpers.bags import StoragePlugin, write_bag

    with TemporaryDirectory() as folder:
        sound = np.random.default_rng(1).integers(-9999, 9999, (4800, 2)).astype("<i2")
        written = write_bag(Path(folder) / "bag", {"/a/audio": sound}, RATE, plugin=StoragePlugin[kind.upper()])
        return {path.name: path.read_bytes() for path in written.iterdir()}


def read_bag(name: str, kind: str = "sqlite3") -> Callable[[Path], object]:
    """With this file for the one of that name."""
    return among(lambda: bag_files(kind), name, hear_all)


@cache
def exported_files() -> dict[str, bytes]:
    """The packaged network for onnxruntime; its description tells no digest of the weights, which takes long."""
    about = json.loads((PACKAGED / "network.json").read_text())
    found = {name: (PACKAGED / name).read_bytes() for name in about["files"]}
    about["files"] = {name: digest for name, digest in about["files"].items() if name.endswith(".onnx")}
    return found | {"network.json": json.dumps(about).encode()}


def read_graph(folder: Path) -> object:
    """A graph whose digest the description tells."""
    about = json.loads(exported_files()["network.json"])
    about["files"]["mask.onnx"] = digest_of(folder / "mask.onnx")
    (folder / "network.json").write_text(json.dumps(about))
    return onnx_runtime.load(folder)


def wave_with_chunks() -> bytes:
    """A recording with GUANO's chunk and BWF's."""
    bext = b"\0" * 320 + b"2022-06-2012:00:00" + struct.pack("<Q", 12 * 3600 * RATE) + b"\0" * 256
    parts = ((b"guan", b"GUANO|Version: 1.0\nTimestamp: 2022-06-20T12:00:00.125+02:00\nMake: x\n "), (b"bext", bext))
    whole = audio("WAV") + b"".join(name + struct.pack("<I", len(each)) + each for name, each in parts)
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def read_start(path: Path) -> object:
    """Beside a file that tells the same time in another way."""
    told = told_by(open_what_is_left(path))
    noon = StartTime(datetime(2022, 6, 20, 12, tzinfo=UTC))
    return told.is_contradicted, believed([Told(by_header=noon), told]), believed([Told(by_name=noon), told])


def of_capture(capture: object) -> list[np.ndarray]:
    return [capture.times_s]


def put_part(path: Path) -> str:
    parts = path.parent / "run" / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    (parts / "a.json").write_bytes(path.read_bytes())
    return "a"


def read_part(path: Path) -> object:
    key = put_part(path)
    return list(Parts(path.parent / "run").read([key]))


def part() -> bytes:
    return json.dumps(asdict(Located(key="a", audio_s=3.0, rows=[["a", 1.0]], counts={"ok": 1}))).encode()


def answers() -> bytes:
    take = scene()
    located = soundfix.locate(
        take.audio, sample_rate=take.sample_rate, microphones=take.microphones, method="srp-phat", room=take.room
    )
    return json.dumps(located.to_dict()).encode()


@cache
def heard() -> np.ndarray:
    return scene().audio


def read_answers(path: Path) -> object:
    return read_answer(path, heard())


def read_state(path: Path) -> object:
    (path.parent / "state-000001.safetensors").write_bytes(path.read_bytes())
    return read_newest(path.parent)


def state() -> bytes:
    from safetensors.torch import save

    return save({"a": torch.ones(3)}, {"numbers": json.dumps({"step": 1, "loss": 0.5})})


def folder_scene(path: Path) -> object:
    (path.parent / "scene.json").write_bytes(path.read_bytes())
    if not (path.parent / "scene.wav").exists():
        soundfile.write(path.parent / "scene.wav", np.zeros((800, 3)) + 0.1, RATE)
    return read_stored_scene(path.parent)


def scene_json() -> bytes:
    listed = [{"name": f"m{k}", "position_m": row, "sigma_m": 0.01} for k, row in enumerate(PLACES[:3].tolist())]
    return json.dumps(
        {"microphones": listed, "sources_m": [[1, 1, 1]], "room_m": [[-1, -1, 0], [6, 5, 3]], "rt60_s": 0.4}
    ).encode()


TRUTH = json.dumps(
    {"sources_m": [[1, 1, 1]], "true_positions_m": PLACES.tolist(), "gains_db": [0.0] * 5, "rt60_s": 0.4, "faults": []}
).encode()
RAVEN = b"Selection\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\n1\t0.5\t1.5\t200\t4000\n"
BIRDNET = b"Start (s),End (s),Scientific name,Common name,Confidence\n0.0,3.0,Turdus merula,Blackbird,0.9\n"
LOCAR = b"Station1,Station2,Station3,From,To,F_Low,F_High,Species\nm0,m1,m2,0.5,1.5,200,4000,owl\nm1,m2,,2,3,,,jay\n"
SCORES = b"file,start_time,end_time,owl,jay\nm0.wav,0.0,3.0,0.9,0.1\nm1.wav,0.0,3.0,0.7,0.6\n"
STARTS = b"file,start\na.wav,2022-06-20T14:30:00.125Z\nb/c.wav,2022-06-20 14:30:01+02:00\n"
POSITIONS = b"Time,speaker_x,speaker_y,speaker_z,mic1_x,mic1_y,mic1_z\n0.0,1,2,1.5,3,4,1\n0.01,1.1,2,1.5,3,4,1\n"
DELAYS = b"event,mic,delay_s\n" + b"".join(b"a,m%d,%.6f\n" % (k, 0.001 * k) for k in range(5))

AUDACITY = b"0.5\t1.5\towl\n\\\t200.0\t4000.0\n2.0\t2.5\tjay\n"
RTTM = b"SPEAKER talk 1 0.500 1.250 <NA> <NA> anna <NA> <NA>\nSPEAKER talk 1 2.0 0.5 <NA> <NA> ben 0.93\n"
DCASE = b"".join(b"%d,1,0,-50,30,181\n%d,2,1,20,3,90\n" % (k, k) for k in range(4))
OPENSOUNDSCAPE = json.dumps([{
    "class_name": "owl", "duration": 1.0, "receiver_files": [f"m{k}" for k in range(5)], "bandpass_range": [200, 4000],
    "receiver_locations": PLACES.tolist(), "receiver_start_time_offsets": [0.5] * 5, "tdoas": [0.001 * k for k in range(5)],
}]).encode()  # fmt: skip
GEOJSON = json.dumps({"type": "FeatureCollection", "features": [
    {"type": "Feature", "properties": {"name": f"m{k}"},
     "geometry": {"type": "Point", "coordinates": [9 + k / 1e4, 48 + k / 2e4, z]}}
    for k, (_, _, z) in enumerate(PLACES.tolist())
]}).encode()  # fmt: skip
ODAS = b"mapping: { map: (1, 2, 3, 4, 5); }\ngeneral: { mics = (\n" + b",\n".join(
    b"{ mu = ( %.2f, %.2f, %.2f ); sigma2 = ( 1E-6, 0, 0, 0, 1E-6, 0, 0, 0, 1E-6 ); }" % (*row,) for row in PLACES
) + b"\n); }\n"  # fmt: skip


def delays_of(path: Path) -> object:
    return read_delays(path, Microphones(positions=PLACES, names=tuple(f"m{k}" for k in range(5))))


def known(listed: Microphones) -> list[np.ndarray]:
    return [listed.positions[listed.is_known], listed.sigma_m]


READERS = {
    "list.csv": Reader(".csv", lambda: CSV, read_microphones, known),
    "list.json": Reader(".json", lambda: json.dumps(LISTED).encode(), read_microphones, known),
    "list.yaml": Reader(".yaml", lambda: json.dumps(LISTED).encode(), read_microphones, known),
    "list.geojson": Reader(".geojson", lambda: GEOJSON, read_microphones, known),
    "list.cfg": Reader(".cfg", lambda: ODAS, read_microphones, known),
    "position_array": Reader(".txt", lambda: locata_files()["position_array_benchmark2.txt"], read_microphones, known),
    "position_source": Reader(".txt", lambda: locata_files()["position_source_a.txt"], read_locata("position_source_a.txt")),
    "required_time": Reader(".txt", lambda: locata_files()["required_time.txt"], read_locata("required_time.txt")),
    "timestamps": Reader(".txt", lambda: locata_files()[TIMESTAMPS], read_locata(TIMESTAMPS)),
    "delays": Reader(".csv", lambda: DELAYS, delays_of),
    "delays.json": Reader(".json", lambda: OPENSOUNDSCAPE, delays_of),
    "events.json": Reader(".json", lambda: OPENSOUNDSCAPE, read_events),
    "audacity": Reader(".txt", lambda: AUDACITY, read_events),
    "rttm": Reader(".rttm", lambda: RTTM, read_events),
    "dcase": Reader(".csv", lambda: DCASE, read_events),
    "bag.yaml": Reader(".yaml", lambda: bag_files()["metadata.yaml"], read_bag("metadata.yaml")),
    "bag.db3": Reader(".db3", lambda: bag_files()["bag.db3"], read_bag("bag.db3")),
    "bag.mcap": Reader(".mcap", lambda: bag_files("mcap")["bag.mcap"], read_bag("bag.mcap", "mcap")),
    "raven": Reader(".txt", lambda: RAVEN, read_events),
    "birdnet": Reader(".csv", lambda: BIRDNET, read_events),
    "locar": Reader(".csv", lambda: LOCAR, read_events),
    "scores": Reader(".csv", lambda: SCORES, read_events),
    "starts": Reader(".csv", lambda: STARTS, read_starts),
    "starts later": Reader(".csv", lambda: b"file,offset_s\na.wav,0.25\nb/c.wav,-1\n", read_starts),
    "corners": Reader(".csv", lambda: b"x,y\n0,0\n4,0\n4,3\n", read_corners),
    "scene": Reader(".scene", scene_bytes, read_members, of_scene),
    "scene.json": Reader(".json", scene_json, folder_scene),
    "truth.json": Reader(".json", lambda: TRUTH, read_truth),
    "manifest": Reader(".json", lambda: small_set()["manifest.json"],
                       among(small_set, "manifest.json", lambda folder: Shards(folder)[0])),
    "shard": Reader(".tar", lambda: small_set()["000000.tar"],
                    among(small_set, "000000.tar", lambda folder: Shards(folder)[0])),
    "room.npz": Reader(".npz", arrays, read_npz, lambda room: [room.responses, room.sources]),
    "tails": Reader(".npz", tails, lambda path: read_tails.__wrapped__(str(path), float(RATE)), list),
    "room.sofa": Reader(".sofa", sofa, read_sofa, lambda rooms: [room.responses for room in rooms]),
    "checkpoint": Reader(".safetensors", lambda: written(lambda path: checkpoint.save(tiny(), path), ".safetensors"),
                         lambda path: checkpoint.load_kind(path, THREE_STREAM), weights),
    "kinds": Reader(".safetensors", KINDS.read_bytes, load_kinds, weights),
    "ngcc": Reader(".safetensors", small_ngcc, ngcc.load, weights),
    "ngcc.pth": Reader(".pth", lambda: torch_bytes(ngcc.Ngcc(ngcc.NgccConfig()).state_dict()), ngcc.load, weights),
    "beats.pt": Reader(".pt", lambda: torch_bytes(published_beats()), beats.load, weights),
    "beats": Reader(".safetensors", converted_beats, beats.load, weights),
    "onnx.json": Reader(".json", lambda: exported_files()["network.json"],
                        among(exported_files, "network.json", read_exported)),
    "onnx": Reader(".onnx", lambda: exported_files()["mask.onnx"], among(exported_files, "mask.onnx", read_graph)),
    "answers": Reader(".json", answers, read_answers),
    "state": Reader(".safetensors", state, read_state),
    "part": Reader(".json", part, read_part),
    "qualisys": Reader(".tsv", lambda: written(lambda path: write_tsv(path, {"a": steady((1, 2, 3), 5)}, frames=5), ".tsv"),
                       read_qualisys, of_capture),
    "trajectory": Reader(".csv", lambda: written(lambda path: write_csv(path, frames=5), ".csv"),
                         read_trajectory, of_capture),
    "positions": Reader(".csv", lambda: POSITIONS, read_positions, of_capture),
    "wav": Reader(".wav", lambda: audio("WAV"), hear_all),
    "wav header": Reader(".wav", wave_with_chunks, read_start),
    "flac": Reader(".flac", lambda: audio("FLAC"), hear_all),
    "ogg": Reader(".ogg", lambda: audio("OGG"), hear_all),
    "mp3": Reader(".mp3", lambda: audio("MP3"), hear_all),
    "sound": Reader(".mp3", lambda: audio("MP3"), lambda path: read_heard(path, sample_rate=float(RATE))),
}  # fmt: skip
