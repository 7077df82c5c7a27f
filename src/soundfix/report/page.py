"""The page (its source is web/), as it is served, and with a recording's answers in it: one file that needs no service."""

from functools import cache
from importlib.resources import files


@cache
def built_page() -> str:
    """HTML, with its program inside."""
    return (files("soundfix.report") / "page" / "index.html").read_text("utf-8")
