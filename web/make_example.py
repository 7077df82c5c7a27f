"""The recording that the page shows to whoever has none at hand: python web/make_example.py

Someone walks and talks for six seconds among eight microphones of a room; one is dead, one 6 ms late. Written into the
package: eight channels are what FLAC holds.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from soundfix.files.microphones import write_microphones
from soundfix.microphones import Microphones
from soundfix.simulation.faults import break_scene, parse_fault
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import LUVIRA_TWIN, draw_world

SEED, SECONDS = 14, 6.0
KEPT = (0, 1, 3, 4, 5, 7, 8, 10)  # of the eleven of the studio
WALK = replace(LUVIRA_TWIN, duration_s=SECONDS, share_moving=1.0, moving_m_s=(0.5, 0.7), sound_shares={"voice": 1.0})
FAULTS = ("dead:mic4", "late:mic9:0.006")
ABOUT = "Someone walks and talks among eight microphones; mic4 is dead, mic9 is 6 ms late."
FOLDER = Path(__file__).parents[1] / "src" / "soundfix" / "server" / "walk"


def main() -> None:
    rng = np.random.default_rng(SEED)
    scene = break_scene(draw_world(WALK, BuiltInSounds(), rng), [parse_fault(text) for text in FAULTS], rng)
    kept, all_of_them = list(KEPT), scene.microphones
    audio = scene.audio[kept] / np.abs(scene.audio).max() * 0.9
    soundfile.write(FOLDER / "walk.flac", audio.T, int(scene.sample_rate), subtype="PCM_16")
    microphones = Microphones(positions=all_of_them.positions[kept], names=tuple(all_of_them.names[m] for m in kept))
    write_microphones(FOLDER / "microphones.csv", microphones)
    room = ",".join(f"{number:g}" for corner in scene.room for number in corner)
    told = {"audio": "walk.flac", "microphones": "microphones.csv", "about": ABOUT}
    told |= {"options": {"room": room, "speed_of_sound_m_s": round(scene.speed, 1)}}
    (FOLDER / "example.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
