"""The multilayer perceptron, which is the network of policies and of PPO's critic."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Activation = Literal["relu", "tanh", "elu", "silu"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "elu": functional.elu,
    "silu": functional.silu,
}


class MLP(nn.Module):
    """A multilayer perceptron, with an activation after each layer except the last.

    Weights and biases are uniform within ``1 / sqrt(inputs)``, which is PyTorch's choice for a
    linear layer, but they are drawn from the given generator instead of the global one.
    """

    def __init__(
        self, sizes: Sequence[int], activation: Activation, generator: torch.Generator
    ) -> None:
        """Draw the weights on the generator's device.

        Args:
            sizes: widths from input to output, at least two.
            activation: name of the activation function between the layers.
            generator: random generator of the initial weights.
        """
        super().__init__()
        self.sizes = list(sizes)
        self.activation: Activation = activation
        self._activate = ACTIVATIONS[activation]
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for inputs, outputs in pairwise(sizes):
            bound = 1.0 / math.sqrt(inputs)
            self.weights.append(uniform((outputs, inputs), bound, generator))
            self.biases.append(uniform((outputs,), bound, generator))

    @property
    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """Weights ``(outputs, inputs)`` and biases ``(outputs,)`` from input to output."""
        return list(zip(self.weights, self.biases, strict=True))

    def set_layers(self, layers: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Set weights and biases of the same shapes."""
        with torch.no_grad():
            for own, given in zip(self.layers, layers, strict=True):
                for parameter, values in zip(own, given, strict=True):
                    parameter.copy_(values)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return outputs ``(..., sizes[-1])`` for inputs ``(..., sizes[0])``."""
        layers = self.layers
        for weight, bias in layers[:-1]:
            inputs = self._activate(functional.linear(inputs, weight, bias))
        return functional.linear(inputs, *layers[-1])

    def initialise_orthogonal(
        self, gain: float, output_gain: float, generator: torch.Generator
    ) -> None:
        """Set the weights to random orthogonal matrices times a gain, and the biases to 0.

        This is the usual start of PPO: ``output_gain`` is small for a policy, so that its first
        actions hardly depend on the observation (Andrychowicz et al. 2021, arXiv:2006.05990).
        """
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            scale = output_gain if layer == last else gain
            nn.init.orthogonal_(weight, scale, generator=generator)
            nn.init.zeros_(bias)


def uniform(shape: Sequence[int], bound: float, generator: torch.Generator) -> nn.Parameter:
    """Return a parameter drawn uniformly from [-bound, bound] on the generator's device."""
    drawn = torch.rand(tuple(shape), generator=generator, device=generator.device)
    return nn.Parameter((2.0 * drawn - 1.0) * bound)
