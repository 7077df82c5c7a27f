"""Fifty clients at once, and some that mean no good: does each get its own answer, and how much memory does it take?

    python bench/service.py [--clients 50] [--seconds 10] [--method srp-phat]

Starts `soundfix serve`, sends every client's own recording (another place, another file) at the same moment, and compares
the answers with those of the library, one after another. Beside them: a client that ends in the middle of its upload, one
that says it sends more than it does, a file of zeros that unpacks to hours, a name that is a path. Printed: how many
answers came, how many were another's, the longest and the median wait, and the largest memory of service and worker.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import soundfile

import soundfix

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.service import LIST, recording, sent

PLACES_M = np.random.default_rng(1).uniform([0.5, 0.5, 0.8], [3.5, 2.5, 1.8], (200, 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--method", default="srp-phat")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), given)


def run(folder: Path, given: argparse.Namespace) -> None:
    (folder / "list.csv").write_text(LIST)
    takes = [
        recording(folder / f"take{k}.wav", seconds=given.seconds, source=PLACES_M[k], seed=k)
        for k in range(given.clients)
    ]
    port, started = free_port(), time.monotonic()
    words = [sys.executable, "-m", "soundfix", "serve", "--folder", folder / "service", "--port", str(port)]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600)
    try:
        wait_for(client)
        print(f"ready after {time.monotonic() - started:.1f} s")
        started = time.monotonic()
        client.post("/locate", files=sent(takes[0])).raise_for_status()
        print(f"first answer of the default, {given.seconds:g} s of sound: {time.monotonic() - started:.1f} s more")
        before, refused = memory_mib(process.pid), [*spoiled(client, folder, port)]
        with ThreadPoolExecutor(given.clients) as pool:
            answers = list(pool.map(lambda take: asked(client, take, given.method), takes))
        print("refused: " + ", ".join(refused))
        print(told(answers, takes, folder, given.method))
        print(f"memory, MiB (service and worker): {before} before, {memory_mib(process.pid)} at most")
    finally:
        process.kill()
        process.wait()


def asked(client: httpx.Client, take: Path, method: str) -> tuple[float, httpx.Response]:
    """Seconds until the answer, and the answer."""
    started = time.monotonic()
    answer = client.post("/locate?wait=300", files=sent(take), data={"method": method})
    return time.monotonic() - started, answer


def told(answers: list[tuple[float, httpx.Response]], takes: list[Path], folder: Path, method: str) -> str:
    """How many came, and how many are those of the library."""
    waits = [wait for wait, _ in answers]
    good = [answer.status_code == 200 for _, answer in answers]
    same = [
        answer.json()["estimates"][3]
        == soundfix.locate(take, microphones=folder / "list.csv", method=method).to_dict()["estimates"][3]
        for (_, answer), take in zip(answers, takes, strict=True)
        if answer.status_code == 200
    ]
    return (
        f"{sum(good)} of {len(good)} answered, {sum(same)} of them as the library does; "
        f"waited {np.median(waits):.1f} s (median), {max(waits):.1f} s at most"
    )


def spoiled(client: httpx.Client, folder: Path, port: int) -> list[str]:
    """What becomes of clients that mean no good."""
    silence = folder / "bomb.flac"
    soundfile.write(silence, np.zeros((16000 * 7200, 1), np.int16), 16000)
    bomb = client.post("/locate", files=sent(silence, listed="name,x,y,z\nm0,0,0,0\n"))
    path = client.post(
        "/locate", files=[("audio", ("../../x.wav", b"RIFF")), ("microphones", ("l.csv", LIST.encode()))]
    )
    half_sent(port, b"Content-Length: 100000\r\n\r\nabc")
    half_sent(port, b"Content-Length: 99999999999\r\n\r\nabc")
    return [f"a bomb of {silence.stat().st_size} bytes {bomb.status_code}", f"a path {path.status_code}"]


def half_sent(port: int, rest: bytes) -> None:
    """A request that ends in the middle."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.sendall(b"POST /locate HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n" + rest)


def memory_mib(pid: int) -> list[int]:
    """Largest resident memory so far, of a process and its children."""
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    peaks = [Path(f"/proc/{each}/status").read_text() for each in (pid, *children) if os.path.exists(f"/proc/{each}")]
    found = (re.search(r"VmHWM:\s+(\d+)", text) for text in peaks)
    return [int(each[1]) // 1024 for each in found if each and int(each[1]) > 30_000]


def wait_for(client: httpx.Client) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            if client.get("/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise SystemExit("the service did not start")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
