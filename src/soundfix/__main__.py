"""The command `soundfix`, and `python -m soundfix`."""

import signal


def main() -> None:
    """Ctrl-C while modules are loaded, which takes a second, ends without a word; then each command has its own way."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from soundfix.cli.app import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
