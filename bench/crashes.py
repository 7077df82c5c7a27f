"""What is left when a command is killed, told to stop, has no disk or no reader, or runs twice at once: a table.

    python bench/crashes.py [--commands locate,archive,serve] [--kills 100] [--writes 100] [--write docs/crashes.md]

Every command is started, disturbed, and then run again as a user would. `same`: the second run ends well with the results
of a run that nothing disturbed, and nothing half written is left. `refused`: it says why not, in a sentence. `wrong` is
anything else: other results, a traceback, a run that says that all is well though its files are not there. Disks are small
ones in memory (root mounts them; without root those rows are left out).

Commands are forked from this process, in which everything is imported, so that most moments are moments of work. A write
that fails is one that a small library (made with cc; without it those rows are left out) refuses as a full disk does.
Rows of other commands and events stay on the page.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.service import sent
from started import ENDED_S, Ended, Started, import_all

SIZES, PAGE_KB = 12, 4  # of disks that are too small, from next to nothing to all but enough
BROKEN = "Traceback"
FAILS, UNDER, MARK = "FAIL_WRITE", "FAIL_UNDER", "FAIL_MARK"  # the number of a write, the folder, a byte a write there


class Command(NamedTuple):
    """words: with OUT and TAKE in them. again: what is said beside, the second time. results: of a folder."""

    words: str
    results: Callable[[Path], object]
    again: str = ""
    slower: int = 1  # times as few kills: it takes so many times as long


def main() -> int:
    given = arguments()
    with_refusals()
    import_all()
    rows: list[Row] = []
    folder = Path(tempfile.mkdtemp())  # no TemporaryDirectory: forked processes would remove it
    try:
        for name, event, outcomes in disturbances(given, folder):
            rows.append((name, event, outcomes))
            print(f"{name:10} {event:24} {dict(outcomes)}", flush=True)
            if given.write:
                rewrite(Path(given.write), rows)
    finally:
        shutil.rmtree(folder)
    print(table(rows))
    return sum(outcomes["wrong"] for *_, outcomes in rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", default=",".join([*COMMANDS, SERVE]))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--writes", type=int, default=100, help="of one run at most that fail, spread over all")
    parser.add_argument("--write", help="page to write the table to")
    return parser.parse_args()


def with_refusals() -> None:
    """This program again, with the library that refuses writes."""
    if "LD_PRELOAD" in os.environ or not shutil.which("cc"):
        return
    folder = Path(tempfile.mkdtemp(prefix="refusing-"))
    source = Path(__file__).with_name("refusing.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "refusing.so", source, "-ldl"], check=True)
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"LD_PRELOAD": str(folder / "refusing.so")})


def disturbances(given: argparse.Namespace, folder: Path) -> "Iterator[Row]":
    """Of every command in turn."""
    take = folder / "take"
    made = run(f"simulate {take} --world luvira-twin --set duration_s=3 --seed 3")
    assert made.returncode == 0, made.stderr
    season(take)
    for name in given.commands.split(","):
        if name == SERVE:
            outcomes = served(folder, take, max(1, given.kills // 10))
        else:
            outcomes = disturbed(COMMANDS[name], folder, take, given.kills, given.writes)
        for event, seen in outcomes:
            yield name, event, seen


def season(take: Path) -> None:
    """The take six times, five minutes apart."""
    (take / "season").mkdir()
    for number in range(6):
        shutil.copy(take / "scene.wav", take / "season" / f"take_20220620_06{5 * number:02d}00.wav")


def disturbed(
    command: Command, folder: Path, take: Path, kills: int, writes: int
) -> Iterator[tuple[str, Counter[str]]]:
    """Every way to disturb it, and how often it ended how."""
    rng = random.Random(0)
    whole = folder / "whole"
    started = time.monotonic()
    first = run(words(command, whole, take))
    assert first.returncode == 0, first.stderr
    lasts_s, wanted = time.monotonic() - started, command.results(whole)
    size_kb = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file()) / 1024

    def is_whole(place: Path) -> bool:
        return bool(command.results(place) == wanted)

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
    if "LD_PRELOAD" in os.environ:
        total = count_writes(words(command, out, take), out)
        empty(out)
        numbers = sorted({1 + k * total // min(writes, total) for k in range(min(writes, total))})
        found = Counter(ended(partial(refusing, is_whole, number), out) for number in numbers)
        yield f"a write fails: {'each' if len(numbers) == total else len(numbers)} of {total}", found
    if os.geteuid() == 0:
        on_disk = partial(on_small_disk, ended, folder / "disk", is_whole)
        sizes = {max(PAGE_KB, int(size_kb * k / SIZES) // PAGE_KB * PAGE_KB) for k in range(SIZES)}
        yield "disk full", Counter(map(on_disk, sorted(sizes)))
        yield "disk read-only", Counter([on_disk(None)])
    shutil.rmtree(whole)


def words(command: Command, out: Path, take: Path, more: str = "") -> str:
    out.mkdir(exist_ok=True)
    return f"{command.words} {more}".replace("OUT", str(out)).replace("TAKE", str(take))


def run(line: str, environment: Mapping[str, str] | None = None) -> Ended:
    return Started(line, environment).ended()


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
        started = Started(line)
        time.sleep(after_s)
        with suppress(ProcessLookupError):
            os.kill(started.pid, sign)
        return is_calm(started.ended().stderr)

    return how


def unread(line: str, _out: Path) -> bool:
    """By an interpreter of its own: what it says at its very end counts."""
    reader, writer = os.pipe()
    words = [sys.executable, "-m", "soundfix", *line.split()]
    process = subprocess.Popen(words, stdout=writer, stderr=subprocess.PIPE, text=True, start_new_session=True)
    os.close(reader)
    os.close(writer)
    return is_calm(process.communicate(timeout=ENDED_S)[1])


def twice(line: str, _out: Path) -> bool:
    both = [Started(line) for _ in range(2)]
    return is_calm("".join(each.ended().stderr for each in both))


def count_writes(line: str, out: Path) -> int:
    mark = out.with_name("mark")
    run(line, {FAILS: "0", UNDER: str(out), MARK: str(mark)})
    count = mark.stat().st_size
    mark.unlink()
    return count


def refusing(is_whole: Callable[[Path], bool], number: int, line: str, out: Path) -> bool:
    """One write of all fails, as on a full disk: it says so, or had no need of it."""
    return is_told(run(line, {FAILS: str(number), UNDER: str(out), MARK: os.devnull}), is_whole, out)


def is_told(first: Ended, is_whole: Callable[[Path], bool], out: Path) -> bool:
    """Whether a run that could not write said so; else its files must be there."""
    said = first.returncode > 0 and BROKEN not in first.stderr and bool(first.stderr.strip())
    behaved = said or (first.returncode == 0 and is_whole(out))
    if not behaved:
        report("wrong", f"status {first.returncode}: {first.stderr}")
    return behaved


def on_small_disk(ended: Callable[..., str], place: Path, is_whole: Callable[[Path], bool], size_kb: int | None) -> str:
    """On a disk of this size, that is large enough the second time; None: it can only be read at first."""

    def how(line: str, out: Path) -> bool:
        first = run(line)
        remount("size=64m,rw")
        return is_told(first, is_whole, out)

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


def served(folder: Path, take: Path, kills: int) -> Iterator[tuple[str, Counter[str]]]:
    """A service that is killed while a job waits or runs: the next one in its folder does it again, or says why not."""
    rng, started = random.Random(0), time.monotonic()
    with service(folder / "whole") as (_, client):
        wanted = result(client, asked(client, take))
        lasts_s = time.monotonic() - started
    assert isinstance(wanted, list), wanted
    moments = [rng.uniform(0, lasts_s) for _ in range(kills)]
    yield "SIGKILL, with a job", Counter(killed(folder / "out", take, wanted, [each]) for each in moments)
    often = [moments[: k + 2] for k in range(max(1, kills // 5))]
    yield "SIGKILL, twice or more", Counter(killed(folder / "out", take, wanted, each) for each in often)


def killed(folder: Path, take: Path, wanted: object, after_s: list[float]) -> str:
    """What becomes of a job whose service is killed so long after it began, and the next ones too."""
    name = ""
    for wait_s in after_s:
        with service(folder) as (process, client):
            name = name or asked(client, take)
            time.sleep(wait_s)
            process.kill()
    with service(folder) as (_, client):
        found = result(client, name)
    shutil.rmtree(folder)
    told = "refused" if isinstance(found, str) and found else "wrong"
    return "same" if found == wanted else report(told, str(found)[:300])


@contextmanager
def service(folder: Path) -> "Iterator[tuple[subprocess.Popen[str], httpx.Client]]":
    words = [sys.executable, "-m", "soundfix", "serve", "--folder", str(folder), "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        with httpx.Client(base_url=process.stdout.readline().strip(), timeout=ENDED_S) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()


def asked(client: httpx.Client, take: Path) -> str:
    """The id of a job."""
    files = sent(take / "scene.wav", (take / "microphones.csv").read_text())
    answer = client.post("/locate?wait=0", files=files, data={"method": "srp-phat"})
    return str(answer.json()["id"])


def result(client: httpx.Client, name: str) -> object:
    """Its estimates, or the sentence that says why there are none."""
    while (answer := client.get(f"/jobs/{name}/result")).status_code == 202:
        time.sleep(0.1)
    return answer.json().get("estimates") or answer.json().get("detail")


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


Row = tuple[str, str, "Counter[str]"]
SHOWN = re.compile(r"^\| `(\w+)` \| (.*) \| \d+ \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
OUTCOMES = ("same", "refused", "wrong")


def table(rows: list[Row]) -> str:
    lines = ["| command | disturbed | times | same | refused | wrong |", "|---|---|---|---|---|---|"]
    for name, event, seen in rows:
        counts = " | ".join(str(seen[outcome]) for outcome in OUTCOMES)
        lines.append(f"| `{name}` | {event} | {sum(seen.values())} | {counts} |")
    return "\n".join(lines)


def rewrite(page: Path, rows: list[Row]) -> None:
    """With these rows, and what stands there of other commands and events."""
    found = SHOWN.findall(page.read_text("utf-8")) if page.exists() else []
    kept = [
        (name, event, Counter(dict(zip(OUTCOMES, map(int, counts), strict=True)))) for name, event, *counts in found
    ]
    every = {(name, event): seen for name, event, seen in [*kept, *rows]}
    order = [*COMMANDS, SERVE]
    listed = [(name, event, seen) for (name, event), seen in every.items()]
    page.write_text(PAGE.format(table=table(sorted(listed, key=lambda row: order.index(row[0])))), "utf-8")


SERVE = "serve"
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
with the results of a run that nothing disturbed, or says in a sentence why not. A service that is killed does its job once
more when it is started again; where that happened twice, it gives it up and says so.

`bench/crashes.py` starts each command, disturbs it and runs it again. *same*: the second run gives the same results, bit for
bit (without the seconds that answers took), and leaves nothing half written. *refused*: it says why it does not go on.
*wrong*: anything else. Disks that are full are small ones in memory, of sizes between nothing and all but enough. *A write
fails*: one write, fsync, rename or mkdir of those in the folder of results, as on a full disk, and the next ones do not.

{table}

Not shown: a power cut (files are on the disk before they take the place of others, `atomic.py`), network drives, Windows.
"""

if __name__ == "__main__":
    sys.exit(main())
