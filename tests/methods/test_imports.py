"""The first answer of a classical method comes without PyTorch: that takes longer to load than to answer."""

import subprocess
import sys

PROGRAM = """
import sys
import soundfix
from soundfix.testing import contract_scene
scene = contract_scene(6, seconds=0.5)
located = soundfix.locate(scene.audio, scene.sample_rate, scene.microphones, method="srp-phat", room=scene.room)
assert located.estimates[0].sources
print("torch" in sys.modules, "scipy.stats" in sys.modules)
"""


def test_srp_phat_loads_no_pytorch():
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "False"]
