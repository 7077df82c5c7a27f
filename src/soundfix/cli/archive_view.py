"""What `soundfix archive` shows while it runs: hours of sound, how many a second, and when it will be done."""

from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from soundfix.cli.stopping import Stop
from soundfix.cli.terminal import say


class Hours:
    """A Watch: a bar on a terminal; elsewhere a sentence when it begins."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self._bar.add_task("looking at files", total=None, rate="")
        self._files, self._hours, self._started = 0, 0.0, monotonic()

    def __enter__(self) -> "Hours":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def opened(self) -> None:
        """A file was looked at."""
        self._files += 1
        self._bar.update(self._task, rate=f"{self._files} files")

    def begun(self, hours: float, done_hours: float) -> None:
        """How much sound there is (h), and how much of it was located before."""
        before = f", {done_hours:.2f} of them done before" if done_hours else ""
        say(f"{hours:.2f} hours of sound over all microphones{before}")
        self.stop.has_begun = True
        self._started = monotonic()
        self._bar.update(self._task, description="locating", total=hours, completed=done_hours, rate="")

    def located(self, hours: float) -> None:
        """So much more (h)."""
        self._hours += hours
        rate = self._hours / (monotonic() - self._started + 1e-9)
        self._bar.update(self._task, advance=hours, rate=f"{rate:.3f} h/s")
