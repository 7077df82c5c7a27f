"""Stretches of a recording, read once from its beginning to its end, whatever lies between them."""

from collections.abc import Iterable, Iterator

import numpy as np

from soundfix.api.sound import Sound
from soundfix.localization.stations import Stretch

BLOCK_S = 4.0  # read at once: many short reads take longer


def stretches(sound: Sound, spans_s: Iterable[tuple[float, float]]) -> Iterator[Stretch]:
    """The sound from, to these seconds, as far as there is any. Spans come in the order of their beginnings.

    No more is kept than from the beginning of one to its end.
    """
    rate, blocks = sound.sample_rate, sound.blocks(BLOCK_S)
    held, first = np.zeros((len(sound.microphones), 0), np.float32), 0
    for start_s, stop_s in spans_s:
        start, stop = max(0, round(start_s * rate)), round(stop_s * rate)
        while first + held.shape[1] < stop and (block := next(blocks, None)) is not None:
            gone = min(max(0, start - first), held.shape[1])
            held, first = np.concatenate([held[:, gone:], block], axis=1), first + gone
        from_here = max(0, start - first)
        yield Stretch(audio=held[:, from_here : stop - first], sample_rate=rate, start_s=(first + from_here) / rate)
