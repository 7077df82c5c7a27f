"""Which list of microphones is meant: one that is sent, or one that was kept under a name."""

from soundfix.server.store import Store


class NoList(Exception):
    """None is meant, or two are, or nobody kept it. status: of HTTP."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def kept_list(store: Store, sent: object | None, name: str | None) -> tuple[str, str] | None:
    """File name and content of the list that was kept under this name; None where it was sent instead. Raises NoList."""
    if (sent is None) == (name is None):
        raise NoList(422, "wanted either microphones, a list, or microphone_set, the name of a list that was kept")
    if name is None:
        return None
    kept = store.set_of(name)
    if kept is None:
        raise NoList(404, f"no list of microphones is called {name!r}: see /microphones")
    return kept
