"""Critic networks for SAC and DDPG, and gradient steps."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from osimexp.controllers.networks import ACTIVATIONS, Activation, uniform


class Critics(nn.Module):
    """Independent critics Q(s, a) of one shape, all computed in one batched call."""

    def __init__(
        self,
        members: int,
        observation_size: int,
        action_size: int,
        hidden_sizes: Sequence[int],
        activation: Activation,
        generator: torch.Generator,
        layer_norm: bool = False,
    ) -> None:
        """Draw the weights of ``members`` critics on the generator's device.

        With ``layer_norm`` each hidden layer is normalised over its units before its activation (Ba
        et al. 2016, arXiv:1607.06450), without weights of its own.
        """
        super().__init__()
        self.members = members
        self._activate = ACTIVATIONS[activation]
        self._layer_norm = layer_norm
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        sizes = [observation_size + action_size, *hidden_sizes, 1]
        for inputs, outputs in pairwise(sizes):
            bound = 1.0 / math.sqrt(inputs)
            self.weights.append(uniform((members, inputs, outputs), bound, generator))
            self.biases.append(uniform((members, 1, outputs), bound, generator))

    def forward(self, observations: Tensor, actions: Tensor) -> Tensor:
        """Return values ``(members, B)`` of actions ``(B, actions)`` in observations."""
        hidden = torch.cat((observations, actions), dim=-1).expand(self.members, -1, -1)
        layers = list(zip(self.weights, self.biases, strict=True))
        for weight, bias in layers[:-1]:
            hidden = torch.baddbmm(bias, hidden, weight)
            if self._layer_norm:
                hidden = functional.layer_norm(hidden, hidden.shape[-1:])
            hidden = self._activate(hidden)
        weight, bias = layers[-1]
        return torch.baddbmm(bias, hidden, weight).squeeze(-1)


def descend(loss: Tensor, optimizer: Optimizer, max_gradient_norm: float | None = None) -> None:
    """Update the optimizer's parameters by one step down the gradient of ``loss``.

    Gradients of other parameters, such as the critics' in an actor's loss, are not computed.

    Args:
        loss: scalar loss.
        optimizer: optimizer of the parameters to update.
        max_gradient_norm: bound of the gradient's norm; None does not clip.
    """
    parameters = optimizer.param_groups[0]["params"]
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    if max_gradient_norm is not None:
        nn.utils.clip_grad_norm_(parameters, max_gradient_norm)
    optimizer.step()


def restore_optimizer(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Restore a saved state of Adam, of which every tensor has to fit its parameter.

    A fused step reads and writes as many numbers as the parameter has, whatever the tensors hold.

    Args:
        optimizer: optimizer that gets the state.
        state: its ``state_dict`` at an earlier time.

    Raises:
        ValueError: the state is not of an optimizer of these parameters.
    """
    own = optimizer.state_dict()["param_groups"]
    saved, moments = state.get("param_groups"), state.get("state")
    if not isinstance(saved, list) or len(saved) != len(own) or not isinstance(moments, Mapping):
        raise ValueError("the saved optimizer has other groups of parameters")
    groups = [_group(mine, given) for mine, given in zip(own, saved, strict=True)]
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for number, given in moments.items():
        if type(number) is not int or not 0 <= number < len(parameters):
            raise ValueError(f"the saved optimizer has a parameter {number!r:.40}")
        _check_moments(parameters[number], given)
    optimizer.load_state_dict({"state": dict(moments), "param_groups": groups})


def _group(own: Mapping[str, Any], saved: object) -> dict[str, Any]:
    """Return a saved group of parameters; how a step is computed is the optimizer's own."""
    if not isinstance(saved, Mapping) or not saved.keys() <= own.keys():
        raise ValueError("the saved optimizer has other settings")
    if saved.get("params") != own["params"]:
        raise ValueError("the saved optimizer has other parameters")
    group = dict(own)
    for key, value in saved.items():
        mine = own[key]
        if isinstance(mine, bool) or mine is None:
            continue
        if key == "betas":
            if not (isinstance(value, tuple | list) and len(value) == 2):
                raise ValueError(f"the saved optimizer's betas are {value!r:.40}")
            if not all(_is_number(beta) and beta < 1.0 for beta in value):
                raise ValueError(f"the saved optimizer's betas are {value!r:.40}")
            group[key] = tuple(value)
        elif isinstance(mine, int | float):
            if not _is_number(value):
                raise ValueError(f"the saved optimizer's {key} is {value!r:.40}")
            group[key] = value
    return group


def _check_moments(parameter: Tensor, saved: object) -> None:
    if not isinstance(saved, Mapping) or saved.keys() != {"step", "exp_avg", "exp_avg_sq"}:
        raise ValueError("the saved optimizer is not of Adam")
    for name, value in saved.items():
        shape = () if name == "step" else parameter.shape
        if not (
            isinstance(value, Tensor)
            and value.shape == shape
            and value.dtype == (torch.float32 if name == "step" else parameter.dtype)
            and value.layout == torch.strided
            and value.device.type in ("cpu", parameter.device.type)
            and (value.is_contiguous() or value.stride() == parameter.stride())
        ):
            raise ValueError(f"the saved optimizer's {name} does not fit its parameter")
    if not 0 <= float(saved["step"]) < math.inf:
        raise ValueError("the saved optimizer made no number of steps")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1e300 and not isinstance(value, bool)


def follow(target: nn.Module, source: nn.Module, rate: float) -> None:
    """Move the target's parameters towards the source's by the fraction ``rate``."""
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), source.parameters(), strict=True):
            slow.lerp_(fast, rate)


def averages(updates: Sequence[Mapping[str, Tensor]]) -> dict[str, float]:
    """Return the mean of each metric over the updates that have it, with one device sync."""
    names = list(dict.fromkeys(name for update in updates for name in update))
    if not names:
        return {}
    means = [torch.stack([u[name] for u in updates if name in u]).mean() for name in names]
    return dict(zip(names, torch.stack(means).tolist(), strict=True))
