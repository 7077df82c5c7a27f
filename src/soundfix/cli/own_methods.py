"""Methods of your own, MODULE:FACTORY: they are taken, and it is said which promises they do not keep."""

from soundfix.cli.terminal import say


def warn_of(name: str) -> None:
    """On standard error, a line for each check of the contract that is broken. Raises UnknownMethodError."""
    if ":" not in name:
        return
    from soundfix.testing import CHECKS, broken_promises, load_own

    broken = list(broken_promises(load_own(name)))
    if broken:
        say(f"{name} breaks {len(broken)} of the {len(CHECKS)} promises of localizers (soundfix.testing):")
    for line in broken:
        say(f"  {line}")
