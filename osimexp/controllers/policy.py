"""The trained policy: what an algorithm leaves behind, and all that an evaluation needs of it."""

from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osimexp.controllers.controller import Actions, Observations
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

    def __init__(
        self, network: MLP, normaliser: Normaliser, action_size: int, squash: Squash
    ) -> None:
        self.network = network
        self.normaliser = normaliser
        self.action_size = action_size
        self.squash: Squash = squash
        self._device = network.weights[0].device

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
