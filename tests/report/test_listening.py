"""What is said of the band that was listened to."""

from soundfix.report.listening import listening_dict, listening_lines


def test_the_usual_band_is_nothing_to_tell():
    assert listening_lines(None) == []
    assert listening_dict(None) == {}


def test_a_band_is_told_with_its_rate():
    assert listening_lines((35_000.0, 90_000.0)) == ["listened at 192 kHz, to what sounds from 35 to 90 kHz"]
    assert listening_dict((35_000.0, 90_000.0)) == {
        "listening": {"rate_hz": 192_000.0, "band_hz": [35_000.0, 90_000.0]}
    }
