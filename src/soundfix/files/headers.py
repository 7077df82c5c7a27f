"""What an audio file's header promises, held against the bytes that are there.

libsndfile silently plays what is left of a WAV, RF64, W64, AIFF, CAF or Ogg file that was cut short. A recording
cut short is a fault its owner must hear of, so we walk the chunks ourselves. One case is no fault: a recorder that
lost power leaves 0 or 0xFFFFFFFF where the size belongs, and its sound is whole up to that moment. libsndfile
reads the second but finds nothing in the first, so `patches` says which bytes to show it instead.
Offsets and sizes are in bytes from the start of the file.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

UNKNOWN_32, UNKNOWN_64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF  # "see elsewhere", or left by a recorder that stopped
UNKNOWN_BYTES = b"\xff" * 4
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
    """is_cut: fewer bytes than promised. is_unfinished: no length was ever written. patches: (offset, bytes)."""

    is_cut: bool = False
    is_unfinished: bool = False
    patches: tuple[tuple[int, bytes], ...] = ()


def read_header(path: Path) -> Header:
    """What the header promises. Formats without a promise to check (FLAC, MP3, AU) come back as a plain Header()."""
    with path.open("rb") as file:
        magic = file.read(16)
        if magic[:4] == b"OggS":
            return Header(is_cut=_ogg_is_cut(file))
        dialect = DIALECTS.get(magic[:4]) or DIALECTS.get(magic)
        return _chunked_header(file, magic[:4], dialect) if dialect else Header()


def _chunked_header(file: BinaryIO, magic: bytes, dialect: Dialect) -> Header:
    chunks = {chunk.name: chunk for chunk in _chunks(file, dialect)}
    data = chunks.get(dialect.data_id)
    if data is None:  # the decoder will say what else is wrong
        return Header()
    total_bytes = _length(file)
    claimed = _claimed_bytes(file, data, chunks.get(b"ds64"))
    if dialect is LITTLE and claimed in (0, UNKNOWN_32, UNKNOWN_64) and not _is_truly_empty(file, claimed, total_bytes):
        return Header(is_unfinished=True, patches=_patches(magic, data, chunks.get(b"ds64")))
    return Header(is_cut=claimed != UNKNOWN_64 and claimed > total_bytes - data.payload)


def _chunks(file: BinaryIO, dialect: Dialect) -> Iterator[Chunk]:
    """Every chunk up to and including the one with the sound; stops quietly where the file does."""
    start, name, total_bytes = dialect.first_chunk, b"", _length(file)
    while name != dialect.data_id and start < total_bytes:
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


def _patches(magic: bytes, data: Chunk, ds64: Chunk | None) -> tuple[tuple[int, bytes], ...]:
    """The header a streaming WAV would have: libsndfile then takes all bytes there are (up to 4 GiB)."""
    sizes = ((4, UNKNOWN_BYTES), (data.start + 4, UNKNOWN_BYTES))
    return sizes if ds64 is None or magic == b"RIFF" else (*sizes, (0, b"RIFF"), (ds64.start, b"JUNK"))


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
