"""The network while it learns: its weights, their moving average, the optimizer, and how far it is."""

import math
from copy import deepcopy

import torch
from torch import Tensor, nn

from soundfix.networks.checkpoint import own_tensors
from soundfix.training.batches import Batch
from soundfix.training.lessons import learning, loss_terms
from soundfix.training.nodes import mean_of_all, share_gradients
from soundfix.training.plateau import Plateau
from soundfix.training.recipes import STAGES, Recipe, Stage
from soundfix.training.runs import State, optimizer_tensors, set_optimizer, with_prefix, without_prefix
from soundfix.training.stages import Terms


class Trainee:
    """stage: that it is in; done: steps of that stage; step_count: of all."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.average = _copied(network)
        self.stage, self.done, self.step_count = "", 0, 0
        self.optimizer: torch.optim.Optimizer | None = None
        self.weights: list[nn.Parameter] = []
        self.plateau = Plateau()
        self._restored: State | None = None

    def restore(self, state: State) -> None:
        """As it was when this state was saved."""
        device = next(self.network.parameters()).device
        tensors = {name: tensor.to(device) for name, tensor in state.tensors.items()}
        self.network.load_state_dict(without_prefix("network", tensors), strict=False)  # BEATs base is not in it
        self.average = without_prefix("average", tensors)
        self.stage, self.done, self.step_count = state.numbers["stage"], state.numbers["done"], state.step
        self.plateau = Plateau(**state.numbers.get("plateau", {}))
        self._restored = state

    def begin(self, name: str, stage: Stage, recipe: Recipe) -> bool:
        """Make ready for this stage; false where there is nothing to do. What was learned before goes on as its average."""
        if not stage.steps or (self.stage and STAGES.index(name) < STAGES.index(self.stage)):
            return False
        self.weights = learning(self.network, name, stage)
        if not self.weights:
            return False
        if name != self.stage:
            self.stage, self.done, self.plateau = name, 0, Plateau()
            self.network.load_state_dict(self.average, strict=False)
        if self.done >= stage.steps or self.plateau.is_over:
            return False
        self.optimizer = torch.optim.AdamW(
            self.weights, stage.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        if self.done and self._restored is not None:
            set_optimizer(self.optimizer, without_prefix("optimizer", self._restored.tensors))
        return True

    def step(self, batch: Batch, stage: Stage, recipe: Recipe) -> Terms:
        """One step of the optimizer; the terms of the loss before it, of the whole batch where processes share it."""
        assert self.optimizer is not None
        for group in self.optimizer.param_groups:
            group["lr"] = stage.learning_rate * rate(stage, self.done) * self._fallen(stage)
        half = batch.speed_m_s.is_cuda or (recipe.bfloat16 and multiplies_bfloat16())
        with torch.autocast(batch.speed_m_s.device.type, torch.bfloat16, enabled=half):
            terms = loss_terms(self.network, batch, recipe, self.stage)
        total = sum(terms.values(), torch.zeros((), device=batch.speed_m_s.device))
        shared = dict(zip(terms, mean_of_all(list(terms.values())), strict=True))
        self.optimizer.zero_grad()
        if sum(shared.values(), torch.zeros_like(total)).isfinite():
            total.backward()
            share_gradients(self.weights)
            nn.utils.clip_grad_norm_(self.weights, recipe.clip)
            self.optimizer.step()
            self._follow(recipe.average)
        self.done, self.step_count = self.done + 1, self.step_count + 1
        return {name: term.detach() for name, term in shared.items()}

    def _fallen(self, stage: Stage) -> float:
        return self.plateau.rate(self.done / stage.steps) if stage.schedule == "plateau" else 1.0

    @torch.no_grad()
    def _follow(self, decay: float) -> None:
        """The moving average follows, quickly at first."""
        share = 1 - min(decay, (1 + self.done) / (10 + self.done))
        for name, tensor in own_tensors(self.network).items():
            if tensor.is_floating_point():
                self.average[name].lerp_(tensor, share)
            else:
                self.average[name].copy_(tensor)

    def know_error(self, error_m: float) -> None:
        """Keep the measured error of the position decoder along an axis beside the weights."""
        for error in (dict(self.network.named_buffers())["error_m"], self.average["error_m"]):
            error.fill_(error_m)

    def averaged(self) -> nn.Module:
        """A network with the moving average as its weights."""
        network = deepcopy(self.network)
        network.load_state_dict(self.average, strict=False)
        return network.eval()

    def state(self) -> State:
        """All that is needed to go on from here."""
        tensors = with_prefix("network", own_tensors(self.network)) | with_prefix("average", self.average)
        if self.optimizer is not None:
            tensors |= with_prefix("optimizer", optimizer_tensors(self.optimizer))
        numbers = {"stage": self.stage, "done": self.done, "plateau": self.plateau.state()}
        return State(step=self.step_count, tensors=tensors, numbers=numbers)


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in own_tensors(network).items()}


def rate(stage: Stage, done: int) -> float:
    """The learning rate after so many steps, as a share of the largest."""
    warm = min(1.0, (done + 1) / max(1, stage.warm_up))
    if stage.schedule == "plateau":
        return warm
    if stage.schedule == "paper":
        return warm * 0.95 ** (30 * done // stage.steps)
    return warm * (1 + math.cos(math.pi * done / stage.steps)) / 2


def multiplies_bfloat16() -> bool:
    """Whether this processor does; others take fifty times as long for it as for float32."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16"))
