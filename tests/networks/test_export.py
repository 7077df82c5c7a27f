"""Export: graphs say what their network says, in float32 and about so in 8 bits; what cannot be exported is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from helpers.kept_answers import windows
from soundfix.errors import CheckpointError
from soundfix.localization.preparation import prepare
from soundfix.methods.network_evidence import forward
from soundfix.networks import checkpoint, export, onnx_runtime
from soundfix.networks.exported import PACKAGED
from soundfix.networks.model import Network

GRAPHS = ("curves",)  # the others take half a minute each


@pytest.fixture(scope="module")
def heard():
    prepared = prepare(next(windows(1)))
    return prepared.audio, prepared.scene, prepared.pairs


@pytest.fixture(scope="module")
def other():
    """The packaged network, changed in the parts that are exported here."""
    network = checkpoint.load(checkpoint.PACKAGED)
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in (*network.head.lag.parameters(), *network.head.votes.parameters()):
            weight.add_(0.2 * torch.randn_like(weight))
    return network


@pytest.mark.parametrize("precision", ["float32", pytest.param("int8", marks=pytest.mark.slow)])
def test_exported_graphs_say_what_the_network_says(precision, other, heard, tmp_path):
    weights = tmp_path / "other.safetensors"
    checkpoint.save(other, weights)
    sessions = dict(onnx_runtime.load(PACKAGED).graphs)
    for name, graph in export._graphs(other).items():
        if name in GRAPHS:
            path = tmp_path / f"{name}.onnx"
            export._write(export._onnx(graph), path, weights, precision)
            sessions[name] = onnx_runtime._session(path)
    own = forward(replace(onnx_runtime.load(PACKAGED), graphs=sessions), *heard).likelihoods
    usual = forward(other, *heard).likelihoods
    assert np.allclose(own.curves, usual.curves.numpy(), atol=0.01 * float(usual.curves.abs().max()))
    assert not np.allclose(forward(onnx_runtime.load(PACKAGED), *heard).likelihoods.curves, own.curves, atol=0.01)


def test_the_packaged_graphs_have_their_weights_in_the_checkpoint():
    import onnx

    begins = set(export._begins(checkpoint.PACKAGED).values())
    for name in onnx_runtime.load(PACKAGED).about.graphs:
        model = onnx.load(PACKAGED / f"{name}.onnx", load_external_data=False)
        outside = [{e.key: e.value for e in t.external_data} for t in model.graph.initializer if t.external_data]
        assert {each["location"] for each in outside} <= {"default.safetensors"}
        assert {int(each["offset"]) for each in outside} <= begins
        assert (PACKAGED / f"{name}.onnx").stat().st_size < 150_000
        assert not any(each.metadata_props or each.doc_string for each in model.graph.node)


@pytest.mark.parametrize("change", [{"keep": 0.5}, {"acoustic": "none"}, {"correlation": "gcc"}])
def test_another_kind_of_network_is_refused(change, tmp_path):
    config = replace(checkpoint.load(checkpoint.PACKAGED).config, **change)
    checkpoint.save(Network(config), tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="can be exported"):
        export.export(tmp_path / "other.safetensors", tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_whole_folder(precision, heard, tmp_path):
    about = export.export(checkpoint.PACKAGED, tmp_path, precision=precision)
    assert ("default.safetensors" in about.files) == (precision == "float32")
    network = onnx_runtime.load(tmp_path)
    assert network.runtime == ("onnxruntime" if precision == "float32" else "onnxruntime int8")
    own, usual = forward(network, *heard), forward(checkpoint.load(checkpoint.PACKAGED), *heard)
    atol = 1e-3 if precision == "float32" else 0.02
    assert np.allclose(own.likelihoods.gates, usual.likelihoods.gates.numpy(), atol=atol)


def test_a_network_is_exported_in_its_parts(other):
    assert export._graphs(other).keys() == set(onnx_runtime.load(PACKAGED).about.graphs)
    plain = replace(other.config, head=replace(other.config.head, weighting="none"), reranker=0)
    assert export._graphs(Network(plain)).keys() == {"listen", "curves", "joint"}


@pytest.mark.parametrize("before", ["nothing", "another file", "the checkpoint itself"])
def test_the_checkpoint_goes_along_whatever_was_there_before(before, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_graphs", lambda network: {})
    weights, folder = tmp_path / "mine.safetensors", tmp_path / "out"
    if before == "the checkpoint itself":
        folder = tmp_path
    elif before == "another file":
        folder.mkdir()
        (folder / weights.name).write_bytes(b"of another network")
    weights.write_bytes(checkpoint.PACKAGED.read_bytes())
    about = export.export(weights, folder)
    assert (folder / weights.name).read_bytes() == checkpoint.PACKAGED.read_bytes()
    assert list(about.files) == [weights.name]


def test_what_the_checkpoint_has_stays_there_as_it_is_or_turned_and_what_it_lacks_does_not(tmp_path):
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    wide, narrow, own = (rng.standard_normal(shape).astype(np.float32) for shape in ((20, 16), (16, 20), (20, 16)))
    weights, path = tmp_path / "some.safetensors", tmp_path / "some.onnx"
    save_file({"wide": torch.from_numpy(wide), "narrow": torch.from_numpy(narrow)}, weights)
    held = {"as_it_is": wide, "turned": narrow.T.copy(), "own": own}
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [20, 16]) for name in ("x", "y")]
    graph = helper.make_graph(
        [helper.make_node("Sum", ["x", *held], ["y"])], "sum", values[:1], values[1:],
        [numpy_helper.from_array(value, name) for name, value in held.items()],
    )  # fmt: skip
    export._write(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path, weights, "float32")
    (said,) = onnx_runtime._session(path).run(None, {"x": np.ones((20, 16), np.float32)})
    assert np.allclose(said, 1 + wide + narrow.T + own, atol=1e-6)
    assert own.nbytes < path.stat().st_size < 1.7 * own.nbytes
