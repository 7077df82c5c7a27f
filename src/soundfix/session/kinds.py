"""What kind of sound comes from each source: speech, music, another sound, or none, which is noise alone."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float

from soundfix.estimate import Estimate
from soundfix.networks.kinds import Kinds
from soundfix.resample import SAMPLE_RATE, resampled


def with_kinds(
    estimate: Estimate, sounds: Sequence[Float[np.ndarray, "time"]], sample_rate: float, kinds: Kinds
) -> Estimate:
    """The estimate, whose sources say their kind; sounds: of each of them (from_there.py), at any level."""
    if not sounds:
        return estimate
    heard = resampled(np.stack(sounds).astype(np.float32), sample_rate, SAMPLE_RATE)
    told = kinds(torch.from_numpy(heard)).tolist()
    pairs = zip(estimate.sources, told, strict=True)
    return replace(
        estimate,
        sources=tuple(replace(source, kinds=dict(zip(kinds.names, row, strict=True))) for source, row in pairs),
    )
