"""Small changes that make a file hostile: bytes flipped, cut, repeated; values of a JSON exchanged; sizes that overflow."""

import json
import re
from collections.abc import Iterator
from random import Random

LONGEST_JSON, LONG = 2**18, 100_000
DEEP = "[" * 3000 + "]" * 3000
VALUES = (
    None, True, "", "x", -1, 0, 1.5, 1e308, -1e308, 10**30, 2**63, -(2**63), 10**6, float("nan"), float("inf"), [], {}, [[]],
    [None], {"": 1}, "\x00", "9" * 400, [1] * 50,
)  # fmt: skip
TEXTS = (b"-1", b"0", b"1e400", b"nan", b"inf", b"-inf", b"9" * 30, b"1e-320", b"99999999999", b"0x10", b"")
SWELLS = 0.005  # such files take long to read
STRANGE = (
    b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\x85", b"\xe2\x80\xa8", b'"', b"'", b";", b"\t", b",", b"#", b"{",
    b"[", b"\\",
    b"\xed\xa0\x80", b"\xd9\xa3", b"1_0", b"%s", b"../", b"&a *a", b"!!python/object:a.b {}", b" " * 300, b"9" * 5000,
)  # fmt: skip
BETWEEN = (b"\n", b"\n", b",", b"\t", b" ")
NUMBER = re.compile(rb"-?\d+(\.\d+)?")
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 44)


def mutated(whole: bytes, rng: Random) -> bytes:
    """One to four changes, the kinds drawn; of a file with JSON in it often of one of its values."""
    for _ in range(rng.randrange(1, 5)):
        change = _swollen if rng.random() < SWELLS else rng.choice(CHANGES)
        whole = change(whole, rng) if whole else b"\x00"
    return whole


def _flipped(whole: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(whole))
    return whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :]


def _swollen(whole: bytes, rng: Random) -> bytes:
    """A few bytes repeated to a hundred thousand: what looks at each of them again for each of them takes too long."""
    at, count = rng.randrange(len(whole)), rng.randrange(1, 8)
    piece = rng.choice((whole[at : at + count], rng.choice(STRANGE)[:8]))
    return whole[:at] + piece * (LONG // len(piece)) + whole[at:]


def _early_flipped(whole: bytes, rng: Random) -> bytes:
    """Where headers are."""
    head = min(len(whole), 512)
    return _flipped(whole[:head], rng) + whole[head:]


def _cut(whole: bytes, rng: Random) -> bytes:
    return whole[: rng.randrange(len(whole) + 1)]


def _without(whole: bytes, rng: Random) -> bytes:
    at, count = rng.randrange(len(whole)), rng.randrange(1, 64)
    return whole[:at] + whole[at + count :]


def _repeated(whole: bytes, rng: Random) -> bytes:
    at, count = rng.randrange(len(whole)), rng.randrange(1, 256)
    return whole[: at + count] + whole[at:]


def _numbered(whole: bytes, rng: Random) -> bytes:
    """Four bytes as a number that sizes are afraid of."""
    at = rng.randrange(max(len(whole) - 4, 1))
    return whole[:at] + rng.choice(NUMBERS).to_bytes(4, rng.choice(("little", "big"))) + whole[at + 4 :]


def _renumbered(whole: bytes, rng: Random) -> bytes:
    """A number in the text, the first one after some place, as another one."""
    one = NUMBER.search(whole, rng.randrange(len(whole))) or NUMBER.search(whole)
    if one is None:
        return _numbered(whole, rng)
    return whole[: one.start()] + rng.choice(TEXTS) + whole[one.end() :]


def _relined(whole: bytes, rng: Random) -> bytes:
    """A line, or a cell of one, left out, twice, or in the place of another; of what has no lines, bytes."""
    between = rng.choice(BETWEEN)
    parts = whole.split(between, 400)
    if len(parts) == 1:
        return _repeated(whole, rng)
    at, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    kept = rng.choice(([], [parts[at]] * 2, [parts[other]], [parts[at], b""]))
    return between.join([*parts[:at], *kept, *parts[at + 1 :]])


def _inserted(whole: bytes, rng: Random) -> bytes:
    """What texts and those who read them stumble over."""
    at = rng.randrange(len(whole) + 1)
    return whole[:at] + rng.choice(STRANGE) + whole[at:]


def _another_value(whole: bytes, rng: Random) -> bytes:
    """A value of the JSON in it, if there is any, exchanged; the length before it stays right."""
    span = json_within(whole)
    if span is None:
        return _renumbered(whole, rng)
    first, last = span
    text = changed_json(whole[first:last].decode("latin-1"), rng).encode("latin-1", "replace")
    return _with_length(whole[:first], last - first, len(text)) + text + whole[last:]


def changed_json(text: str, rng: Random) -> str:
    """One value exchanged or taken out; a text that is JSON itself is often changed within."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):  # changed before
        return text[::-1]
    places = list(_places(document))
    if not places:
        return text
    holder, key = rng.choice(places)
    value, choice = holder[key], rng.randrange(len(VALUES) + 2)
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
        document, length = json.JSONDecoder().raw_decode(whole[first : first + LONGEST_JSON].decode("latin-1"))
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
    _another_value, _another_value, _relined, _relined, _inserted,
)  # fmt: skip
