"""What is left when a command is killed, told to stop, has no disk or no reader, or runs twice at once: a table.

    python bench/crashes.py [--commands locate,calibrate,simulate,archive] [--kills 100] [--write docs/crashes.md]

Every command is started, disturbed, and then run again as a user would. `same`: the second run ends well with the results
of a run that nothing disturbed, and nothing half written is left. `refused`: it says why not, in a sentence. `wrong` is
anything else: other results, a traceback, a run that says that all is well though its files are not there. Disks are small
ones in memory (root mounts them; without root those rows are left out).
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from safetensors.torch import load_file

SIZES, PAGE_KB = 12, 4  # of disks that are too small, from next to nothing to all but enough
ENDED_S = 900.0  # machines are busy
BROKEN = "Traceback"


class Command(NamedTuple):
    """words: with OUT and TAKE in them. again: what is said beside, the second time. results: of a folder."""

    words: str
    results: Callable[[Path], object]
    again: str = ""
    slower: int = 1  # times as few kills: it takes so many times as long


def main() -> int:
    given = arguments()
    rows: list[tuple[str, str, Counter[str]]] = []
    with tempfile.TemporaryDirectory() as folder:
        take = Path(folder) / "take"
        run(f"simulate {take} --world luvira-twin --set duration_s=3 --seed 3")
        season(take)
        for name in given.commands.split(","):
            for event, outcomes in disturbed(COMMANDS[name], Path(folder), take, given.kills):
                rows.append((name, event, outcomes))
                print(f"{name:10} {event:24} {dict(outcomes)}", flush=True)
    text = table(rows)
    print(text)
    if given.write:
        Path(given.write).write_text(PAGE.format(table=text), "utf-8")
    return sum(outcomes["wrong"] for *_, outcomes in rows)


def season(take: Path) -> None:
    """The take six times, five minutes apart."""
    (take / "season").mkdir()
    for number in range(6):
        shutil.copy(take / "scene.wav", take / "season" / f"take_20220620_06{5 * number:02d}00.wav")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", default=",".join(COMMANDS))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--write", help="page to write the table to")
    return parser.parse_args()


def disturbed(command: Command, folder: Path, take: Path, kills: int) -> Iterator[tuple[str, Counter[str]]]:
    """Every way to disturb it, and how often it ended how."""
    rng = random.Random(0)
    whole = folder / "whole"
    started = time.monotonic()
    assert run(words(command, whole, take)).returncode == 0
    lasts_s, wanted = time.monotonic() - started, command.results(whole)
    size_kb = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file()) / 1024

    def ended(how: Callable[[str, Path], bool], place: Path) -> str:
        """how: starts the words, disturbs them, and says whether they behaved."""
        behaved = how(words(command, place, take), place)
        outcome = again(command, place, take, wanted) if behaved else "wrong"
        empty(place)
        return outcome

    count = max(1, kills // command.slower)
    out = folder / "out"
    for sign, times in ((signal.SIGKILL, count), (signal.SIGTERM, count // 5 + 1), (signal.SIGINT, count // 5 + 1)):
        how = [signalled(sign, rng.uniform(0, lasts_s)) for _ in range(times)]
        yield f"{sign.name}, any moment", Counter(ended(each, out) for each in how)
    yield "nobody reads its output", Counter([ended(unread, out)])
    yield "two at once", Counter(ended(twice, out) for _ in range(count // 20 + 1))
    if os.geteuid() == 0:
        on_disk = partial(on_small_disk, ended, folder / "disk", lambda place: bool(command.results(place) == wanted))
        sizes = {max(PAGE_KB, int(size_kb * k / SIZES) // PAGE_KB * PAGE_KB) for k in range(SIZES)}
        yield "disk full", Counter(map(on_disk, sorted(sizes)))
        yield "disk read-only", Counter([on_disk(None)])
    shutil.rmtree(whole)


def words(command: Command, out: Path, take: Path, more: str = "") -> str:
    out.mkdir(exist_ok=True)
    return f"{command.words} {more}".replace("OUT", str(out)).replace("TAKE", str(take))


def start(line: str, **options: object) -> "subprocess.Popen[str]":
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "soundfix", *line.split()], text=True, env=env, start_new_session=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
    )  # fmt: skip


def run(line: str) -> "subprocess.CompletedProcess[str]":
    process = start(line)
    out, complaint = process.communicate(timeout=ENDED_S)
    return subprocess.CompletedProcess(line, process.returncode, out, complaint)


def again(command: Command, out: Path, take: Path, wanted: object) -> str:
    """How the second run ends. Where it will not go on, a run as the first one is tried too."""
    second = run(words(command, out, take, command.again))
    if second.returncode and command.again and BROKEN not in second.stderr:
        second = run(words(command, out, take))
    if BROKEN in second.stderr or second.returncode < 0:
        return report("wrong", second.stderr)
    if second.returncode:
        return "refused" if second.stderr.strip() else "wrong"
    left = [*out.rglob(".soundfix-*.part")]
    return "same" if command.results(out) == wanted and not left else report("wrong", f"other results, or left: {left}")


def is_calm(complaint: str) -> bool:
    """Whether it ended without a traceback; else that is printed."""
    if BROKEN in complaint:
        report("wrong", complaint)
    return BROKEN not in complaint


def report(outcome: str, why: str) -> str:
    print(f"    {outcome}: {why.strip()[-400:]}", flush=True)
    return outcome


def signalled(sign: signal.Signals, after_s: float) -> Callable[[str, Path], bool]:
    """To the process alone, as a user's kill does; its children are then to go by themselves."""

    def how(line: str, _out: Path) -> bool:
        process = start(line)
        time.sleep(after_s)
        process.send_signal(sign)
        return is_calm(process.communicate(timeout=ENDED_S)[1])

    return how


