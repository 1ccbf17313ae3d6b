"""Critic networks for SAC and DDPG, and gradient steps."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

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
