"""The three-stream network in onnxruntime, without PyTorch: exported graphs (export.py), and numpy between them.

The same boxes in the same order as model.py's: what the graphs hold is learned, what is here is Fourier transforms and the
masks of who is heard and known. Axes: B batch (one window), M microphones, P pairs, L lags.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix.errors import CheckpointError, MissingPackageError
from soundfix.gate import gate
from soundfix.networks.correlations import Agreed, Correlations, Learned, Reach, correlations
from soundfix.networks.exported import Exported, graph_file, read_exported
from soundfix.networks.interface import LooksAgain
from soundfix.networks.pair_likelihoods import PairLikelihoods, partners_of
from soundfix.networks.windows import Answers, Windows, levelled, listened, middle, told_slots
from soundfix.resample import SAMPLE_RATE
from soundfix.signal import gcc
from soundfix.signal.coherence import coherence
from soundfix.signal.fbank import normalized_log_mel

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


@dataclass(frozen=True, kw_only=True, eq=False)
class OnnxNetwork:
    """about: what it is like. graphs: its learned parts, by name."""

    about: Exported
    graphs: dict[str, "InferenceSession"]

    @property
    def frame(self) -> str:
        """Whose coordinates places have: of one room that it learned, or of any array."""
        return self.about.frame

    @property
    def arrays(self) -> tuple[tuple[tuple[float, float, float], ...], ...]:
        """Positions (m) of those it was trained with, where these were few."""
        return self.about.arrays

    @property
    def error_m(self) -> Float[np.ndarray, ""]:
        """Standard error of the position decoder along an axis, measured in training."""
        return np.array(self.about.error_m)

    @property
    def reranker(self) -> LooksAgain | None:
        """The second look, if it has one."""
        return self._look_again if self.about.has_reranker else None

    @property
    def has_head(self) -> bool:
        """Always: no other is exported."""
        return True

    @property
    def runtime(self) -> str:
        """What it is run by, and how precisely where that is not in float32."""
        return self.about.runtime

    def array(self, values: np.ndarray) -> np.ndarray:
        """These as it takes them."""
        return values

    def __call__(
        self, windows: Windows, *, pairs: Int[np.ndarray, "pair 2"], max_lag: int, lowest_hz: float
    ) -> Answers:
        """What it says of these pairs; of one window."""
        about, is_known, is_heard = self.about, windows.is_known, windows.is_heard
        audio = levelled(np.where(is_heard[..., None], windows.audio, np.float32(0)))
        context = listened(audio, is_cut=about.head.partial is not None)
        (semb,) = self._run("listen", log_mel=normalized_log_mel(context[0]))
        agreement = coherence(audio, pairs, sample_rate=SAMPLE_RATE, measure=about.coherence)
        window = middle(audio, min(about.window_samples or audio.shape[-1], audio.shape[-1]))
        heard = self._correlated(window, semb, pairs, Reach(max(max_lag, about.reach_lags), lowest_hz))
        sources_m, microphones_m, sound, weights, attention, gates = self._run(
            "joint",
            semb=semb,
            positions_m=np.where(is_known[..., None], windows.positions_m, np.float32(0)),
            is_known=is_known,
            is_heard=is_heard,
            told_m=told_slots(windows.told_m, about.sources, like=windows.positions_m),
            pairs=pairs,
            agreement=agreement,
            correlation=middle(heard.curves / (10 * heard.sigma), 2 * about.reach_lags * about.head.lags_a_sample + 1),
        )
        said = PairLikelihoods(
            curves=heard.curves,
            plain=heard.plain,
            gates=gates,
            coherence=agreement,
            is_placed=is_known[:, pairs].all(axis=-1),
            pairs=pairs,
            lags_a_second=SAMPLE_RATE * about.head.lags_a_sample,
            sigma=heard.sigma,
            sharpness=np.float32(about.sharpness),
            window_s=window.shape[-1] / SAMPLE_RATE,
            partial=heard.partial,
            passed=heard.passed,
        )
        return Answers(
            sources_m=sources_m,
            microphones_m=microphones_m,
            sound=sound,
            pairs=pairs,
            coherence=agreement,
            weights=weights,
            attention=attention,
            likelihoods=said,
        )

    def _correlated(
        self, window: Float[np.ndarray, "batch mic time"], semb: np.ndarray, pairs: np.ndarray, reach: Reach
    ) -> Correlations:
        mask = partial(self._mask, semb=semb) if "mask" in self.graphs else None
        learned = Learned(mask, self._agree)
        return correlations(gcc.faded(window, SAMPLE_RATE), pairs, learned, self.about.head, reach=reach)

    def _mask(
        self,
        magnitude: Float[np.ndarray, "batch mic freq frame"],
        is_heard: Bool[np.ndarray, "batch mic"],
        semb: np.ndarray,
    ) -> Float[np.ndarray, "batch mic freq frame"]:
        return self._run("mask", magnitude=magnitude, is_heard=is_heard, embedding=semb)[0]

    def _agree(self, curves: np.ndarray, weighted: np.ndarray | None, sigma: float) -> Agreed:
        given = {} if weighted is None else {"weighted": weighted}
        return Agreed(*self._run("curves", correlations=curves, sigma=np.array(sigma), **given))

    def _look_again(
        self,
        likelihoods: PairLikelihoods,
        candidates: Float[np.ndarray, "batch candidate 3"],
        is_there: Bool[np.ndarray, "batch candidate"],
        positions_m: Float[np.ndarray, "batch mic 3"],
        box_m: Float[np.ndarray, "batch 2 3"],
        speed_m_s: Float[np.ndarray, "batch"],
    ) -> Float[np.ndarray, "batch answer"]:
        partners = partners_of(likelihoods.pairs, positions_m.shape[1])
        partial = {} if likelihoods.partial is None else {"partial": likelihoods.partial}
        (odds,) = self._run(
            "reranker",
            curves=likelihoods.curves,
            plain=likelihoods.plain,
            gates=likelihoods.gates,
            coherence=likelihoods.coherence,
            is_placed=likelihoods.is_placed,
            pairs=likelihoods.pairs,
            order=partners.order,
            is_pair=partners.is_pair,
            candidates=candidates,
            is_there=is_there,
            positions_m=positions_m,
            box_m=box_m,
            speed_m_s=speed_m_s,
            sigma=np.array(likelihoods.sigma),
            window_s=np.array(likelihoods.window_s),
            **partial,
        )
        return odds

    def _run(self, name: str, **given: np.ndarray) -> Sequence[np.ndarray]:
        """What this graph says; numbers in its precision."""
        feeds = {n: v.astype(np.float32) if v.dtype == np.float64 else v for n, v in given.items()}
        return self.graphs[name].run(None, feeds)


@gate(CheckpointError)
def load(folder: Path) -> OnnxNetwork:
    """The network that `soundfix export` wrote into this folder.

    Raises MissingPackageError without onnxruntime, and CheckpointError on what is no such folder, whole and unchanged.
    """
    about = read_exported(folder)
    return OnnxNetwork(about=about, graphs={name: _session(folder / graph_file(name)) for name in about.graphs})


def _session(path: Path) -> "InferenceSession":
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingPackageError("onnxruntime", "onnx") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # several add up in another order
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