def unread(line: str, _out: Path) -> bool:
    reader, writer = os.pipe()
    process = start(line, stdout=writer)
    os.close(reader)
    os.close(writer)
    return is_calm(process.communicate(timeout=ENDED_S)[1])


def twice(line: str, _out: Path) -> bool:
    both = [start(line) for _ in range(2)]
    return is_calm("".join(process.communicate(timeout=ENDED_S)[1] for process in both))


def on_small_disk(ended: Callable[..., str], place: Path, is_whole: Callable[[Path], bool], size_kb: int | None) -> str:
    """On a disk of this size, that is large enough the second time; None: it can only be read at first."""

    def how(line: str, out: Path) -> bool:
        first = run(line)
        remount("size=64m,rw")
        is_told = first.returncode > 0 and BROKEN not in first.stderr and bool(first.stderr.strip())
        behaved = is_told or (first.returncode == 0 and is_whole(out))
        if not behaved:
            report("wrong", f"status {first.returncode}: {first.stderr}")
        return behaved

    def remount(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)

    with disk(place, f"size={size_kb or 1024}k"):
        if size_kb is None:
            remount("ro")
        return ended(how, place)


@contextmanager
def disk(place: Path, options: str) -> Iterator[None]:
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def texts(*names: str) -> Callable[[Path], object]:
    """These files, byte by byte."""
    return lambda out: [(out / name).read_bytes() if (out / name).exists() else None for name in names]


def shards(out: Path) -> object:
    return {path.name: path.read_bytes() for path in sorted(out.rglob("*.tar"))}


def answers(out: Path) -> object:
    """Of every window, without the time it took; what a kill left of a line ends before the next one."""
    lines = (out / "windows.jsonl").read_text().splitlines() if (out / "windows.jsonl").exists() else []
    told = [json.loads(line) for line in lines if line.endswith("}")]
    for each in told:
        each.pop("seconds", None)
    return sorted(json.dumps(each, sort_keys=True) for each in told)


def weights(out: Path) -> object:
    path = out / "model.safetensors"
    return {name: each.tolist() for name, each in load_file(path).items()} if path.exists() else None


def table(rows: list[tuple[str, str, Counter[str]]]) -> str:
    lines = ["| command | disturbed | times | same | refused | wrong |", "|---|---|---|---|---|---|"]
    for name, event, seen in rows:
        counts = " | ".join(str(seen[outcome]) for outcome in ("same", "refused", "wrong"))
        lines.append(f"| `{name}` | {event} | {sum(seen.values())} | {counts} |")
    return "\n".join(lines)


COMMANDS = {
    "locate": Command(
        "locate TAKE/scene.wav --microphones TAKE/microphones.csv --method srp-phat --csv OUT/answers.csv"
        " --json OUT/answers.json",
        texts("answers.csv", "answers.json"),
    ),
    "calibrate": Command(
        "calibrate TAKE/scene.wav --microphones TAKE/microphones.csv --out OUT/microphones.csv",
        texts("microphones.csv"),
    ),
    "simulate": Command("simulate OUT/set --shards --scenes 8 --world clean-rooms --set duration_s=0.5", shards),
    "evaluate": Command("evaluate luvira-twin --out OUT --methods srp-phat,multilat --clips 6", answers, slower=2),
    "archive": Command(
        "archive TAKE/season --microphones TAKE/microphones.csv --out OUT --method srp-phat --every --workers 2",
        texts("answers.csv", "answers.parquet"),
        slower=2,
    ),
    "train": Command(
        "train tiny --data clean-rooms --out OUT --workers 0 --set correlation.steps=0 --set autoencoder.steps=0"
        " --set localization.steps=240 --set localization.batch=1",
        weights,
        again="--resume",
        slower=5,
    ),
}
PAGE = """# What is left when a command is disturbed

No file is ever half written: after a kill, a full disk or a second run in the same folder the command is run again, and ends
with the results of a run that nothing disturbed, or says in a sentence why not.

`bench/crashes.py` starts each command, disturbs it and runs it again. *same*: the second run gives the same results, bit for
bit (without the seconds that answers took), and leaves nothing half written. *refused*: it says why it does not go on.
*wrong*: anything else. Disks that are full are small ones in memory, of sizes between nothing and all but enough.

{table}

Not shown: a power cut (files are on the disk before they take the place of others, `atomic.py`), network drives, Windows.
"""

if __name__ == "__main__":
    sys.exit(main())
