"""What an audio file's header promises, held against the bytes that are there.

libsndfile silently plays what is left of a WAV, RF64, W64, AIFF, CAF or Ogg file that was cut short. A recording
cut short is a fault its owner must hear of, so we walk the chunks ourselves. Some wrong sizes of a WAV are no fault of
its sound, all of which is there:
- a recorder that lost power leaves 0 or 0xFFFFFFFF where the size belongs;
- some count the header as sound, so that the size is that of the file;
- some write a size that is too small, and beyond 4 GiB 32 bits wrap round.
Where the decoder would stop too early it is shown another header (`head`), which has the size of what is there.
Offsets and sizes are in bytes from the start of the file.
"""

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from soundfix.files.surround import AS_THEY_COME, HEAD_BYTES, Surround, surround

UNKNOWN_32, UNKNOWN_64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF  # "see elsewhere", or left by a recorder that stopped
WRAPS_AT = 2**32
OUTER_BYTES = 8  # of the outermost chunk's own header, which its size does not count
LARGEST_NOTE_BYTES = 2**20  # of a chunk that tells of the recording
LARGEST_OGG_PAGE_BYTES = 27 + 255 + 255 * 255  # RFC 3533, section 6: header, segment table, segments
OGG_LAST_PAGE = 4  # bit of the page's type field: "end of stream"
W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
W64_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one family of formats writes its chunks: (identity, size, payload), each padded to `align` bytes."""

    first_chunk: int
    id_bytes: int
    size_format: str  # as in struct
    align: int
    data_id: bytes
    size_counts_header: bool = False

    @property
    def header_bytes(self) -> int:
        return self.id_bytes + struct.calcsize(self.size_format)


LITTLE = Dialect(first_chunk=12, id_bytes=4, size_format="<I", align=2, data_id=b"data")
BIG = Dialect(first_chunk=12, id_bytes=4, size_format=">I", align=2, data_id=b"data")
AIFF = Dialect(first_chunk=12, id_bytes=4, size_format=">I", align=2, data_id=b"SSND")
CAF = Dialect(first_chunk=8, id_bytes=4, size_format=">Q", align=1, data_id=b"data")
W64 = Dialect(first_chunk=40, id_bytes=16, size_format="<Q", align=8, data_id=W64_DATA, size_counts_header=True)
DIALECTS = {b"RIFF": LITTLE, b"RF64": LITTLE, b"BW64": LITTLE, b"RIFX": BIG, b"FORM": AIFF, b"caff": CAF, W64_RIFF: W64}


class Chunk(NamedTuple):
    """One chunk: where it starts, where its payload starts, and how long the payload claims to be."""

    name: bytes
    start: int
    payload: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """is_cut: fewer bytes than promised. is_unfinished: no length was ever written. is_miscounted: a wrong one.

    surround: the order of its channels. head: what a decoder is to see instead of the first `payload` bytes; empty where the
    file's own will do. stop: where the sound ends.
    """

    is_cut: bool = False
    is_unfinished: bool = False
    is_miscounted: bool = False
    surround: Surround = AS_THEY_COME
    head: bytes = b""
    payload: int = 0
    stop: int = 0


def read_header(path: Path) -> Header:
    """What the header promises. Formats without a promise to check (FLAC, MP3, AU) come back as a plain Header()."""
    with path.open("rb") as file:
        magic = file.read(16)
        if magic[:4] == b"OggS":
            return Header(surround=surround(magic + file.read(HEAD_BYTES)), is_cut=_ogg_is_cut(file))
        dialect = DIALECTS.get(magic[:4]) or DIALECTS.get(magic)
        return _chunked_header(file, dialect) if dialect else Header()


def read_chunks(path: Path, names: Collection[bytes]) -> dict[bytes, bytes]:
    """What these chunks of a WAV or RF64 file hold, of those that are there."""
    with path.open("rb") as file:
        if DIALECTS.get(file.read(4)) is not LITTLE:
            return {}
        found = {chunk.name: chunk for chunk in _chunks(file, LITTLE, beyond=True) if chunk.name in names}
        return {name: _payload(file, chunk) for name, chunk in found.items()}


def _chunked_header(file: BinaryIO, dialect: Dialect) -> Header:
    chunks = {chunk.name: chunk for chunk in _chunks(file, dialect)}
    data = chunks.get(dialect.data_id)
    if data is None:  # the decoder will say what else is wrong
        return Header()
    total_bytes = _length(file)
    claimed = _claimed_bytes(file, data, chunks.get(b"ds64"))
    if dialect is LITTLE and b"fmt " in chunks:
        format_bytes = _payload(file, chunks[b"fmt "])
        if claimed in (0, UNKNOWN_32, UNKNOWN_64) and not _is_truly_empty(file, claimed, total_bytes):
            return replace(_reheaded(format_bytes, data, total_bytes), is_unfinished=True)
        if _is_too_small(file, data.payload + claimed + claimed % 2, total_bytes):
            return replace(_reheaded(format_bytes, data, total_bytes), is_miscounted=True)
        if claimed in (total_bytes, total_bytes - OUTER_BYTES):
            return Header(is_miscounted=True)
    return Header(is_cut=claimed != UNKNOWN_64 and claimed > total_bytes - data.payload)


def _chunks(file: BinaryIO, dialect: Dialect, *, beyond: bool = False) -> Iterator[Chunk]:
    """Every chunk up to and including the one with the sound, or `beyond` it; stops quietly where the file does."""
    start, name, total_bytes = dialect.first_chunk, b"", _length(file)
    while (beyond or name != dialect.data_id) and start < total_bytes:
        file.seek(start)
        header = file.read(dialect.header_bytes)
        if len(header) < dialect.header_bytes:
            return
        name = header[: dialect.id_bytes]
        (size,) = struct.unpack(dialect.size_format, header[dialect.id_bytes :])
        size = max(0, size - dialect.header_bytes) if dialect.size_counts_header else size
        payload = start + dialect.header_bytes
        yield Chunk(name, start, payload, size)
        start = payload + size + -size % dialect.align


def _payload(file: BinaryIO, chunk: Chunk) -> bytes:
    file.seek(chunk.payload)
    return file.read(min(chunk.size, LARGEST_NOTE_BYTES))


def _claimed_bytes(file: BinaryIO, data: Chunk, ds64: Chunk | None) -> int:
    """EBU Tech 3306: where the 32-bit size is 0xFFFFFFFF, the true one is the second number of chunk ds64."""
    if ds64 is None or data.size != UNKNOWN_32:
        return data.size
    file.seek(ds64.payload + 8)
    return int.from_bytes(file.read(8), "little")


def _is_truly_empty(file: BinaryIO, claimed: int, total_bytes: int) -> bool:
    """Zero bytes of sound, and the outer size agrees with the file: somebody closed it properly."""
    file.seek(4)
    return claimed == 0 and int.from_bytes(file.read(4), "little") + 8 == total_bytes


def _is_too_small(file: BinaryIO, end: int, total_bytes: int) -> bool:
    """Whether what follows the sound (from `end`) is sound too: more than 32 bits could tell of, or no chunks, though the
    outer size says that it belongs to the file."""
    if total_bytes - end >= WRAPS_AT:
        return True
    file.seek(4)
    outer_end = int.from_bytes(file.read(4), "little") + OUTER_BYTES
    return outer_end > end and total_bytes - end > OUTER_BYTES and not _are_chunks(file, end, total_bytes)


def _are_chunks(file: BinaryIO, start: int, total_bytes: int) -> bool:
    after = replace(LITTLE, first_chunk=start)
    return all(
        chunk.name.isascii() and chunk.name.decode().isprintable() and chunk.payload + chunk.size <= total_bytes
        for chunk in _chunks(file, after, beyond=True)
    )


def _reheaded(format_bytes: bytes, data: Chunk, total_bytes: int) -> Header:
    """With a head that tells of the whole frames which are there: a WAV's, or beyond 4 GiB an RF64's (EBU Tech 3306)."""
    frame_bytes = max(1, int.from_bytes(format_bytes[12:14], "little"))
    sound_bytes = (total_bytes - data.payload) // frame_bytes * frame_bytes
    formats = b"fmt " + struct.pack("<I", len(format_bytes)) + format_bytes + b"\0" * (len(format_bytes) % 2)
    if sound_bytes < UNKNOWN_32 - LARGEST_NOTE_BYTES:
        outer = struct.pack("<4sI4s", b"RIFF", 4 + len(formats) + 8 + sound_bytes, b"WAVE")
        head = outer + formats + struct.pack("<4sI", b"data", sound_bytes)
    else:
        sizes = struct.pack("<QQQI", 48 + len(formats) + sound_bytes, sound_bytes, sound_bytes // frame_bytes, 0)
        outer = struct.pack("<4sI4s4sI", b"RF64", UNKNOWN_32, b"WAVE", b"ds64", len(sizes)) + sizes
        head = outer + formats + struct.pack("<4sI", b"data", UNKNOWN_32)
    return Header(head=head, payload=data.payload, stop=data.payload + sound_bytes)


def _ogg_is_cut(file: BinaryIO) -> bool:
    """Whole if the last page is complete and says so; libsndfile takes the last complete page for the end."""
    total_bytes = _length(file)
    file.seek(max(0, total_bytes - 2 * LARGEST_OGG_PAGE_BYTES))
    tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    page_bytes = 27 + page[26] + sum(page[27 : 27 + page[26]])
    return len(page) < page_bytes or not page[5] & OGG_LAST_PAGE


def _length(file: BinaryIO) -> int:
    return file.seek(0, 2)
