"""sounddevice without a sound card: streams that give what a test tells them to."""

import numpy as np


class PortAudioError(Exception):
    pass


class Status:
    input_overflow = False

    def __init__(self, overflow=False):
        self.input_overflow = overflow

    def __bool__(self):
        return self.input_overflow


class FakeSoundDevice:
    """In the place of the package. is_plugged: whether a card can be opened."""

    PortAudioError = PortAudioError

    def __init__(self):
        self.is_plugged, self.streams, self.restarts = True, [], 0

    def InputStream(self, **options):
        if not self.is_plugged:
            raise PortAudioError("Error querying device")
        self.streams.append(FakeStream(options))
        return self.streams[-1]

    def _terminate(self):
        self.restarts += 1

    def _initialize(self):
        pass


class FakeStream:
    def __init__(self, options):
        self.options, self.is_open = options, False

    def start(self):
        self.is_open = True

    def abort(self):
        self.is_open = False

    def close(self):
        self.is_open = False

    def give(self, sound, *, overflow=False):
        """Call back, as PortAudio does, with a buffer that it uses again."""
        buffer = np.array(sound, np.float32)
        self.options["callback"](buffer, len(buffer), None, Status(overflow))
        buffer[:] = np.nan
