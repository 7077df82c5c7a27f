"""Labels, as Audacity reads them and as we read Audacity's."""

from helpers.foreign import RECORDED, answer, direction, event, source
from soundfix.files.events.reading import read_events
from soundfix.report.audacity import label_lines


def test_a_label_by_hand():
    assert label_lines(answer(source(1, 2.345, 0.5, track=2)), RECORDED) == (
        "1.000000\t1.500000\ttrack 2 (1.00, 2.35, 0.50) m ±25 cm\n"
    )


def test_the_band_of_an_event_is_on_a_line_of_its_own():
    text = label_lines(answer(source(1, 2, 3), event=event()), RECORDED)
    assert text.splitlines() == ["1.000000\t1.500000\towl (1.00, 2.00, 3.00) m ±25 cm", "\\\t200.000000\t900.000000"]
    assert "\\" not in label_lines(answer(source(1, 2, 3), event=event(band_hz=None)), RECORDED)


def test_a_name_with_tabs_and_lines_stays_one_label():
    text = label_lines(answer(source(1, 2, 3), event=event(label="an\towl\nor two", band_hz=None)), RECORDED)
    assert text == "1.000000\t1.500000\tan owl or two (1.00, 2.00, 3.00) m ±25 cm\n"


def test_two_sources_are_two_labels_a_direction_one_and_no_answer_none():
    assert len(label_lines(answer(source(1, 2, 3), source(2, 2, 2)), RECORDED).splitlines()) == 2
    assert label_lines(direction(), RECORDED) == "1.000000\t1.500000\tazimuth 90°, elevation 10° ±4°\n"
    assert label_lines(answer(), RECORDED) == ""


def test_they_read_back_as_events(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text(label_lines(answer(source(1, 2, 3), event=event()), RECORDED))
    (read,) = read_events(path).events
    assert (read.start_s, read.end_s, read.band_hz) == (1.0, 1.5, (200.0, 900.0))
    assert read.label == "owl (1.00, 2.00, 3.00) m ±25 cm"
