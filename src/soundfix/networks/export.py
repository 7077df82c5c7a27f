"""A trained network as ONNX graphs: its learned parts, and none of the transforms between them (onnx_runtime.py has these).

    listen     log-mel spectra                          ->  semb
    mask       magnitudes, who is heard, semb           ->  m(t, f)
    curves     correlations                             ->  l_ij, and the partially whitened ones in deviations
    joint      semb, places, delays, coherence          ->  gates, places, attention
    reranker   curves and candidates                    ->  log-odds

In float32 the weights stay where they are, in the checkpoint beside the graphs: a graph says at which byte of it a tensor
begins, which ONNX calls external data. In int8 the weights of all products are whole numbers, in the graphs themselves.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from logging import WARNING, disable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from warnings import catch_warnings, simplefilter

import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from soundfix.atomic import atomic_path, make_folder
from soundfix.errors import CheckpointError, MissingPackageError
from soundfix.networks import checkpoint
from soundfix.networks.attention import keeps_all
from soundfix.networks.echoes import Asked
from soundfix.networks.exported import DESCRIPTION, Exported, Precision, digest_of, graph_file
from soundfix.networks.masking import hide_nothing
from soundfix.networks.model import Network
from soundfix.networks.pair_likelihoods import PairLikelihoods, Partners, partners_of
from soundfix.networks.windows import Windows
from soundfix.resample import SAMPLE_RATE

if TYPE_CHECKING:
    from onnx import ModelProto

LEAST_OUTSIDE = 256  # numbers in a tensor that stays in the checkpoint; what is smaller is as well in the graph


class Listen(nn.Module):
    """From log-mel spectra of every microphone to semb."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.encoder, self.acoustic = network.encoder, network.acoustic

    def forward(self, log_mel: Tensor) -> Tensor:
        assert self.encoder is not None
        return self.acoustic(self.encoder.tokens(log_mel).mean(dim=1))[None]


class Curves(nn.Module):
    """From correlations to l_ij."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        assert network.head is not None
        self.head = network.head

    def forward(self, correlations: Tensor, sigma: Tensor, weighted: Tensor | None = None) -> tuple[Tensor, ...]:
        agreed = self.head.agree(correlations, weighted, sigma)
        return (agreed.curves,) if agreed.partial is None else (agreed.curves, agreed.partial)


class Joint(nn.Module):
    """What sounds, places and delays say together."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        semb: Tensor,
        positions_m: Tensor,
        is_known: Tensor,
        is_heard: Tensor,
        told_m: Tensor,
        pairs: Tensor,
        agreement: Tensor,
        correlation: Tensor,
    ) -> tuple[Tensor | None, ...]:
        windows = Windows(
            audio=positions_m.new_zeros(1, 1, 1),
            positions_m=positions_m,
            is_known=is_known,
            is_heard=is_heard,
            told_m=told_m,
        )
        given = self.network.prepare(windows, hide_nothing(is_heard), pairs)
        return tuple(self.network.joint(given, semb, agreement, correlation))


