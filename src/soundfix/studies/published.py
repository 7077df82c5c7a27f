"""What arXiv 2505.20961 reports on LuViRA: mean errors (cm), shares under 30 cm (%). None: not reported."""

from collections.abc import Mapping
from types import MappingProxyType

METHODS = ("Multilat", "Multilat*", "DI-NN", "GNN", "wav2pos", "three-stream (paper)")

# Trainable weights, in millions
WEIGHTS_M: Mapping[str, float] = MappingProxyType({"DI-NN": 3.6, "wav2pos": 9.8, "three-stream (paper)": 6.8})

# Table 1, 11 microphones: music3 MAE and acc, speech3 MAE and acc
ELEVEN: Mapping[str, tuple[float, float, float, float]] = MappingProxyType(
    {
        "Multilat": (38.8, 72.5, 72.8, 55.7),
        "Multilat*": (16.3, 94.7, 34.9, 84.9),
        "DI-NN": (26.0, 73.0, 44.7, 45.9),
        "GNN": (17.0, 90.7, 31.9, 71.2),
        "wav2pos": (14.2, 95.4, 23.6, 81.6),
        "three-stream (paper)": (13.9, 96.8, 21.3, 88.4),
    }
)

# Table 2, speech3 MAE with 5, 7, 9 microphones
FEWER: Mapping[str, tuple[float | None, float, float]] = MappingProxyType(
    {
        "Multilat": (244.9, 133.1, 94.3),
        "Multilat*": (None, 105.6, 56.7),
        "DI-NN": (94.9, 76.1, 58.5),
        "GNN": (80.5, 53.1, 41.1),
        "wav2pos": (66.8, 38.8, 28.4),
        "three-stream (paper)": (42.5, 28.7, 23.6),
    }
)

# Table 3, speech3: MAE of microphones of unknown position, 7, 8, 9 of 11 positions known; sources unknown, known
UNKNOWN: Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = MappingProxyType(
    {
        "wav2pos": ((182.8, 93.1, 36.8), (181.7, 90.4, 34.8)),
        "three-stream (paper)": ((168.9, 86.2, 31.2), (166.5, 83.6, 29.5)),
    }
)

# MAE with two and three sources
SEVERAL: Mapping[str, tuple[float, float]] = MappingProxyType({"three-stream (paper)": (45.2, 69.9)})
