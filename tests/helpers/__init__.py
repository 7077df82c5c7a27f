"""What tests share: small scenes, networks and data sets, and slow literal forms to compare with."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
DATA = TESTS / "data"
