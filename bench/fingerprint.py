"""SHA-256 of what soundfix writes: run it before and after a change that must change no number, and compare.

    python bench/fingerprint.py FOLDER [NAME_OF_LAST_STAGE.steps=10]

Commands alone are used, so that the same script runs on both sides of a change of layout. Times that a command took and
versions are left out of what is hashed; everything else counts, names in files too.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

RERANKING = sys.argv[2] if len(sys.argv) > 2 else "reranker.steps=10"
VOLATILE = {"seconds", "wall_s", "window_ms", "version", "created", "soundfix", "git", "time", "clock"}


def main(folder: Path) -> None:
    """Make everything in FOLDER and print a line a product."""
    folder.mkdir(parents=True, exist_ok=True)
    for make in (demo, shard, train, calibrate, evaluate):
        for name, digest in make(folder):
            print(f"{digest}  {name}", flush=True)


def demo(folder: Path):
    """The demo's answers, and those of `locate` on its recording with everything told."""
    lines = soundfix("demo", "--out", folder / "demo")
    yield "demo: lines", digest(lines.replace(str(folder), ""))
    take = [folder / "demo/scene.wav", "-m", folder / "demo/microphones.csv"]
    for name, options in {
        "three-stream": ["--explain"],
        "three-stream, smoothed, required": ["--smooth", "--hop", "0.25", "--require", "20cm 95% minus 1"],
        "srp-phat": ["--method", "srp-phat"],
        "multilateration": ["--method", "multilateration"],
        "multilat": ["--method", "multilat"],
    }.items():
        out = folder / f"{name.split(',')[0]}.json"
        lines = soundfix("locate", *take, *options, "--json", out, "--csv", out.with_suffix(".csv"))
        yield f"locate, {name}: JSON", digest(stripped(json.loads(out.read_text())))
        yield f"locate, {name}: CSV", digest(out.with_suffix(".csv").read_bytes())
        yield f"locate, {name}: lines", digest(lines.replace(str(folder), ""))
    out = folder / "check.json"
    lines = soundfix("check", *take, "--require", "20cm 95% minus 1", "--json", out)
    yield "check: JSON", digest(stripped(json.loads(out.read_text())))
    yield "check: lines", digest(lines.replace(str(folder), ""))


def shard(folder: Path):
    """A simulated set of eight scenes, as tar shards."""
    soundfix("simulate", folder / "set", "--world", "random-rooms", "--scenes", 8, "--shards", "--seed", 5)
    for path in sorted((folder / "set").glob("*.tar")):
        yield f"simulate: {path.name}", digest(path.read_bytes())


def train(folder: Path):
    """Forty training steps of the tiny recipe."""
    out = folder / "run"
    soundfix(
        "train", "tiny", "--data", folder / "set", "--out", out, "--workers", 0, "--device", "cpu",
        *[word for change in (*TINY_STEPS, RERANKING) for word in ("--set", change)],
    )  # fmt: skip
    weights = load_file(out / "model.safetensors")
    values = sorted(digest(np.ascontiguousarray(tensor).tobytes()) for tensor in weights.values())
    yield "train: weights, without their names", digest("".join(values))


TINY_STEPS = ("correlation.steps=10", "autoencoder.steps=10", "localization.steps=10")


def calibrate(folder: Path):
    """A walk of 20 s with two unknown positions, and one of whose clock is late."""
    walk = folder / "walk"
    soundfix(
        "simulate", walk, "--world", "luvira-twin", "--seed", 3, "--fault", "late:9:0.006",
        "--set", "duration_s=20", "--set", "share_moving=1", "--set", "roams=true", "--set", "moving_m_s=[0.5,0.7]",
    )  # fmt: skip
    rows = (walk / "microphones.csv").read_text().splitlines()
    header = rows[0].split(",")
    for m in (2, 5):
        cells = rows[m].split(",")
        for axis in "xyz":
            cells[header.index(axis)] = ""
        rows[m] = ",".join(cells)
    (walk / "blank.csv").write_text("\n".join(rows) + "\n")
    out = folder / "calibrated.csv"
    lines = soundfix(
        "calibrate", walk / "scene.wav", "-m", walk / "blank.csv", "--out", out, "--json", out.with_suffix(".json")
    )
    yield "calibrate: JSON", digest(stripped(json.loads(out.with_suffix(".json").read_text())))
    yield "calibrate: CSV", digest(out.read_bytes())
    yield "calibrate: lines", digest(lines.replace(str(folder), ""))


def evaluate(folder: Path):
    """Twenty clips of the twin, the default network and SRP-PHAT."""
    out = folder / "evaluated"
    soundfix("evaluate", "luvira-twin", "--clips", 20, "--methods", "three-stream,srp-phat", "--out", out)
    for path in sorted(out.rglob("*.jsonl")) + sorted(out.rglob("*.csv")):
        yield f"evaluate: {path.relative_to(out)}", digest(without_times(path))


def without_times(path: Path) -> str:
    """Rows of a JSON-lines or CSV file, without how long they took."""
    lines = path.read_text().splitlines()
    if path.suffix == ".jsonl":
        return "\n".join(json.dumps(stripped(json.loads(line)), sort_keys=True) for line in lines if line)
    columns = [k for k, name in enumerate(lines[0].split(",")) if name not in VOLATILE and not name.endswith("_ms")]
    return "\n".join(",".join(line.split(",")[k] for k in columns) for line in lines if line)


def stripped(value):
    """JSON without what differs from run to run."""
    if isinstance(value, dict):
        return {key: stripped(entry) for key, entry in value.items() if key not in VOLATILE}
    return [stripped(entry) for entry in value] if isinstance(value, list) else value


def soundfix(*words) -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "soundfix", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def digest(content) -> str:
    """SHA-256 of bytes, text or JSON."""
    if not isinstance(content, bytes | str):
        content = json.dumps(content, sort_keys=True)
    return hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
