"""Samples as bytes: the raw formats that sound cards, pipes and senders use, called as ffmpeg calls them."""

import numpy as np
from jaxtyping import Float

from soundfix.errors import ConfigError

WIDTHS = {"s16le": 2, "s24le": 3, "s32le": 4, "f32le": 4}  # bytes of a sample


def checked_format(name: str) -> str:
    """Raises ConfigError on one we do not know."""
    if name not in WIDTHS:
        raise ConfigError(f"format {name!r}, wanted one of {', '.join(WIDTHS)} (as ffmpeg calls them)")
    return name


def decode(raw: bytes, name: str, channels: int) -> Float[np.ndarray, "time channel"]:
    """Whole frames of interleaved channels; full scale becomes 1, as libsndfile has it."""
    if name == "f32le":
        flat = np.frombuffer(raw, "<f4").astype(np.float32)
    elif name == "s24le":
        low, middle, high = np.frombuffer(raw, np.uint8).reshape(-1, 3).T.astype(np.int32)
        flat = (((high << 24) | (middle << 16) | (low << 8)) / 2.0**31).astype(np.float32)
    else:
        bits = 8 * WIDTHS[name]
        flat = (np.frombuffer(raw, f"<i{WIDTHS[name]}") / 2.0 ** (bits - 1)).astype(np.float32)
    return flat.reshape(-1, channels)


def encode_s16(block: Float[np.ndarray, "time channel"]) -> bytes:
    """As s16le; NaN is silence."""
    whole = np.nan_to_num(block, nan=0.0) * 2.0**15
    return np.clip(np.rint(whole), -(2**15), 2**15 - 1).astype("<i2").tobytes()
