"""A configuration as ODAS has it: names, comments and signs as in those that come with it."""

import numpy as np
import pytest

from soundfix.errors import MicrophoneFileError
from soundfix.files.microphones import read_microphones

HEAD = 'version = "2.1";\n# Raw\nraw:\n{\n    fS = 16000;\n    nChannels = 6;\n}\n'
MAP = "mapping:\n{\n    map: (2, 3, 4);\n}\n"
TAIL = "    spatialfilters = ( { direction = ( +0.000, +0.000, +1.000 ); angle = (80.0, 100.0); } );\n};\n"
SIGMA = "+1E-6, 0.0, 0.0, 0.0, +4E-6, 0.0, 0.0, 0.0, +1E-6"


def entry(mu, sigma=SIGMA):
    return (
        f"        # Microphone ( 2 )\n        {{\n            mu = ( {mu} );\n            sigma2 = ( {sigma} );\n"
        "            direction = ( +0.000, +0.000, +1.000 );\n            angle = ( 80.0, 100.0 );\n        }"
    )


def config(*entries, mapping=MAP):
    return f"{HEAD}{mapping}general:\n{{\n    mics = (\n" + ",\n".join(entries) + f"\n    );\n{TAIL}"


THREE = (entry("-0.032, +0.000, +0.000"), entry("+0.000, -0.032, +0.000"), entry("+0.032, +0.000, +1E-2"))


def read(tmp_path, text):
    (tmp_path / "o.cfg").write_text(text)
    return read_microphones(tmp_path / "o.cfg")


def test_places_errors_and_channels(tmp_path):
    listed = read(tmp_path, config(*THREE))
    np.testing.assert_array_equal(listed.positions, [[-0.032, 0, 0], [0, -0.032, 0], [0.032, 0, 0.01]])
    np.testing.assert_allclose(listed.sigma_m, 0.002)
    assert (listed.names, listed.channels) == (("mic1", "mic2", "mic3"), (2, 3, 4))


def test_without_a_map_or_a_covariance(tmp_path):
    plain = [each.replace(f"sigma2 = ( {SIGMA} );", "") for each in THREE]
    listed = read(tmp_path, config(*plain, mapping=""))
    assert listed.channels is None
    assert not listed.sigma_m.any()


def test_what_is_commented_out_is_not_there(tmp_path):
    text = config(*THREE).replace("general:", "// mics = ( { mu = ( 9, 9, 9 ); } );\n/* mics = ( \n ) */\ngeneral:")
    assert len(read(tmp_path, text)) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no list mics"),
        (HEAD, "has no list mics"),
        (config(*THREE[:2]), "maps 3 channels to 2 microphones"),
        (config(*THREE[:2], entry("1, 2")), "microphone 3 has no mu"),
        (config(*THREE[:2], entry("1, 2, x")), "'x' is not a number"),
        (config(*THREE[:2], entry("1, 2, nan")), "'nan' is not a number"),
        (config(*THREE[:2], entry("1, 2, 1e99")), "is beyond"),
        (config(*THREE[:2], entry("1, 2, 3", "-1, 0, 0, 0, -1, 0, 0, 0, -1")), "sigma2 is"),
        (config(*THREE[:2], entry("1, 2, 3", "1, 2")), "sigma2 is"),
        (config(*THREE, mapping=MAP.replace("2, 3", "0, 3")), "channels count from 1"),
        (config(mapping=""), "lists no microphones"),
        (config(*THREE[:2], THREE[0]), "stand on the same spot"),
        (config(*THREE)[: config(*THREE).index("+0.032")], "maps 3 channels to 2"),
    ],
)
def test_what_is_no_array_is_refused(tmp_path, text, message):
    with pytest.raises(MicrophoneFileError, match=message):
        read(tmp_path, text)
