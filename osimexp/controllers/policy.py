"""The trained policy: what an algorithm leaves behind, and all that an evaluation needs of it."""

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
    """Acts by the deterministic output of a network on normalised observations.

    It carries its observation statistics with its weights. The network may put out more than
    actions (a standard deviation, say): the actions are its first ``action_size`` outputs.

    Attributes:
        network: from observations to ``action_size`` or more outputs.
        normaliser: of the observations.
        action_size: actions.
        squash: how outputs become actions in [-1, 1].
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
        """Columns of the observations that it takes."""
        return self.network.sizes[0]

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Do nothing: an action depends on the observation alone."""

    def act(self, observations: Observations) -> Actions:
        """Return actions ``(B, actions)`` in one forward pass for the batch."""
        with torch.inference_mode():
            outputs = self.outputs(tensor(observations, self._device))[:, : self.action_size]
            actions = outputs.tanh() if self.squash == "tanh" else outputs.clamp(-1.0, 1.0)
            return array(actions)

    def outputs(self, observations: Tensor) -> Tensor:
        """Return the network's outputs for raw observations, before squashing."""
        result: Tensor = self.network(self.normaliser.normalise(observations))
        return result

    def rescale(self, factor: float, offset: float) -> None:
        """Make every action ``factor`` times what it was, plus ``offset``, before it is clipped.

        Raises:
            ValueError: actions are squashed otherwise, so that this cannot be done exactly.
        """
        if self.squash != "clip":
            raise ValueError("actions squashed by tanh cannot be rescaled")
        with torch.no_grad():
            self.network.weights[-1] *= factor
            self.network.biases[-1] *= factor
            self.network.biases[-1] += offset

    def rearranged(self, fit: Fit) -> "Policy":
        """Return the policy that does for a task's columns what this one does for its own.

        What is seen in the place of a missing column becomes part of the first biases; a column
        that is new to the policy has weights of 0 and the statistics of mean 0 and variance 1.

        Raises:
            ValueError: its outputs are not so many for each action.
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
        """Become the policy that another controller is.

        Raises:
            ValueError: it is no policy, or of another shape.
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
        """Take over weights and statistics of a policy of the same sizes.

        Raises:
            ValueError: the state is of a policy of another shape.
        """
        own = self.state_dict()
        for key in ("sizes", "activation", "action_size", "squash"):
            if state[key] != own[key]:
                raise ValueError(f"the policy's {key} is {own[key]}, the state's {state[key]}")
        self.network.load_state_dict(state["network"])
        self.normaliser.load_state_dict(state["normaliser"])

    @classmethod
    def from_state_dict(cls, state: dict[str, Any], device: str = "cpu") -> Self:
        """Make the policy that ``state`` was taken from; no algorithm is needed."""
        network = MLP(state["sizes"], state["activation"], torch.Generator(device))
        normaliser = Normaliser(state["sizes"][0], device=device)
        policy = cls(network, normaliser, state["action_size"], state["squash"])
        policy.load_state_dict(state)
        return policy


def tensor(values: NDArray[Any], device: str | torch.device) -> Tensor:
    """Return a float32 tensor of an array, sharing its memory where that can be."""
    return torch.as_tensor(values, dtype=torch.float32, device=device)


def array(values: Tensor) -> NDArray[np.float32]:
    """Return a float32 array of a tensor, sharing its memory where that can be."""
    result: NDArray[np.float32] = values.cpu().numpy()
    return result


def _unsquashed(actions: Tensor) -> Tensor:
    """Return outputs of which ``actions`` in [-1, 1] are the tanh, short of infinite ones."""
    return actions.double().clamp(-1.0 + 1e-7, 1.0 - 1e-7).atanh().float()
