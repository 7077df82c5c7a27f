"""Exchanged channels, as text and as in the JSON files."""

from collections.abc import Iterator


def exchange_lines(exchanged: tuple[tuple[str, str], ...]) -> Iterator[str]:
    """Which channel belongs to which row of the list, where that is not as listed."""
    if exchanged:
        places = ", ".join(f"{name} hears as if it stood where {row} is listed" for name, row in exchanged)
        yield (
            f"channels, or rows of the list, are exchanged: {places}. With these rows everything that was heard fits, "
            "and who is called misplaced or late without them is neither"
        )


def exchange_dicts(exchanged: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    """As in the JSON files."""
    return [{"microphone": name, "stands_at": row} for name, row in exchanged]
