"""Small changes that make a file hostile: bytes flipped, cut, repeated; values of a JSON exchanged; sizes that overflow."""

import json
import re
from collections.abc import Iterator

import numpy as np

DEEP = "[" * 3000 + "]" * 3000
VALUES = (
    None, True, "", "x", -1, 0, 1.5, 1e308, -1e308, 10**30, 2**63, -(2**63), 10**6, float("nan"), float("inf"), [], {}, [[]],
    [None], {"": 1}, "\x00", "9" * 400, [1] * 50,
)  # fmt: skip
TEXTS = (b"-1", b"0", b"1e400", b"nan", b"inf", b"-inf", b"9" * 30, b"1e-320", b"99999999999", b"0x10", b"")
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 44)


def mutated(whole: bytes, rng: np.random.Generator) -> bytes:
    """One to four changes, the kinds drawn; of a file with JSON in it often of one of its values."""
    for _ in range(int(rng.integers(1, 5))):
        change = CHANGES[rng.integers(len(CHANGES))]
        whole = change(whole, rng) if whole else b"\x00"
    return whole


def _flipped(whole: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(len(whole)))
    return whole[:at] + bytes([whole[at] ^ (1 << int(rng.integers(8)))]) + whole[at + 1 :]


def _early_flipped(whole: bytes, rng: np.random.Generator) -> bytes:
    """Where headers are."""
    head = min(len(whole), 512)
    return _flipped(whole[:head], rng) + whole[head:]


def _cut(whole: bytes, rng: np.random.Generator) -> bytes:
    return whole[: int(rng.integers(len(whole) + 1))]


def _without(whole: bytes, rng: np.random.Generator) -> bytes:
    at, count = int(rng.integers(len(whole))), int(rng.integers(1, 64))
    return whole[:at] + whole[at + count :]


def _repeated(whole: bytes, rng: np.random.Generator) -> bytes:
    at, count = int(rng.integers(len(whole))), int(rng.integers(1, 256))
    return whole[: at + count] + whole[at:]


def _numbered(whole: bytes, rng: np.random.Generator) -> bytes:
    """Four bytes as a number that sizes are afraid of."""
    at = int(rng.integers(max(len(whole) - 4, 1)))
    number = int(NUMBERS[rng.integers(len(NUMBERS))])
    return whole[:at] + number.to_bytes(4, "little") + whole[at + 4 :]


def _renumbered(whole: bytes, rng: np.random.Generator) -> bytes:
    """A number in the text as another one."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", whole[:100_000]))
    if not found:
        return _numbered(whole, rng)
    one = found[rng.integers(len(found))]
    other = (b"-1", b"0", b"1e400", b"nan", b"inf", b"-inf", b"9" * 30, b"1e-320", b"99999999999", b"0x10", b"")[
        rng.integers(11)
    ]
    return whole[: one.start()] + other + whole[one.end() :]


def _another_value(whole: bytes, rng: np.random.Generator) -> bytes:
    """A value of the JSON in it, if there is any, exchanged; the length before it stays right."""
    span = json_within(whole)
    if span is None:
        return _renumbered(whole, rng)
    first, last = span
    text = changed_json(whole[first:last].decode("latin-1"), rng).encode("latin-1", "replace")
    return _with_length(whole[:first], last - first, len(text)) + text + whole[last:]


def changed_json(text: str, rng: np.random.Generator) -> str:
    """One value exchanged or taken out; a text that is JSON itself is often changed within."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):  # changed before
        return text[::-1]
    places = list(_places(document))
    if not places:
        return text
    holder, key = places[rng.integers(len(places))]
    value, choice = holder[key], int(rng.integers(len(VALUES) + 2))
    if isinstance(value, str) and value.startswith("{") and rng.random() < 0.8:
        holder[key] = changed_json(value, rng)
    elif choice == len(VALUES):
        del holder[key]
    else:
        holder[key] = VALUES[choice] if choice < len(VALUES) else "@deep@"
    return json.dumps(document).replace('"@deep@"', DEEP)


def _with_length(before: bytes, length: int, now: int) -> bytes:
    """What stands before the JSON; if it is the length of that, the new one."""
    is_told = len(before) in (4, 8) and int.from_bytes(before, "little") - length in range(16)
    return (now + int.from_bytes(before, "little") - length).to_bytes(len(before), "little") if is_told else before


def json_within(whole: bytes) -> tuple[int, int] | None:
    """From where to where there is an object."""
    first = whole.find(b"{", 0, 64)
    if first < 0:
        return None
    try:
        document, length = json.JSONDecoder().raw_decode(whole[first:].decode("latin-1"))
    except (ValueError, RecursionError):
        return None
    return (first, first + length) if isinstance(document, dict) else None


def _places(document: object) -> Iterator[tuple[object, object]]:
    """Every holder of a value and its key."""
    waiting = [document]
    while waiting:
        holder = waiting.pop()
        keys = range(len(holder)) if isinstance(holder, list) else list(holder) if isinstance(holder, dict) else []
        for key in keys:
            yield holder, key
            waiting.append(holder[key])


CHANGES = (
    _flipped, _early_flipped, _early_flipped, _cut, _without, _repeated, _numbered, _renumbered, _renumbered, _another_value,
    _another_value, _another_value,
)  # fmt: skip
