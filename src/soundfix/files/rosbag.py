"""Sound of a ROS 2 bag (a folder with metadata.yaml), read by the optional package rosbags: topics of audio_common_msgs.

AudioData, or AudioDataStamped, is sound as it was recorded: interleaved samples of as many channels, at the rate and in the
format that an AudioInfo beside it says. Of a topic and its stamped twin the twin is taken. What is coded (MP3) is refused.
Each topic becomes WAV files in a folder that goes when the program ends, named after what tells topics apart, and after the
time of their first message, as recorders name theirs (start_times.py): so that a hole stays a hole.

Types are those written here: a bag's own definitions are not read. Stamps are believed where they are of the sound
(AudioDataStamped); when messages arrived tells no more than that topics began together, or did not.
"""

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import soundfile

from soundfix.errors import AudioFileError, MissingPackageError
from soundfix.files.decoding import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from soundfix.gate import gate

METADATA = "metadata.yaml"
DATA, STAMPED, INFO = (f"audio_common_msgs/msg/{name}" for name in ("AudioData", "AudioDataStamped", "AudioInfo"))
DEFINITIONS = {
    DATA: "uint8[] data",
    STAMPED: "std_msgs/Header header\naudio_common_msgs/AudioData audio",
    INFO: "uint8 channels\nuint32 sample_rate\nstring sample_format\nuint32 bitrate\nstring coding_format",
}
SAMPLES = {"S16LE": ("<i2", "PCM_16"), "S32LE": ("<i4", "PCM_32"), "F32LE": ("<f4", "FLOAT")}
PLAIN = ("wave", "wav", "pcm", "raw")  # codings that are none
TWIN = "_stamped"
HOLE_S = 0.25  # messages come in bursts; what is later by more has missed some
TOGETHER_S = 0.25  # topics whose messages arrive within this began together
MOST_BYTES = 64 * 2**30  # of sound
SECOND = 10**9  # in ns


@dataclass(frozen=True, kw_only=True)
class Info:
    """How a topic's bytes are to be read; raises AudioFileError where they cannot be."""

    topic: str
    channels: int
    rate_hz: int
    samples: str
    coding: str

    def __post_init__(self) -> None:
        if self.coding.lower() not in PLAIN:
            raise AudioFileError(
                f"{self.topic} says its sound is coded as {self.coding!r}, wanted samples as they were recorded: record "
                "with format:=wave"
            )
        if self.samples.upper() not in SAMPLES:
            raise AudioFileError(f"{self.topic} has samples {self.samples!r}, wanted one of {', '.join(SAMPLES)}")
        if not (1 <= self.channels <= 255 and LOWEST_RATE_HZ <= self.rate_hz <= HIGHEST_RATE_HZ):
            raise AudioFileError(f"{self.topic} has {self.channels} channels at {self.rate_hz} Hz: is it damaged?")

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(SAMPLES[self.samples.upper()][0])

    @property
    def subtype(self) -> str:
        return SAMPLES[self.samples.upper()][1]


class Chunk(NamedTuple):
    """A message: when (ns), and its bytes."""

    at: int
    data: bytes


def is_bag(folder: Path) -> bool:
    """By its metadata."""
    return (folder / METADATA).is_file()


