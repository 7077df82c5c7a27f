"""LuViRA's files as tests write them: tracks, sync, trajectories, markers."""

import numpy as np
import soundfile

CLIP_S = 0.25
RATE = 96_000
START, VELOCITY = np.array([1.0, -2.0, 0.5]), np.array([0.8, 0.3, -0.1])  # the source: metres, metres a second
CSV_HEADER = "timestamps, X, Y, Z, Roll, Pitch, Yaw, Residual," + ",".join(f"Rot[{n}]" for n in range(9))
TURN = "0,0,0,0.5,1,0,0,0,1,0,0,0,1"


def place(time_s):
    return START + VELOCITY * np.asarray(time_s)[..., None]


def write_tracks(folder, numbers=range(1, 13), *, duration_s=0.8, pulse_s=0.4, subtype="PCM_16"):
    """Track n holds one smooth pulse; the nth comes n samples of 16 kHz after pulse_s."""
    folder.mkdir(parents=True, exist_ok=True)
    time_s = np.arange(round(duration_s * RATE)) / RATE
    for n in numbers:
        pulse = 0.5 * np.exp(-0.5 * ((time_s - pulse_s - n / 16_000) / 2e-4) ** 2)
        soundfile.write(folder / f"Track {n}.wav", pulse, RATE, subtype=subtype)


def write_sync(folder, edge, *, duration_s=0.8, rng, subtype="PCM_16"):
    """Quiet noise, then from sample `edge` on a high level that decays as behind a capacitor, and a fall."""
    signal = 1e-4 * rng.standard_normal(round(duration_s * RATE))
    signal[edge:] += 0.6 * np.exp(-np.arange(len(signal) - edge) / (0.1 * RATE))
    signal[edge + RATE // 5 :] -= 0.5
    soundfile.write(folder / "Sync.wav", signal, RATE, subtype=subtype)


def write_csv(path, *, frames=80, epoch_s=1651916361.26, lost=(), moved_m=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for frame in range(frames):
        x, y, z = (0.0, 0.0, 0.0) if frame in lost else 1000 * (place(frame / 100) + moved_m)
        rows.append(f"{epoch_s + frame / 100:.6f},{x},{y},{z},{TURN}")
    path.write_text("\n".join([CSV_HEADER, *rows]) + "\n")


def write_tsv(path, markers, *, frames=60):
    """markers: name -> (T, 3) metres, NaN where lost (a blank in even frames, zeros in odd ones)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = [f"NO_OF_FRAMES\t{frames}", "NO_OF_CAMERAS\t20", f"NO_OF_MARKERS\t{len(markers)}", "FREQUENCY\t100",
              "DESCRIPTION\t--", "DATA_INCLUDED\t3D", "MARKER_NAMES\t" + "\t".join(markers)]  # fmt: skip
    columns = "\t".join(f"{name} {axis}" for name in markers for axis in "XYZ")
    rows = []
    for frame in range(frames):
        cells = [_cells(places[frame], frame) for places in markers.values()]
        rows.append("\t".join([str(frame + 1), f"{frame / 100:.5f}", *cells]))
    path.write_text("\n".join([*header, f"Frame\tTime\t{columns}", *rows]) + "\n")


def _cells(spot, frame):
    if np.isnan(spot).any():
        return "\t\t" if frame % 2 else "0.000\t0.000\t0.000"
    return "\t".join(f"{1000 * x:.6f}" for x in spot)


def steady(spot, frames=60):
    return np.tile(np.asarray(spot, dtype=float), (frames, 1))


def write_noise(folder, rng, *, duration_s):
    """All tracks hold noise."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(1, 13):
        noise = 0.1 * rng.standard_normal(round(duration_s * RATE))
        soundfile.write(folder / f"Track {n}.wav", noise, RATE, subtype="PCM_16")


def names(data):
    return [recording.name for recording in data.recordings]
