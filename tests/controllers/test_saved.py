"""Each kind of controller goes through a checkpoint and acts on as before."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_labels import OWN, TURNED, policy

from osimexp.controllers.controller import Controller
from osimexp.controllers.saved import KINDS, Saved, restored
from osimexp.controllers.scripted import Constant, OpenLoop, Uniform
from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment import checkpoint
from osimexp.experiment.checkpoint import Checkpoint

OBSERVATIONS = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)


def drawn() -> Uniform:
    controller = Uniform(2, np.random.default_rng(8))
    controller.act(OBSERVATIONS)  # It goes on from where it is and not from its seed.
    return controller


MADE = {
    "policy": policy,
    "constant": lambda: Constant(2, [0.5, -0.25]),
    "random": drawn,
    "open_loop": lambda: OpenLoop([[0.1, 0.2], [0.3, -0.4]], repeat=True),
    "fitted": lambda: Saved(policy(), OWN).fitted(TURNED, {}, "It"),
}


def acted(controller: Controller) -> list[Any]:
    controller.reset(np.ones(3, dtype=bool))
    return [controller.act(OBSERVATIONS * step).tolist() for step in range(4)]


def test_every_kind_is_made_here() -> None:
    assert set(MADE) == set(KINDS)


@pytest.mark.parametrize("kind", MADE)
def test_a_controller_goes_through_a_checkpoint(kind: str, tmp_path: Path) -> None:
    made, file = MADE[kind](), tmp_path / "best.pt"
    checkpoint.save(file, Checkpoint(1, "", {"controller": Saved(made, OWN).data()}))
    again = restored(checkpoint.load(file).controller, "best.pt")
    assert again.labels == OWN
    assert again.controller.kind == kind
    assert again.controller.observation_size == made.observation_size
    assert acted(again.controller) == acted(made)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "best.pt holds no controller of a known kind but nothing"),
        ({"kind": "os.system", "state": {}}, r"but os\.system; known are constant, fitted"),
        ({"kind": "polcy", "state": {}}, "did you mean policy"),
        ({"kind": "policy", "state": {"sizes": [1]}}, "a policy that cannot be restored"),
        ({"kind": "random", "state": {"action_size": 1, "generator": "{}"}}, "a random that"),
        ({"kind": "constant"}, "a constant that cannot be restored"),
    ],
)
def test_what_is_no_controller_is_said(data: Any, says: str) -> None:
    with pytest.raises(RunFolderError, match=says):
        restored(data, "best.pt")


def test_a_policy_is_not_taken_with_names_of_others() -> None:
    data = Saved(policy(), OWN).data() | {"observations": ["a/x"]}
    with pytest.raises(RunFolderError, match="names for other columns"):
        restored(data, "best.pt")
    with pytest.raises(ConfigError, match=r"\[-1, 1\]"):
        restored({"kind": "constant", "state": {"action": np.array([3.0])}}, "best.pt")
