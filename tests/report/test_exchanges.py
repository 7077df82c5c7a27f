"""Exchanged channels in words and in JSON."""

from soundfix.report.exchanges import exchange_dicts, exchange_lines

TURNED = (("m1", "m2"), ("m2", "m1"))


def test_whose_row_each_hears_from():
    (line,) = exchange_lines(TURNED)
    assert "m1 hears as if it stood where m2 is listed, m2 hears as if it stood where m1 is listed." in line
    assert exchange_dicts(TURNED)[0] == {"microphone": "m1", "stands_at": "m2"}


def test_of_a_list_in_order_nothing_is_said():
    assert list(exchange_lines(())) == exchange_dicts(()) == []
