"""The built-in recording is what it says it is."""

import soundfix
from soundfix.server.example import AUDIO, MICROPHONES, about_example, part_of_example, write_example


def test_it_is_located_with_what_is_wrong_in_it(tmp_path):
    write_example(tmp_path)
    told = about_example()
    assert (told["audio"], told["microphones"]) == (AUDIO, MICROPHONES)
    x, y, z = (float(side) for side in told["options"]["room"].split(",")[3:])
    located = soundfix.locate(
        tmp_path / "audio" / AUDIO, microphones=tmp_path / "microphones" / MICROPHONES,
        room=((0.0, 0.0, 0.0), (x, y, z)), speed_of_sound_m_s=told["options"]["speed_of_sound_m_s"],
        hop_s=1.0,
    )  # fmt: skip
    assert {each.name: each.status for each in located.microphones if each.status != "ok"} == {
        "mic4": "dead",
        "mic9": "late",
    }
    assert "mic4 is dead, mic9 is 6 ms late" in told["about"]
    assert sum(bool(each.sources) for each in located.estimates) > 4


def test_it_is_small():
    assert len(part_of_example(AUDIO)) < 1_000_000
