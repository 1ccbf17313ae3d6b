"""Recording of episodes as movements."""

from collections.abc import Callable
from typing import Any

import numpy as np

from osimexp.controllers.controller import Agent
from osimexp.models.prepare import PreparedModel
from osimexp.motion.movement import Movement
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
from osimexp.tasks.specification import Specification

KEPT = {
    "time": "time",
    "positions": "coordinates",
    "speeds": "speeds",
    "activations": "activations",
    "fibre_lengths": "fibre_length",
    "fibre_velocities": "fibre_velocity",
    "tendon_forces": "tendon_force",
    "ground_reaction": "ground_reaction",
}
"""Fields of a movement, and the fields of the state that they are recorded from."""


def recording_environment(
    specification: Specification, model: PreparedModel | None = None
) -> MusculoskeletalVectorEnv:
    """Return a batch of one environment that reads its whole state and does not autoreset.

    Args:
        specification: task to record.
        model: model of the task, prepared before; None prepares it now.
    """
    return MusculoskeletalVectorEnv(specification.to_record(), 1, autoreset=False, model=model)


def record(
    environment: MusculoskeletalVectorEnv,
    controller: Agent,
    seed: int,
    check: Callable[[], None] | None = None,
) -> Movement:
    """Run one episode to its end, and return its movement.

    Args:
        environment: environment from ``recording_environment``.
        controller: controller to play.
        seed: seed of the episode.
        check: function called before each step; an error that it raises ends the recording.
    """
    observations, _ = environment.reset(seed=seed)
    everywhere = np.ones(1, dtype=bool)
    controller.reset(everywhere)
    kept: dict[str, list[np.ndarray]] = {name: [] for name in (*KEPT, "controls", "targets")}
    bodies: list[np.ndarray] = []

    def keep() -> None:
        frame = environment.frame
        for name, field in KEPT.items():
            kept[name].append(getattr(frame.state, field)[0].copy())
        kept["controls"].append(frame.state.controls[0].copy())
        kept["targets"].append(frame.targets[0].copy())
        bodies.append(frame.state.body_positions[0].copy())

    keep()
    over = False
    while not over:
        if check is not None:
            check()
        observations, _, terminated, truncated, _ = environment.step(controller.act(observations))
        over = bool(terminated[0] or truncated[0])
        keep()
    arrays: dict[str, Any] = {name: np.array(values) for name, values in kept.items()}
    names = environment.scene.names
    # A state has the controls before its moment; a movement has those that follow the moment.
    controls = np.vstack([arrays.pop("controls")[1:], kept["controls"][-1][None]])
    targets = arrays.pop("targets")
    target = environment.specification.target
    return Movement(
        coordinates=names.coordinates,
        rotational=names.rotational,
        muscles=names.muscles,
        controls=names.controls,
        control_values=controls,
        feet=names.feet,
        foot_positions=_under_feet(environment, np.array(bodies)),
        targets={} if target is None or target.point is None else {target.point: targets},
        mass=names.mass,
        **arrays,
    )


def _under_feet(environment: MusculoskeletalVectorEnv, bodies: np.ndarray) -> np.ndarray:
    """Return the origins of the feet's bodies projected to the floor, ``(T, feet, 3)``."""
    numbers = environment.model.foot_bodies(environment.scene.names.bodies)
    under: np.ndarray = bodies[:, numbers].copy()
    under[:, :, 1] = 0.0
    return under
