"""Everything soundfix raises on purpose. A message says what it got, what it wanted, and the likely cause.

SoundfixError
├── SceneError             audio, positions, room or speed of sound that cannot be right
├── AudioFileError         a recording that cannot be read
├── MicrophoneFileError    a list of microphones that cannot be read
├── EventFileError         a table of sound events that cannot be read
├── DelayFileError         a table of delays that cannot be read
├── CheckpointError        weights that are missing, damaged, or of another network
├── DatasetError           a data set that cannot be read, or holds what it must not
├── ConfigError            a setting that does not exist, or cannot have this value
├── TrainingError          a run that cannot start or go on
├── MetricsError           a truth that no answer can be measured against
├── UnknownMethodError     a localizer name that is not in the catalog
├── MissingPackageError    an optional package that is not installed
├── EngineError            work that could not be done by other processes
└── OutputError            a result that could not be written
"""


class SoundfixError(Exception):
    """The root: catch this to catch everything soundfix raises on purpose."""


class SceneError(SoundfixError, ValueError):
    """Audio, positions, room or speed of sound that cannot be right."""


class AudioFileError(SoundfixError):
    """A recording that cannot be read."""


class MicrophoneFileError(SoundfixError):
    """A list of microphones that cannot be read."""


class EventFileError(SoundfixError):
    """A table of sound events that cannot be read, or does not belong to the recording."""


class DelayFileError(SoundfixError):
    """A table of delays that cannot be read."""


class CheckpointError(SoundfixError):
    """Weights that are missing, damaged, or of another network."""


class DatasetError(SoundfixError):
    """A data set that cannot be read, or holds what it must not."""


class ConfigError(SoundfixError, ValueError):
    """A setting that does not exist, or cannot have this value."""


class TrainingError(SoundfixError):
    """A run that cannot start or go on."""


class MetricsError(SoundfixError, ValueError):
    """A truth that no answer can be measured against."""


class UnknownMethodError(SoundfixError):
    """A localizer name that is not in the catalog."""


class MissingPackageError(SoundfixError, ImportError):
    """An optional package that is not installed."""

    def __init__(self, package: str, extra: str | None = None):
        """extra: what it comes with; None: with soundfix itself, and it was left out."""
        wanted = f"'soundfix[{extra}]'" if extra else "soundfix (soundfix-onnx locates, and no more)"
        super().__init__(f"{package} is not installed; this needs it: pip install {wanted}")
        self._made_of = package, extra

    def __reduce__(self) -> tuple[type, tuple[str, str | None]]:
        """As it was made, so that it says the same where a worker has raised it."""
        return type(self), self._made_of


class EngineError(SoundfixError):
    """Work that ends the processes which do it, or a cluster that cannot be reached."""


class OutputError(SoundfixError):
    """A result that could not be written."""
