"""Sparse cross-attention in its two forms: when does fetching the kept keys' values save time?

    python bench/attention.py [--out docs/attention.md]

Both forms need all scores; the masked one then multiplies zero weights too, the gathered one fetches the kept values.
Times are medians over the same inputs in the same run, forward only, 4 heads of 32, one thread.
attention.py takes its rule (GATHER_SHARE, GATHER_ANYWAY) from here.
"""

import argparse
import time
from pathlib import Path

import torch

from soundfix.networks.attention import dense_attention, gathered_attention, is_gather_faster, masked_attention

HEADS, WIDTH = 4, 32
SIZES = (
    (23, 110),
    (23, 600),
    (33, 992),
    (65, 2048),
    (65, 8064),
    (512, 8064),
)  # queries and keys: 11 microphones, ... 64
SHARES = (0.01, 0.02, 0.05, 0.1, 0.3)
REPEATS = 9


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--out", type=Path)
    torch.set_num_threads(1)
    lines = table()
    out = options.parse_args().out
    if out:
        out.write_text("\n".join(["# Sparse attention: gathered or masked (bench/attention.py)", "", *lines]) + "\n")


def table() -> list[str]:
    """One row a size and share, printed as they come."""
    lines: list[str] = []
    say(lines, "| queries | keys | share kept | dense ms | masked ms | gathered ms | gathered / masked | chosen |")
    say(lines, "|---|---|---|---|---|---|---|---|")
    for queries, keys in SIZES:
        q, k, v = torch.randn(1, HEADS, queries, WIDTH), *torch.randn(2, 1, HEADS, keys, WIDTH)
        dense = milliseconds(lambda q=q, k=k, v=v: dense_attention(q, k, v))
        for share in SHARES:
            kept = max(1, round(share * keys))
            times = [
                milliseconds(
                    lambda q=q, k=k, v=v, kept=kept, form=form: form(
                        q @ k.transpose(-1, -2), v, kept=torch.tensor(kept)
                    )
                )
                for form in (masked_attention, gathered_attention)
            ]
            chosen = "gathered" if is_gather_faster(kept, keys) else "masked"
            say(
                lines,
                f"| {queries} | {keys} | {share:.0%} | {dense:.2f} | {times[0]:.2f} | {times[1]:.2f} "
                f"| {times[1] / times[0]:.2f} | {chosen} |",
            )
    return lines


def say(lines: list[str], line: str) -> None:
    print(line, flush=True)
    lines.append(line)


@torch.inference_mode()
def milliseconds(work) -> float:
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * sorted(times[1:])[REPEATS // 2]


if __name__ == "__main__":
    main()
