"""The trained policy, which an algorithm produces and an evaluation plays."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osimexp.controllers.controller import Actions, Controller, Observations
from osimexp.controllers.labels import Fit
from osimexp.controllers.networks import MLP
from osimexp.controllers.normaliser import Normaliser

Squash = Literal["tanh", "clip"]


class Policy:
    """A policy that acts by the deterministic output of a network on normalised observations.

    It contains its observation statistics. The network may have more outputs than actions, such as
    standard deviations; the actions are its first ``action_size`` outputs.

    Attributes:
        network: network from observations to ``action_size`` or more outputs.
        normaliser: normaliser of the observations.
        action_size: number of actions.
        squash: map from outputs to actions in [-1, 1]: ``tanh`` or ``clip``.
    """

    kind: ClassVar[str] = "policy"

    def __init__(
        self, network: MLP, normaliser: Normaliser, action_size: int, squash: Squash
    ) -> None:
        self.network = network
        self.normaliser = normaliser
        self.action_size = action_size
        self.squash: Squash = squash
        self._device = network.weights[0].device

    @property
    def observation_size(self) -> int:
        """Number of columns of the observations."""
        return self.network.sizes[0]

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Do nothing, because an action depends on the observation alone."""

    def act(self, observations: Observations) -> Actions:
        """Return actions ``(B, actions)`` for observations ``(B, observations)``."""
        with torch.inference_mode():
            outputs = self.outputs(tensor(observations, self._device))[:, : self.action_size]
            actions = outputs.tanh() if self.squash == "tanh" else outputs.clamp(-1.0, 1.0)
            return array(actions)

    def outputs(self, observations: Tensor) -> Tensor:
        """Return the network's outputs for raw observations, before squashing."""
        result: Tensor = self.network(self.normaliser.normalise(observations))
        return result

    def rescale(self, factor: float, offset: float) -> None:
        """Change every action to ``factor`` times the action plus ``offset``, before clipping.

        Raises:
            ValueError: actions are squashed by tanh, so that this is not exact.
        """
        if self.squash != "clip":
            raise ValueError("actions squashed by tanh cannot be rescaled")
        with torch.no_grad():
            self.network.weights[-1] *= factor
            self.network.biases[-1] *= factor
            self.network.biases[-1] += offset

    def rearranged(self, fit: Fit) -> "Policy":
        """Return the policy that acts on a task's columns as this one acts on its own.

        The value that replaces a missing column becomes part of the first biases. A column that is
        new to the policy has weights of 0 and the statistics of mean 0 and variance 1.

        Raises:
            ValueError: the number of outputs is not a multiple of the number of actions.
        """
        widths, size = self.network.sizes, len(fit.done)
        blocks, rest = divmod(widths[-1], self.action_size)
        if rest:
            raise ValueError(f"{widths[-1]} outputs cannot be told apart by action")
        seen, done = torch.as_tensor(fit.seen), torch.as_tensor(fit.done)
        shown, given = seen >= 0, done >= 0
        own = [(w.detach().cpu(), b.detach().cpu()) for w, b in self.network.layers]
        statistics = self.normaliser.state_dict()
        before = Normaliser(widths[0])
        before.load_state_dict(statistics)
        layers = list(own)
        weight, bias = layers[0]
        filled = before.normalise(torch.as_tensor(fit.filled, dtype=torch.float32))
        first = torch.zeros(len(weight), fit.shown)
        first[:, seen[shown]] = weight[:, shown]
        layers[0] = first, bias + weight[:, ~shown] @ filled[~shown]
        weight, bias = layers[-1]
        last, offsets = torch.zeros(blocks, size, weight.shape[1]), torch.zeros(blocks, size)
        last[:, given] = weight.view(blocks, -1, weight.shape[1])[:, done[given]]
        offsets[:, given] = bias.view(blocks, -1)[:, done[given]]
        held = torch.as_tensor(fit.held, dtype=torch.float32)
        offsets[0, ~given] = (held if self.squash == "clip" else _unsquashed(held))[~given]
        layers[-1] = last.flatten(0, 1), offsets.flatten()

        device = str(self._device)
        sizes = [fit.shown, *widths[1:-1], blocks * size]
        network = MLP(sizes, self.network.activation, torch.Generator(device))
        network.set_layers(layers)
        normaliser = Normaliser(fit.shown, device=device)
        mean = torch.zeros(fit.shown, dtype=torch.float64)
        squares = torch.full_like(mean, float(before.count))
        mean[seen[shown]], squares[seen[shown]] = before.mean[shown], before.squares[shown]
        normaliser.load_state_dict({**statistics, "mean": mean, "squares": squares})
        return Policy(network, normaliser, size, self.squash)

    def take_over(self, other: Controller) -> None:
        """Set weights and statistics to those of another controller, which must be a policy.

        Raises:
            ValueError: it is not a policy, or has other sizes.
        """
        if not isinstance(other, Policy):
            raise ValueError(f"only a policy can be learned on, and it is of kind {other.kind}")
        self.load_state_dict(other.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """Return sizes, weights and statistics as tensors, numbers, strings, lists and dicts."""
        return {
            "sizes": list(self.network.sizes),
            "activation": self.network.activation,
            "action_size": self.action_size,
            "squash": self.squash,
            "network": dict(self.network.state_dict()),
            "normaliser": self.normaliser.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore weights and statistics of a policy of the same sizes.

        Raises:
            ValueError: the policy has other sizes.
        """
        own = self.state_dict()
        for key in ("sizes", "activation", "action_size", "squash"):
            if state[key] != own[key]:
                raise ValueError(f"the policy's {key} is {own[key]}, the state's {state[key]}")
        self.network.load_state_dict(state["network"])
        self.normaliser.load_state_dict(state["normaliser"])

    @classmethod
    def from_state_dict(cls, state: dict[str, Any], device: str = "cpu") -> Self:
        """Return the policy that ``state`` was saved from; no algorithm is needed."""
        network = MLP(state["sizes"], state["activation"], torch.Generator(device))
        normaliser = Normaliser(state["sizes"][0], device=device)
        policy = cls(network, normaliser, state["action_size"], state["squash"])
        policy.load_state_dict(state)
        return policy


def tensor(values: NDArray[Any], device: str | torch.device) -> Tensor:
    """Return an array as a float32 tensor, which shares its memory if possible."""
    return torch.as_tensor(values, dtype=torch.float32, device=device)


def array(values: Tensor) -> NDArray[np.float32]:
    """Return a tensor as a float32 array, which shares its memory if possible."""
    result: NDArray[np.float32] = values.cpu().numpy()
    return result


def _unsquashed(actions: Tensor) -> Tensor:
    """Return finite outputs whose tanh is ``actions`` in [-1, 1]."""
    return actions.double().clamp(-1.0 + 1e-7, 1.0 - 1e-7).atanh().float()
