"""Docstrings as they are written here, as reStructuredText: arguments and fields in bold, a line each, and examples as code.

They are plain prose for `help()`: "audio: an array (M, T). sample_rate: its rate in Hz." tells two arguments, and what
stands four spaces further in is code.
"""

import re
from collections.abc import Iterable

CODE = "    "


def as_rst(lines: list[str], names: Iterable[str]) -> list[str]:
    """The lines of a docstring; names: of the arguments or fields that it may tell of."""
    found: list[str] = []
    for paragraph in paragraphs(lines):
        is_code = paragraph[0].startswith(CODE)
        found += [".. code-block:: python", "", *paragraph, ""] if is_code else prose(paragraph, tuple(names))
    return found


def paragraphs(lines: list[str]) -> list[list[str]]:
    """Lines that belong together; an example is a paragraph whatever stands beside it."""
    found: list[list[str]] = [[]]
    for line in lines:
        if not line.strip():
            found.append([])
        elif found[-1] and line.startswith(CODE) != found[-1][-1].startswith(CODE):
            found.append([line])
        else:
            found[-1].append(line)
    return [paragraph for paragraph in found if paragraph]


def prose(paragraph: list[str], names: tuple[str, ...]) -> list[str]:
    """What is said of arguments is a list; of errors, a paragraph of its own."""
    text, _, raised = re.sub(r"\s+", " ", " ".join(paragraph)).strip().partition("Raises ")
    first, *told = re.split(told_of(names), text) if names else [text]
    found = [escaped(first.strip()), ""] if first.strip() else []
    found += [
        f"- **{name}**: {escaped(said.strip().rstrip(';'))}" for name, said in zip(told[::2], told[1::2], strict=True)
    ]
    return [*found, "", *([f"**Raises** {escaped(raised)}", ""] if raised else [])]


def told_of(names: tuple[str, ...]) -> str:
    """Where a sentence or a clause begins with one or several of these names and a colon."""
    name = "|".join(re.escape(name) for name in names)
    return rf"(?:^|(?<=[.;)] ))((?:{name})(?:, (?:{name}))*): "


def escaped(text: str) -> str:
    """What is code stays code; a star or a bar of prose is no markup."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(f"`{piece}`" if piece.startswith("`") else re.sub(r"([*|_])", r"\\\1", piece) for piece in pieces)