class LookAgain(nn.Module):
    """Log-odds of candidates."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        assert network.reranker is not None
        assert network.head is not None
        self.reranker, self.head = network.reranker, network.head

    def forward(
        self,
        curves: Tensor,
        plain: Tensor,
        gates: Tensor,
        coherence: Tensor,
        is_placed: Tensor,
        pairs: Tensor,
        order: Tensor,
        is_pair: Tensor,
        candidates: Tensor,
        is_there: Tensor,
        positions_m: Tensor,
        box_m: Tensor,
        speed_m_s: Tensor,
        sigma: Tensor,
        window_s: Tensor,
        partial: Tensor | None = None,
    ) -> Tensor:
        said = PairLikelihoods(
            curves=curves,
            plain=plain,
            gates=gates,
            coherence=coherence,
            is_placed=is_placed,
            pairs=pairs,
            lags_a_second=SAMPLE_RATE * self.head.config.lags_a_sample,
            sigma=sigma,
            sharpness=self.head.sharpness,
            window_s=window_s,
            partial=partial,
        )
        asked = Asked(candidates, is_there, positions_m, box_m, speed_m_s)
        return self.reranker.odds(said, asked, Partners(order, is_pair))


class Graph(NamedTuple):
    """What is exported: a part of the network, an example of what goes in, which of its axes may be of any length, by name,
    and what comes out."""

    part: nn.Module
    given: dict[str, Tensor]
    axes: dict[str, dict[int, str]]
    said: tuple[str, ...]


def export(weights: Path | str, folder: Path | str, *, precision: Precision = "float32") -> Exported:
    """Write the network of this checkpoint into a folder, for onnx_runtime.load and for other runtimes.

    Raises MissingPackageError without the packages that write ONNX, CheckpointError on a network that has no likelihood head
    or none of the usual kind, OutputError where the folder cannot be written.
    """
    weights, folder = Path(weights), Path(folder)
    network = checkpoint.load(weights)
    _check_kind(network)
    make_folder(folder)
    graphs = {name: _onnx(graph) for name, graph in _graphs(network).items()}
    beside = folder / weights.name
    if precision == "float32" and not (beside.exists() and beside.samefile(weights)):
        with atomic_path(beside) as part:
            part.write_bytes(weights.read_bytes())
    for name, model in graphs.items():
        with atomic_path(folder / graph_file(name)) as part:
            _write(model, part, beside, precision)
    files = (*map(graph_file, graphs), *([beside.name] if precision == "float32" else []))
    return _described(network, folder, files, precision)


def _check_kind(network: Network) -> None:
    """Refuse what the graphs have no place for."""
    c = network.config
    is_usual = c.acoustic == "small" and c.head is not None and c.correlation == "head" and keeps_all(c.keep)
    if not is_usual:
        raise CheckpointError(
            f"this network has acoustic {c.acoustic!r}, correlation {c.correlation!r}, keep {c.keep:g}, "
            f"{'a' if c.head else 'no'} likelihood head; wanted 'small', 'head', 1 and a likelihood head: "
            "only networks of the recipe `default` and its like can be exported"
        )


def _graphs(network: Network) -> dict[str, Graph]:
    """The parts, with examples of six microphones."""
    assert network.head is not None
    head, width, mics, pairs = network.head.config, network.config.width, 6, 15
    semb, curve = torch.zeros(1, mics, width), torch.zeros(1, pairs, 801)
    reach = 2 * network.config.reach_lags * head.lags_a_sample + 1
    kinds, is_heard = 1 + (head.weighting == "mask"), torch.ones(1, mics, dtype=torch.bool)
    numbers = torch.triu_indices(mics, mics, 1).T.contiguous()
    positions_m = torch.randn(1, mics, 3, generator=torch.Generator().manual_seed(0))
    per_mic, per_pair = {1: "mic"}, {1: "pair"}
    graphs = {
        "listen": Graph(
            Listen(network), {"log_mel": torch.randn(mics, 98, 128)}, {"log_mel": {0: "mic", 1: "frame"}}, ("semb",)
        ),
        "curves": Graph(
            Curves(network),
            {"correlations": torch.randn(1, pairs, kinds, 801), "sigma": torch.tensor(0.1)}
            | ({"weighted": torch.randn(1, pairs, 801)} if head.partial else {}),
            {"correlations": {1: "pair", 3: "lag"}, "weighted": {1: "pair", 2: "lag"}},
            ("curves", "partial") if head.partial else ("curves",),
        ),
        "joint": Graph(
            Joint(network),
            {
                "semb": semb,
                "positions_m": positions_m,
                "is_known": is_heard,
                "is_heard": is_heard,
                "told_m": torch.full((1, network.config.sources, 3), torch.nan),
                "pairs": numbers,
                "agreement": torch.rand(1, pairs),
                "correlation": torch.randn(1, pairs, reach),
            },
            dict.fromkeys(("semb", "positions_m", "is_known", "is_heard"), per_mic)
            | {"pairs": {0: "pair"}, "agreement": per_pair, "correlation": per_pair},
            ("sources_m", "microphones_m", "sound", "weights", "attention", "gates"),
        ),
    }
    if head.weighting == "mask":
        magnitude = torch.rand(1, mics, head.frame // 2 + 1, 32)
        axes = {"magnitude": {1: "mic", 3: "frame"}, "is_heard": per_mic, "embedding": per_mic}
        given = {"magnitude": magnitude, "is_heard": is_heard, "embedding": semb}
        graphs["mask"] = Graph(_mask(network), given, axes, ("mask",))
    if network.reranker is not None:
        graphs["reranker"] = _second_look(network, curve, numbers, positions_m)
    return graphs


def _mask(network: Network) -> nn.Module:
    assert network.head is not None
    assert network.head.mask is not None
    return network.head.mask


def _second_look(network: Network, curve: Tensor, pairs: Tensor, positions_m: Tensor) -> Graph:
    assert network.head is not None
    partners, spots = partners_of(pairs, positions_m.shape[1]), 5
    per_curve, per_pair, per_mic = {1: "pair", 2: "lag"}, {1: "pair"}, {0: "mic", 1: "partner"}
    given = {
        "curves": torch.randn_like(curve),
        "plain": torch.randn_like(curve),
        "gates": torch.rand(1, network.config.sources, len(pairs)),
        "coherence": torch.rand(1, len(pairs)),
        "is_placed": torch.ones(1, len(pairs), dtype=torch.bool),
        "pairs": pairs,
        "order": partners.order,
        "is_pair": partners.is_pair,
        "candidates": torch.randn(1, spots, 3),
        "is_there": torch.ones(1, spots, dtype=torch.bool),
        "positions_m": positions_m,
        "box_m": torch.tensor([[[-3.0, -3, -2], [3, 3, 2]]]),
        "speed_m_s": torch.tensor([343.0]),
        "sigma": torch.tensor(0.1),
        "window_s": torch.tensor(0.5),
    }
    axes = {
        "curves": per_curve,
        "plain": per_curve,
        "partial": per_curve,
        "gates": {2: "pair"},
        "coherence": per_pair,
        "is_placed": per_pair,
        "pairs": {0: "pair"},
        "order": per_mic,
        "is_pair": per_mic,
        "candidates": {1: "candidate"},
        "is_there": {1: "candidate"},
        "positions_m": {1: "mic"},
    }
    if network.head.config.partial:
        given["partial"] = torch.randn_like(curve)
    return Graph(LookAgain(network), given, axes, ("odds",))


def _onnx(graph: Graph) -> "ModelProto":
    """The graph, with all its weights in it."""
    try:
        import onnxscript  # noqa: F401  torch writes graphs with it
    except ModuleNotFoundError as error:
        raise MissingPackageError("onnxscript", "onnx") from error
    with _quietly():
        program = torch.onnx.export(
            graph.part.eval(),
            kwargs=graph.given,
            dynamic_shapes={name: graph.axes.get(name, {}) for name in graph.given},
            input_names=list(graph.given),
            output_names=list(graph.said),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    return _bare(program.model_proto)


def _bare(model: "ModelProto") -> "ModelProto":
    """Without what torch notes of where in the source each node comes from."""
    for each in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        each.ClearField("metadata_props")
        each.ClearField("doc_string")
    model.graph.ClearField("value_info")
    return model


@contextmanager
def _quietly() -> Iterator[None]:
    """What torch and what it writes graphs with say of themselves is of no use to anybody."""
    with catch_warnings(), redirect_stdout(StringIO()):
        simplefilter("ignore")
        disable(WARNING)
        try:
            yield
        finally:
            disable(0)


def _write(model: "ModelProto", path: Path, weights: Path, precision: Precision) -> None:
    if precision == "int8":
        _write_whole_numbers(model, path)
        return
    _leave_outside(model, weights)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _write_whole_numbers(model: "ModelProto", path: Path) -> None:
    """Products by weights of 8 bits; what they multiply is made 8 bits as it comes (onnxruntime's dynamic quantization)."""
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ModuleNotFoundError as error:
        raise MissingPackageError("onnxruntime", "onnx") from error
    with _quietly():
        quantize_dynamic(
            model, path, op_types_to_quantize=["MatMul", "Gemm"], weight_type=QuantType.QInt8, per_channel=True
        )


def _leave_outside(model: "ModelProto", weights: Path) -> None:
    """Tensors that are in the checkpoint too, as they are there or turned round, stay there."""
    from onnx import TensorProto, helper, numpy_helper

    begins = _begins(weights)
    turned = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < LEAST_OUTSIDE:
            continue
        name, place = tensor.name, begins.get(values.tobytes())
        if place is None and values.ndim == 2:
            place = begins.get(values.T.tobytes())
            if place is not None:
                tensor.name, tensor.dims[:] = f"{name}.turned", values.T.shape
                turned.append(helper.make_node("Transpose", [tensor.name], [name], perm=[1, 0]))
        if place is None:
            continue
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", weights.name), ("offset", place), ("length", values.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
    nodes = [*turned, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _begins(weights: Path) -> dict[bytes, int]:
    """Where in a safetensors file a tensor with these bytes begins."""
    content = weights.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    spans = (about["data_offsets"] for name, about in header.items() if name != "__metadata__")
    return {content[start + first : start + last]: start + first for first, last in spans}


def _described(network: Network, folder: Path, files: tuple[str, ...], precision: Precision) -> Exported:
    """Writes what the folder holds, last: until then it is none of ours."""
    assert network.head is not None
    c = network.config
    about = Exported(
        precision=precision,
        frame=c.frame,
        sources=c.sources,
        reach_lags=c.reach_lags,
        window_samples=c.window_samples,
        coherence=c.coherence,
        head=network.head.config,
        has_reranker=network.reranker is not None,
        arrays=c.arrays,
        error_m=float(network.error_m),
        sharpness=network.head.sharpness.item(),
        files={name: digest_of(folder / name) for name in files},
    )
    with atomic_path(folder / DESCRIPTION) as part:
        part.write_bytes(TypeAdapter(Exported).dump_json(about, indent=1))
    return about
