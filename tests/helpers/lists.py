"""Lists of microphones on disk."""

from pathlib import Path

import numpy as np

from soundfix.files.audio import Channel
from soundfix.microphones import Microphones

PLAIN = "name,x,y,z\na,0,0,1\nb,2.5,-1e-1,1\nc,,,\n"


def channels(*counts: int, folder: str = "/rec") -> list[Channel]:
    return [
        Channel(file=Path(folder, f"t{f}.wav"), number=c + 1) for f, count in enumerate(counts) for c in range(count)
    ]


def microphones(count: int = 3, **columns: object) -> Microphones:
    return Microphones(positions=np.arange(3.0 * count).reshape(count, 3), **columns)
