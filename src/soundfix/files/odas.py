"""Microphones of an ODAS configuration (.cfg, libconfig): the list `mics` in `general`, and which channels it is of.

Of each microphone mu is its place (m) and sigma2 the covariance of that (m²), of which the largest variance counts; where
it points is not used. `map` in `mapping` says which channel of the sound card each is, from 1; what records all channels
keeps them, so that a list has them as its column `channel`.
"""

import math
import re

from soundfix.errors import MicrophoneFileError

COMMENT = re.compile(r"#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
MICS, MAP = re.compile(r"\bmics\s*[=:]\s*\("), re.compile(r"\bmap\s*[=:]\s*\(([^()]*)\)")
ENTRY = re.compile(r"\{([^{}]*)\}")
VECTOR = re.compile(r"\b(mu|sigma2)\s*[=:]\s*\(([^()]*)\)")


def listed(text: str, place: str) -> list[dict[str, str]]:
    """x, y, z, sigma_m and channel of each microphone, as text. place: of the file. Raises MicrophoneFileError."""
    plain = COMMENT.sub(" ", text)
    if (begins := MICS.search(plain)) is None:
        raise MicrophoneFileError(
            f"{place} has no list mics = ( ... ), wanted the configuration of ODAS that names them"
        )
    entries = ENTRY.findall(_within(plain, begins.end()))
    channels = _channels(plain)
    if channels and len(channels) != len(entries):
        raise MicrophoneFileError(
            f"{place} maps {len(channels)} channels to {len(entries)} microphones: is one missing?"
        )
    rows = [_row(entry, f"{place}, microphone {number}") for number, entry in enumerate(entries, 1)]
    return [
        row | ({"channel": channel} if channel else {})
        for row, channel in zip(rows, channels or [""] * len(rows), strict=True)
    ]


def _within(text: str, start: int) -> str:
    """Up to the parenthesis that closes the one that opens before `start`."""
    depth = 1
    for match in re.finditer(r"[()]", text[start:]):
        depth += 1 if match[0] == "(" else -1
        if depth == 0:
            return text[start : start + match.start()]
    return text[start:]


def _channels(text: str) -> list[str]:
    found = MAP.search(text)
    return [cell.strip() for cell in found[1].split(",")] if found else []


def _row(entry: str, place: str) -> dict[str, str]:
    vectors = {name: [cell.strip() for cell in cells.split(",")] for name, cells in VECTOR.findall(entry)}
    place_m = vectors.get("mu", [])
    if len(place_m) != 3:
        raise MicrophoneFileError(f"{place} has no mu = ( x, y, z ) in metres, wanted three numbers")
    return dict(zip("xyz", place_m, strict=True)) | {"sigma_m": _sigma(vectors.get("sigma2", []), place)}


def _sigma(cells: list[str], place: str) -> str:
    """Of the largest variance on the diagonal; blank without a covariance."""
    if not cells:
        return ""
    try:
        variance = max(float(cells[k]) for k in (0, 4, 8))
        return repr(math.sqrt(variance))
    except (ValueError, IndexError):
        raise MicrophoneFileError(f"{place}: sigma2 is {cells}, wanted the nine numbers of a covariance (m²)") from None