@gate(AudioFileError)
def sounds(bag: Path) -> list[Path]:
    """WAV files of all its topics with sound. Raises AudioFileError, and MissingPackageError without rosbags."""
    reader, store = _rosbags("rosbags.rosbag2").Reader, _store()
    folder = Path(tempfile.mkdtemp(prefix="soundfix-bag-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with reader(bag) as opened, ExitStack() as on_failure:
        on_failure.callback(shutil.rmtree, folder, ignore_errors=True)
        paths = _written(opened, folder, bag, store)
        on_failure.pop_all()
    return paths


def _written(opened: Any, folder: Path, bag: Path, store: Any) -> list[Path]:
    infos = [(each.topic, _info(opened, each, store)) for each in opened.connections if each.msgtype == INFO]
    topics = _topics(opened.connections, bag)
    names = _names([each.topic for each in topics])
    firsts = _starts(opened, topics, store, bag)
    return [
        path
        for each, name, first in zip(topics, names, firsts, strict=True)
        for path in _write(folder / name, _chunks(opened, each, store), _info_of(each.topic, infos, bag), first)
    ]


def _rosbags(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingPackageError("rosbags", "interop") from error


def _store() -> Any:
    types = _rosbags("rosbags.typesys")
    store = types.get_typestore(types.Stores.ROS2_HUMBLE)
    for name, text in DEFINITIONS.items():
        store.register(types.get_types_from_msg(text, name))
    return store


def _topics(connections: Sequence[Any], bag: Path) -> list[Any]:
    """Those with sound, in order of their names, without what a stamped twin says again."""
    found = {each.topic: each for each in connections if each.msgtype in (DATA, STAMPED)}
    stamped = {topic for topic, each in found.items() if each.msgtype == STAMPED}
    kept = [each for topic, each in sorted(found.items()) if f"{topic}{TWIN}" not in stamped]
    if not kept:
        topics = ", ".join(f"{each.topic} ({each.msgtype})" for each in connections[:4]) or "none"
        raise AudioFileError(f"{bag} has no sound, wanted topics of {DATA} or {STAMPED}; its topics are {topics}")
    return kept


def _names(topics: Sequence[str]) -> list[str]:
    """What tells them apart: /mic1/audio and /mic2/audio are mic1 and mic2; of one topic its last part."""
    parts = [PurePosixPath(topic).parts[1:] or (topic,) for topic in topics]
    if len(parts) == 1:
        return [_plain(parts[0][-1])]
    depth = min(map(len, parts))
    head = next((k for k in range(depth) if len({each[k] for each in parts}) > 1), depth)
    tail = next((k for k in range(depth - head) if len({each[-1 - k] for each in parts}) > 1), 0)
    names = ["_".join(map(_plain, each[head : len(each) - tail])) for each in parts]
    return names if len(set(names)) == len(names) else [f"{name}_{number}" for number, name in enumerate(names, 1)]


def _plain(part: str) -> str:
    """A name that leads out of no folder."""
    return "".join(letter if letter.isalnum() or letter == "-" else "_" for letter in part)[:60] or "topic"


def _info(bag: Any, connection: Any, store: Any) -> Info:
    """The last one that was published."""
    said = None
    for _, _, raw in bag.messages(connections=[connection]):
        said = store.deserialize_cdr(raw, INFO)
    if said is None:
        raise AudioFileError(f"{connection.topic} is empty, wanted an AudioInfo: was it recorded?")
    return Info(
        topic=connection.topic, channels=int(said.channels), rate_hz=int(said.sample_rate), samples=str(said.sample_format),
        coding=str(said.coding_format),
    )  # fmt: skip


def _info_of(topic: str, infos: Sequence[tuple[str, Info]], bag: Path) -> Info:
    """The one beside it, or the only one."""
    beside = [info for other, info in infos if PurePosixPath(other).parent == PurePosixPath(topic).parent]
    found = beside or [info for _, info in infos]
    if len(found) == 1:
        return found[0]
    many = "several" if found else "none"
    raise AudioFileError(
        f"{bag}: wanted one topic of {INFO} beside {topic}, which says its rate and channels, and there are {many}: was it "
        "recorded too?"
    )


def _chunks(bag: Any, connection: Any, store: Any) -> Iterator[Chunk]:
    is_stamped = connection.msgtype == STAMPED
    for _, at, raw in bag.messages(connections=[connection]):
        message = store.deserialize_cdr(raw, connection.msgtype)
        if is_stamped:
            at, message = message.header.stamp.sec * SECOND + message.header.stamp.nanosec, message.audio
        yield Chunk(int(at), bytes(message.data))


def _starts(bag: Any, topics: Sequence[Any], store: Any, path: Path) -> list[int]:
    """When each begins (ns): those that are not stamped, together with the first that arrived, where that is near."""
    firsts = []
    for each in topics:
        first = next(_chunks(bag, each, store), None)
        if first is None:
            raise AudioFileError(f"{path}: {each.topic} has no message, wanted its sound: did that microphone record?")
        firsts.append(first.at)
    earliest = min(firsts)
    return [
        earliest if each.msgtype == DATA and first - earliest <= TOGETHER_S * SECOND else first
        for each, first in zip(topics, firsts, strict=True)
    ]


def _write(folder: Path, chunks: Iterator[Chunk], info: Info, first: int) -> list[Path]:
    """A file, and another one after each hole; first: when the first chunk begins (ns), whenever it arrived."""
    folder.mkdir()
    parts: list[_Part] = []
    offset, total = 0, 0
    with ExitStack() as stack:
        for number, chunk in enumerate(chunks, 1):
            _check(chunk, number, info)
            offset = offset if parts else chunk.at - first
            if not parts or parts[-1].is_over(chunk.at - offset):
                stack.close()
                parts.append(_Part(folder, chunk.at - offset, info))
                stack.enter_context(parts[-1].file)
            parts[-1].write(chunk)
            total += len(chunk.data)
            if total > MOST_BYTES:
                raise AudioFileError(f"{info.topic} has more than {MOST_BYTES >> 30} GiB of sound: is the bag damaged?")
    return [part.path for part in parts]


class _Part:
    """A file that begins at this time (ns)."""

    def __init__(self, folder: Path, begins: int, info: Info) -> None:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=begins // 1000)
        self.path = folder / f"{folder.name}_{at:%Y%m%d_%H%M%S.%f}Z.wav"
        self.file = soundfile.SoundFile(self.path, "w", info.rate_hz, info.channels, info.subtype, format="RF64")
        self._begins, self._info, self._frames = begins, info, 0

    def is_over(self, at: int) -> bool:
        """Whether what comes at this time is too late to follow directly."""
        return (at - self._begins) / SECOND - self._frames / self._info.rate_hz > HOLE_S

    def write(self, chunk: Chunk) -> None:
        samples = np.frombuffer(chunk.data, dtype=self._info.dtype).reshape(-1, self._info.channels)
        self.file.write(samples.astype(self._info.dtype.newbyteorder("=")))
        self._frames += len(samples)


def _check(chunk: Chunk, number: int, info: Info) -> None:
    if len(chunk.data) % (info.channels * info.dtype.itemsize):
        raise AudioFileError(
            f"{info.topic}, message {number} has {len(chunk.data)} bytes, no whole number of frames of {info.channels} "
            f"channels in {info.samples}: is its AudioInfo another's?"
        )
