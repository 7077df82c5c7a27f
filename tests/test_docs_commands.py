"""Every command that a page shows exists, with these options and values that these may have; nothing is run."""

import re
import shlex

import pytest
import typer

from helpers import pages
from soundfix.cli.app import app
from test_docs import PAGES

COMMANDS = typer.main.get_command(app).commands
SHELLS = ("", "bash")  # fences without a language show commands too, often with what they print
LEFT_OUT = ("MissingParameter", "BadOptionUsage")  # an argument, an option's value
ENDS = r"\|\|?|&&?|;"  # of a command
BEFORE = r"(?:\$ |.*(?:\| |&& |; |time |timeout \d+ |-m ))?"  # what may stand in front of it on its line


def shown(page):
    """(command, whether it is all there) of code blocks, and of code in the text, where arguments may be left out."""
    text = re.sub(r"^### Before the move.*", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    fenced = "\n".join(block.code for block in pages.blocks(page) if block.language in SHELLS)
    indented = "\n".join(re.findall(r"^    (soundfix .*)$", text, re.MULTILINE))
    for line in re.sub(r"\\\n\s*", " ", f"{fenced}\n{indented}").splitlines():
        if found := re.match(rf"{BEFORE}soundfix (.*)", line.strip()):
            yield found[1], True
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from ((" ".join(code.split()), False) for code in re.findall(r"`soundfix ([^`]+)`", prose))


def words(command):
    """Up to where another command begins, or a comment."""
    split = shlex.shlex(command, posix=True, punctuation_chars="|&;<>")
    split.whitespace_split = True
    found = []
    for word in split:
        if re.fullmatch(ENDS + r"|[<>]+", word):
            break
        found.append(word)
    return found


def complaint(command, is_whole):
    """Why it cannot be called so; None where it can. `COMMAND` and `...` stand for whatever, `N` for a number."""
    name, *arguments = words(re.sub(r" N\b", " 1", command))
    if name.startswith("-") or name == "COMMAND" or "..." in arguments:
        return None
    if name not in COMMANDS:
        return f"there is no command {name}"
    try:
        COMMANDS[name].make_context(name, arguments)
    except Exception as error:
        kind = type(error).__name__
        return None if kind == "Exit" or (kind in LEFT_OUT and not is_whole) else f"{kind}: {error}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(pages.REPOSITORY).as_posix() for page in PAGES])
def test_commands_are_as_they_are_shown(page):
    complaints = {command: complaint(command, is_whole) for command, is_whole in shown(page)}
    assert {command: said for command, said in complaints.items() if said} == {}


def test_the_readme_and_the_shell_page_show_commands():
    named = {
        page.relative_to(pages.REPOSITORY).as_posix(): {words(each)[0] for each, _ in shown(page)} for page in PAGES
    }
    assert {"check", "locate", "calibrate"} <= named["README.md"]
    assert {"chaos", "simulate", "study"} <= named["docs/command-line.md"]
    assert {"serve"} <= named["docs/page.md"]  # indented


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("locat take.wav -m mics.csv", "there is no command locat"),
        ("locate take.wav --microphone mics.csv", "NoSuchOption"),
        ("locate take.wav -m mics.csv --jobs many", "BadParameter"),
        ("check take.wav", "MissingParameter"),
    ],
)
def test_what_cannot_be_called_is_noticed(command, said):
    assert complaint(command, is_whole=True).startswith(said)


@pytest.mark.parametrize("rest", ["--csv - | head --nonsense", "# can it tell?", "|| echo --no", "> out.txt", "--help"])
def test_a_command_ends_where_another_begins(rest):
    assert complaint(f"locate take.wav -m mics.csv {rest}", is_whole=True) is None


def test_in_the_text_arguments_may_be_left_out():
    assert complaint("check", is_whole=False) is None
    assert complaint("locate --jobs", is_whole=False) is None
    assert complaint("check --nonsense", is_whole=False).startswith("NoSuchOption")
