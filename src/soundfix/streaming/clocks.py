"""Senders count samples, each by a clock of its own: where a sample is on the line of time that all share.

A sender's counter is laid on that line when it is first heard, by the time that its packets tell, or else by when they
arrive. From then on it counts by itself. How fast it counts against time is a line through the earliest packet of every
second (Mills' clock filter: the one that waited least), older ones counting less; what it drifts against the median of all
senders is taken out, a sample at a time (feed.py). What is left: where packets tell no time, who is how late is known to
milliseconds only, which `soundfix calibrate --free-clocks` finds from a recording.
"""

from dataclasses import dataclass, field
from statistics import median

from soundfix.streaming.packets import Packet

SECOND_S = 1.0
MEMORY_S = 1800.0  # after which a second counts 1/e
SHORTEST_S = 20.0  # of what a drift is told from
CLEAR = 3.0  # standard errors
LARGEST_PPM = 1000.0  # a clock that is worse is none
STEP_S = 2.0  # a counter that is ahead of time by more is another one;
STALL_S = 10.0  # one that is behind for so long, too: a network that stalled has caught up by then


@dataclass(kw_only=True)
class DriftLine:
    """How a lateness (s) changes with time (s), by weighted least squares in constant memory."""

    weight: float = 0.0
    mean_x: float = 0.0
    mean_y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    def add(self, x: float, y: float, keeps: float) -> None:
        """One more point; those before count `keeps` of what they did."""
        self.weight = keeps * self.weight + 1.0
        dx, dy = x - self.mean_x, y - self.mean_y
        self.mean_x += dx / self.weight
        self.mean_y += dy / self.weight
        self.xx = keeps * self.xx + dx * (x - self.mean_x)
        self.xy = keeps * self.xy + dx * (y - self.mean_y)
        self.yy = keeps * self.yy + dy * (y - self.mean_y)

    @property
    def slope(self) -> float:
        return self.xy / self.xx if self.xx > 0 else 0.0

    @property
    def sigma(self) -> float:
        """Its standard error."""
        if self.weight <= 2 or self.xx <= 0:
            return float("inf")
        rest = max(0.0, self.yy - self.slope * self.xy)
        return float((rest / (self.weight - 2) / self.xx) ** 0.5)


@dataclass(kw_only=True)
class SenderClock:
    """One counter. first_s, base: a sample that was heard first, and where it is on the line; lateness against time."""

    run: int
    rate_hz: int
    first_counter: int
    first_s: float
    slip: int = 0
    behind_since_s: float | None = None
    line: DriftLine = field(default_factory=DriftLine)
    _second: tuple[int, float, float] = (0, 0.0, float("inf"))

    def hear(self, elapsed_s: float, late_s: float) -> None:
        """A packet, so long after the first one by its counter, and so much later by time."""
        second = int(elapsed_s / SECOND_S)
        if second != self._second[0]:
            self.line.add(self._second[1], self._second[2], 1.0 - SECOND_S / MEMORY_S)
            self._second = (second, elapsed_s, late_s)
        elif late_s < self._second[2]:
            self._second = (second, elapsed_s, late_s)

    @property
    def drift(self) -> tuple[float, float] | None:
        """By how much its samples take longer than they should, and the standard error (ppm); None after too short."""
        if self.line.weight * SECOND_S < SHORTEST_S:
            return None
        return 1e6 * self.line.slope, 1e6 * self.line.sigma


class Clocks:
    """Packets come in by `place`, with when they arrived (s since 1970)."""

    def __init__(self) -> None:
        self._origin_s: float | None = None
        self._senders: dict[tuple[str, ...], SenderClock] = {}

    def place(self, packet: Packet, arrived_s: float) -> int:
        """The packet's first sample on the line of time that all share, at the packet's rate."""
        duration_s = len(packet.sound) / packet.sample_rate
        told_s = packet.time_ns / 1e9 if packet.time_ns else arrived_s - duration_s
        self._origin_s = told_s if self._origin_s is None else self._origin_s
        time_s = told_s - self._origin_s
        clock = self._senders.get(packet.microphones)
        if clock is None or _is_another(clock, packet, time_s, arrived_s):
            clock = SenderClock(
                run=packet.run, rate_hz=packet.sample_rate, first_counter=packet.counter, first_s=time_s
            )
            self._senders[packet.microphones] = clock
        elapsed_s = (packet.counter - clock.first_counter) / packet.sample_rate
        clock.hear(elapsed_s, time_s - clock.first_s - elapsed_s)
        self._correct(clock, elapsed_s)
        return round(clock.first_s * packet.sample_rate) + packet.counter - clock.first_counter + clock.slip

    def drifts(self) -> dict[str, tuple[float, float]]:
        """By name of the (first) microphone: by how much a sender's samples take longer than the median sender's, and the
        standard error (ppm)."""
        found = {names[0]: clock.drift for names, clock in self._senders.items()}
        known = {name: drift for name, drift in found.items() if drift is not None}
        usual = median(ppm for ppm, _ in known.values()) if known else 0.0
        return {name: (ppm - usual, sigma) for name, (ppm, sigma) in known.items()}

    def _correct(self, clock: SenderClock, elapsed_s: float) -> None:
        """Slip by a sample where it has drifted that far, and that is clear."""
        known = [each.drift for each in self._senders.values() if each.drift is not None]
        if clock.drift is None or len(known) < 2:
            return
        ppm, sigma = clock.drift[0] - median(each[0] for each in known), clock.drift[1]
        if CLEAR * sigma < abs(ppm) < LARGEST_PPM:
            behind = 1e-6 * ppm * elapsed_s * clock.rate_hz - clock.slip
            clock.slip += (behind > 0.6) - (behind < -0.6)


def _is_another(clock: SenderClock, packet: Packet, time_s: float, arrived_s: float) -> bool:
    """Whether the counter began anew, stood still, or the sender's clock was set."""
    if (packet.run, packet.sample_rate) != (clock.run, clock.rate_hz):
        return True
    elapsed_s = (packet.counter - clock.first_counter) / packet.sample_rate
    late_s = time_s - clock.first_s - elapsed_s
    allowed_s = STEP_S + abs(elapsed_s) * LARGEST_PPM * 1e-6
    if late_s <= allowed_s:
        clock.behind_since_s = None
    elif clock.behind_since_s is None:
        clock.behind_since_s = arrived_s
    return late_s < -allowed_s or (clock.behind_since_s is not None and arrived_s - clock.behind_since_s > STALL_S)
