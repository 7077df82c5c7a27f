"""Ogg has more than two channels in the order of loudspeakers: left, centre, right, ... (Vorbis I, 4.3.9; RFC 7845, 5.1.1).

ffmpeg obeys it: the third of eight microphones is the second channel of its Ogg file. libsndfile, and so most tools for
sound from microphones, write channels as they come. In a Vorbis file the comment names ffmpeg's libraries; of other
files nobody knows.
"""

from typing import NamedTuple

# Where the channels of a WAV are in ffmpeg's Vorbis, by their number. Four are in the same order in both.
FFMPEG_ORDER = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 5, 3, 4),
    7: (0, 2, 1, 6, 5, 3, 4),
    8: (0, 2, 1, 7, 5, 6, 3, 4),
}
FIRST_PACKET = 28  # bytes of the page header before it, with one segment
VORBIS, OPUS = b"\x01vorbis", b"OpusHead"
HEAD_BYTES = 8192  # of an Ogg file, which hold the comment


class Surround(NamedTuple):
    """order: of channels, as a WAV has them; () as they come. is_doubtful: whether nobody knows."""

    order: tuple[int, ...] = ()
    is_doubtful: bool = False


AS_THEY_COME = Surround()


def surround(head: bytes) -> Surround:
    """What the first HEAD_BYTES of an Ogg file tell."""
    packet = head[FIRST_PACKET : FIRST_PACKET + 16].ljust(16, b"\0")
    is_vorbis = packet.startswith(VORBIS)
    channels = packet[11] if is_vorbis else packet[9] if packet.startswith(OPUS) else 0
    if channels not in FFMPEG_ORDER:
        return AS_THEY_COME
    is_of_ffmpeg = is_vorbis and (b"Lavc" in head or b"Lavf" in head)
    return Surround(FFMPEG_ORDER[channels]) if is_of_ffmpeg else Surround(is_doubtful=True)
