"""The mirror of the sagittal plane: moments and actions with their sides changed."""

from dataclasses import fields, replace

import numpy as np

from osimexp.arrays import Floats, Indices, Mask
from osimexp.errors import ConfigError
from osimexp.models.muscle_sets import matching
from osimexp.models.names import force_controls
from osimexp.models.sides import counterparts
from osimexp.physics.simulation import State
from osimexp.tasks.actions import ActionMap
from osimexp.tasks.scene import Frame, Scene
from osimexp.tasks.terms.symmetry import SymmetryTerm

FLIPPED = np.array([1.0, 1.0, -1.0])
"""Signs of a vector of the ground in the mirror: z is across the plane."""

FIELDS: dict[str, str | None] = {
    "time": None,
    "coordinates": "coordinates",
    "speeds": "coordinates",
    "controls": "controls",
    "activations": "muscles",
    "fibre_length": "muscles",
    "fibre_velocity": "muscles",
    "tendon_force": "muscles",
    "body_positions": "bodies",
    "body_orientations": "turns",
    "body_angular_velocities": "turns",
    "point_positions": "points",
    "centre_of_mass": "vector",
    "centre_of_mass_velocity": "vector",
    "ground_reaction": "feet",
    "limit_torque": "coordinates",
    "failed": None,
    "lost": None,
}
"""The kind of each field of ``State`` in the mirror; None for one that has no sides."""


class Mirror:
    """Shows moments of a task, and takes actions, as in a mirror of the sagittal plane.

    Args:
        term: says which environments are mirrored.
        scene: the fixed facts of the task.
        action_map: how actions become controls.
        signs: ``(coordinates,)`` signs of the coordinates in the mirror.

    Raises:
        ConfigError: an action drives muscles of which no other action drives the counterparts.
    """

    def __init__(
        self, term: SymmetryTerm, scene: Scene, action_map: ActionMap, signs: Floats
    ) -> None:
        names = scene.names
        if missing := {field.name for field in fields(State)} ^ FIELDS.keys():
            raise AssertionError(f"The mirror's table of fields differs by {sorted(missing)}.")
        control_signs = _control_signs(scene, signs)
        controls = counterparts(names.controls)
        in_ground = {
            kind: (counterparts(called), FLIPPED)
            for kind, called in (
                ("bodies", names.bodies),
                ("points", names.points),
                ("feet", names.feet),
            )
        }
        kinds: dict[str, tuple[Indices, Floats]] = {
            "coordinates": (counterparts(names.coordinates), signs),
            "controls": (controls, control_signs),
            "muscles": (counterparts(names.muscles), np.ones(1)),
            # Turns about axes in the plane change their sign, those about the one across do not.
            "turns": (counterparts(names.bodies), -FLIPPED),
            "vector": (np.arange(3), FLIPPED),
            **in_ground,
        }
        self._term = term
        self._fields = {field: kinds[kind] for field, kind in FIELDS.items() if kind is not None}
        self._actions, self._signs = _counterpart_actions(
            action_map.weights, controls, control_signs
        )

    def rows(self, frame: Frame) -> Mask:
        """Return which environments ``(B,)`` are mirrored now."""
        return self._term(frame)

    def frame(self, frame: Frame, rows: Mask) -> Frame:
        """Return the moment as it looks where ``rows`` ``(B,)`` are mirrored."""
        state = frame.state
        changed = {}
        for field, (order, signs) in self._fields.items():
            values = getattr(state, field)
            if len(values):  # What no term reads has no rows.
                changed[field] = values.copy()
                changed[field][rows] = values[rows][:, order] * signs
        targets = frame.targets
        if frame.scene.target is not None:
            targets = targets.copy()
            targets[rows] = frame.scene.target.mirrored(targets[rows])
        return Frame(
            frame.scene,
            replace(state, **changed),
            self.actions(frame.actions, rows),
            self.actions(frame.previous_actions, rows),
            targets,
        )

    def actions(self, actions: Floats, rows: Mask) -> Floats:
        """Return actions ``(B, actions)`` with the sides changed in ``rows`` ``(B,)``."""
        changed = actions.copy()
        changed[rows] = actions[rows][:, self._actions] * self._signs
        return changed


def told_signs(term: SymmetryTerm, scene: Scene) -> Floats | None:
    """Return the signs of the coordinates in the mirror as a term tells them, if it does.

    Raises:
        ConfigError: a pattern matches no coordinate.
    """
    if term.reversed is None:
        return None
    names = scene.names.coordinates
    turned = matching(term.reversed, names, "symmetry.reversed")
    return np.array([-1.0 if name in turned else 1.0 for name in names])


def _control_signs(scene: Scene, signs: Floats) -> Floats:
    """Return the sign of each control in the mirror.

    An actuator of a coordinate turns with it; of an external force the component across turns.
    """
    names = scene.names
    found = dict.fromkeys(names.controls, 1.0)
    for actuator in names.actuators:
        if actuator.coordinate is not None:
            found[actuator.name] = float(signs[scene.coordinate(actuator.coordinate)])
    for force in names.forces:
        found.update(zip(force_controls(force), FLIPPED.tolist(), strict=True))
    return np.array(list(found.values()))


def _counterpart_actions(
    weights: Floats, controls: Indices, signs: Floats
) -> tuple[Indices, Floats]:
    """Return for each action the one that drives the other side, and the sign that it has there.

    Args:
        weights: ``(actions, controls)``.
        controls: ``(controls,)`` places of the counterparts.
        signs: ``(controls,)`` in the mirror.
    """
    order, turned = [], []
    for row in weights:
        same = np.flatnonzero((weights[:, controls] == row).all(axis=1))
        if not len(same):
            raise ConfigError(
                "symmetry: an action drives muscles of one side alone, and no other action those "
                "of the other side; drive both sides alike or leave the symmetry out."
            )
        order.append(same[0])
        turned.append(float(signs[np.flatnonzero(row)].min(initial=1.0)))
    return np.array(order, dtype=np.intp), np.array(turned)
