"""Tables of delays by geometry: recorders over 300 m, places among them, some delays wrong."""

import numpy as np

from soundfix.physics import SPEED_OF_SOUND_M_S

HEIGHT_M = 1.5


def playback(seed, *, recorders=25, places=20, sigma_s=5e-4, wrong=0.2):
    """(positions, sources, arrivals in s (place, recorder), which are wrong)."""
    rng = np.random.default_rng(seed)
    positions = rng.uniform(0, [300, 300, 30], (recorders, 3))
    sources = np.column_stack([rng.uniform(30, 270, (places, 2)), np.full(places, HEIGHT_M)])
    path_m = np.linalg.norm(sources[:, None] - positions, axis=-1)
    times_s = 1.0 + path_m / SPEED_OF_SOUND_M_S + sigma_s * rng.standard_normal(path_m.shape)
    is_wrong = np.argsort(rng.random(times_s.shape), axis=1) < round(wrong * recorders)
    off_s = rng.uniform(0.02, 0.2, times_s.shape) * rng.choice([-1, 1], times_s.shape)
    return positions, sources, times_s + is_wrong * off_s, is_wrong


def write_table(path, header, rows):
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path
