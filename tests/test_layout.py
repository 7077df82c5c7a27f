"""The house stays in order: a test file for every module, packages that say what may not live there, and limits of size."""

import ast
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

from helpers import TESTS

PACKAGE = TESTS.parent / "src" / "soundfix"
MODULES = sorted(p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py") if not p.name.startswith("__"))
PACKAGES = sorted(p.parent.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("__init__.py") if p.parent != PACKAGE)
WITHOUT_TESTS_OF_THEIR_OWN = {
    "networks/correlations.py": "the transforms of test_likelihood.py; test_onnx_runtime.py holds numpy's to PyTorch's",
    "networks/pair_likelihoods.py": "test_likelihood.py looks up, test_reranker.py has the partners",
    "networks/windows.py": "what test_model.py's forward passes take and give",
    "networks/coherence_weight.py": "test_coherence.py has ASCM",
    "networks/interface.py": "no code",
    "networks/given.py": "what test_model.py's forward passes work with: masks, unknown and silent microphones",
    "api/request.py": "what was asked for: test_locate.py asks for everything, test_provenance.py writes it down",
    "calibration/outcome.py": "what a solution shows, a line each: test_doubts.py changes it, test_calibrate.py makes it",
    "cli/engines.py": "three options of others: test_archive.py, test_evaluate.py and test_simulate.py give them",
    "cli/answering.py": "the second half of locate.py: test_locate.py and test_events.py run it",
    "cli/listening.py": "the second half of listen.py: test_listen.py runs all of it",
    "cli/live_outputs.py": "lines, viewers and the screen of listen.py: test_listen.py reads what they are told",
    "evaluation/pictures.py": "three pictures: test_tables.py asks that each is drawn",
    "localization/abstention.py": "four fields: test_preparation.py, test_belief.py and test_search.py catch it",
    "methods/network_boxes.py": "three boxes in a line each: test_boxes.py and test_placing.py go through them",
    "methods/network_decoder.py": "a network as a Decoder: test_three_stream.py and test_decoded.py answer with it",
    "networks/streams.py": "layers of model.py, which test_model.py turns, moves, hides from and permutes as a whole",
    "report/summary.py": "puts lines of text.py together: read back in test_exports.py and test_fault_rows_recordings.py",
    "server/answers.py": "what app.py answers: test_app.py reads it",
    "server/job.py": "a row of the store: test_store.py keeps it, test_jobs.py works on it",
    "server/live_process.py": "the other end of a socket: test_live.py listens through it",
    "server/limits.py": "numbers, no code; test_guard.py, test_jobs.py and test_workers.py go beyond each",
    "server/logs.py": "a line of JSON: test_serve.py reads it",
    "server/metrics.py": "four numbers, no code; test_app.py reads them",
    "session/summary.py": "five fields, no code",
    "simulation/studio.py": "published numbers, no code; test_worlds.py builds the studio from them",
    "studies/setting.py": "what studies are made on: test_ablations.py and test_reproduce.py train and evaluate with it",
}
LONGEST_FUNCTION, LONGEST_MODULE, LONGEST_COMMAND = 60, 400, 150  # lines; of functions those that hold code
MEDIAN_FUNCTION, NINE_IN_TEN, MOST_LAYERS = 8, 20, 14


def test_reasons_are_of_modules_that_exist():
    assert set(WITHOUT_TESTS_OF_THEIR_OWN) <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_test_file_of_its_name_or_a_written_reason(module):
    path = Path(module)
    is_tested = (TESTS / path.parent / f"test_{path.name}").exists()
    assert is_tested != (module in WITHOUT_TESTS_OF_THEIR_OWN), "neither, or both: a reason is for modules without"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_in_a_sentence_what_lives_there_and_what_may_not(package):
    said = ast.get_docstring(ast.parse((PACKAGE / package / "__init__.py").read_text("utf-8")))
    assert said
    sentence = " ".join(said.split())
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert re.search(r"; .*\b(no|not|never|nothing)\b", sentence)


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_too_long(module):
    longest = LONGEST_COMMAND if module.startswith("cli/") else LONGEST_MODULE
    assert len((PACKAGE / module).read_text("utf-8").splitlines()) <= longest


def test_functions_are_short():
    sizes = dict(pair for module in MODULES for pair in functions(PACKAGE / module))
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}
    assert median(sizes.values()) < MEDIAN_FUNCTION
    assert quantiles(sizes.values(), n=10)[-1] < NINE_IN_TEN


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function by place and name, with its lines of code: no docstring, no comment, nothing blank."""
    tree, code = ast.parse(path.read_text("utf-8")), lines_of_code(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = node.body[0] if ast.get_docstring(node) is not None else None
            own = code & set(range(node.lineno, node.end_lineno + 1))
            if docstring:
                own -= set(range(docstring.lineno, docstring.end_lineno + 1))
            yield f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}", len(own)


def lines_of_code(path: Path) -> set[int]:
    """The lines on which anything but a comment stands."""
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    with path.open("rb") as file:
        tokens = [token for token in tokenize.tokenize(file.readline) if token.type not in {*blank, tokenize.ENCODING}]
    return {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}


def test_lines_of_code_by_hand(tmp_path, monkeypatch):
    """A signature of two lines, a docstring, a blank line, a comment, two lines of code."""
    source = 'def f(\n    x):\n    """Says.\n\n    More."""\n\n    # why\n    y = x  # what\n    return y\n'
    (tmp_path / "f.py").write_text(source)
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    assert list(functions(tmp_path / "f.py")) == [("f.py:1 f", 4)]


def test_layers_are_few_and_every_module_has_one():
    project = tomllib.loads((TESTS.parent / "pyproject.toml").read_text("utf-8"))
    contracts = {contract["name"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    assert len(contracts["one way down"]["layers"]) <= MOST_LAYERS
    assert contracts["one way down"]["exhaustive"] is True


def test_the_small_distribution_is_the_same_version_with_fewer_packages():
    files = (TESTS.parent / path for path in ("pyproject.toml", "slim/pyproject.toml"))
    whole, small = (tomllib.loads(path.read_text("utf-8"))["project"] for path in files)
    assert small["version"] == whole["version"]
    assert small["scripts"] == whole["scripts"]
    names = [{re.split(r"[><=\[]", each)[0] for each in project["dependencies"]} for project in (small, whole)]
    assert names[0] - names[1] == {"onnxruntime"}
    assert not names[0] & {"torch", "scipy", "numba"}
