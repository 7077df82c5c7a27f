"""What `soundfix archive` shows while it runs."""

from io import StringIO

from rich.console import Console

from soundfix.cli import archive_view
from soundfix.cli.archive_view import Hours
from soundfix.cli.stopping import Stop


def test_on_a_terminal_there_is_a_bar_with_hours_a_second(monkeypatch, capsys):
    consoles = []

    def console(**_):
        consoles.append(Console(force_terminal=True, width=100, record=True, file=StringIO()))
        return consoles[-1]

    monkeypatch.setattr(archive_view, "Console", console)
    clock = iter([0.0, 10.0, 14.0])
    monkeypatch.setattr(archive_view, "monotonic", lambda: next(clock))
    stop = Stop("piece")
    with Hours(stop) as hours:
        for _ in range(3):
            hours.opened()
        assert hours._bar.tasks[0].fields["rate"] == "3 files"
        assert not stop.has_begun
        hours.begun(8.0, 2.0)
        assert stop.has_begun
        hours.located(2.0)
        task = hours._bar.tasks[0]
        assert (task.completed, task.total, task.fields["rate"]) == (4.0, 8.0, "0.500 h/s")
    assert capsys.readouterr().err == "8.00 hours of sound over all microphones, 2.00 of them done before\n"


def test_it_stops_when_it_is_told():
    stop = Stop("piece")
    hours = Hours(stop)
    assert not hours.stop()
    stop.status = 143
    assert hours.stop()
