"""`soundfix export`: from a checkpoint to a folder that --checkpoint takes; what was left out is a sentence."""

import shutil

import pytest

from soundfix.cli import app
from soundfix.networks import export
from soundfix.networks.checkpoint import PACKAGED
from soundfix.networks.exported import read_exported


@pytest.mark.parametrize(("flags", "precision"), [([], "float32"), (["--int8"], "int8")])
def test_it_says_what_it_wrote(flags, precision, tmp_path, monkeypatch, capsys):
    asked = []

    def written(weights, folder, *, precision):
        asked.append((weights, folder, precision))
        shutil.copytree(PACKAGED.parent, folder)
        return read_exported(folder)

    monkeypatch.setattr(export, "export", written)
    monkeypatch.setattr("sys.argv", ["soundfix", "export", "--out", str(tmp_path / "out"), *flags])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 0
    assert asked == [(PACKAGED, tmp_path / "out", precision)]
    assert "5 graphs, float32, 12.2 MB" in capsys.readouterr().out


def test_what_is_no_checkpoint_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["soundfix", "export", str(tmp_path / "none.safetensors")])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 2
    assert "there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize(("package", "code"), [("scipy.optimize", 2), ("torch", 2), ("something_else", 1)])
def test_a_package_that_is_left_out_is_a_sentence(package, code, monkeypatch, capsys):
    def missing():
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)

    monkeypatch.setattr(app, "app", missing)
    if code == 1:
        with pytest.raises(ModuleNotFoundError):
            app.main()
        return
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == code
    assert f"{package.split('.')[0]} is not installed; this needs it: pip install soundfix" in capsys.readouterr().err
