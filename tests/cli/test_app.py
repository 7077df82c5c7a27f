"""The command line by itself: help, version, what it lists."""

import subprocess
import sys

from typer.testing import CliRunner

import soundfix
from soundfix.cli import app
from soundfix.cli.options import DEFAULT
from soundfix.methods import catalog
from soundfix.methods.catalog import CATALOG


def test_help_starts_as_a_module():
    done = subprocess.run([sys.executable, "-m", "soundfix", "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("locate", "check", "simulate", "methods", "demo"))
    assert done.stderr == ""


def test_version(command):
    assert command("--version") == (0, f"{soundfix.__version__}\n", "")


def test_commands_under_the_test_runner():
    runner = CliRunner()
    assert runner.invoke(app.app, ["--version"]).output.strip() == soundfix.__version__
    assert runner.invoke(app.app, ["locate"]).exit_code == 2


def test_methods_are_the_catalog_with_its_default(command):
    _, said, _ = command("methods")
    lines = said.splitlines()
    assert [line.split()[0] for line in lines] == list(CATALOG)
    assert [line.split()[0] for line in lines if "(the default)" in line] == [DEFAULT] == [catalog.DEFAULT]
