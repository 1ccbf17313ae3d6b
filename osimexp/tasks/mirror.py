"""The mirror of the sagittal plane: moments and actions with their sides changed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from osimexp.arrays import Floats, Indices, Mask
from osimexp.errors import ConfigError
from osimexp.models.muscle_sets import matching
from osimexp.models.sides import counterparts
from osimexp.tasks.actions import ActionMap
from osimexp.tasks.scene import Frame, Scene
from osimexp.tasks.terms.symmetry import SymmetryTerm

FLIPPED = np.array([1.0, 1.0, -1.0])
"""What a mirror in the sagittal plane does to a vector in ground: sideways is z."""


class Mirror:
    """Shows moments of a task, and takes actions, as in a mirror of the sagittal plane.

    Raises:
        ConfigError: an action drives muscles of which no other action drives the counterparts.
    """

    def __init__(self, term: SymmetryTerm, scene: Scene, action_map: ActionMap) -> None:
        names = scene.names
        turned = matching(term.reversed, names.coordinates, "symmetry.reversed")
        self._term = term
        self._actions = _counterpart_actions(action_map.weights, counterparts(names.muscles))
        coordinates = counterparts(names.coordinates)
        signs = np.array([-1.0 if name in turned else 1.0 for name in names.coordinates])
        muscles, bodies = counterparts(names.muscles), counterparts(names.bodies)
        points, feet = counterparts(names.points), counterparts(names.feet)
        self._fields: dict[str, Callable[[Floats], Floats]] = {}
        for field in ("coordinates", "speeds", "limit_torque"):
            self._fields[field] = _swapped(coordinates, signs)
        for field in (
            "excitations", "activations", "fibre_length", "fibre_velocity", "tendon_force",
        ):  # fmt: skip
            self._fields[field] = _swapped(muscles, np.ones(1))
        for field, order in (
            ("body_positions", bodies),
            ("point_positions", points),
            ("ground_reaction", feet),
        ):
            self._fields[field] = _swapped(order, FLIPPED)
        # Angles about axes in the plane turn their sign, those about the axis across it do not.
        self._fields["body_orientations"] = _swapped(bodies, -FLIPPED)
        for field in ("centre_of_mass", "centre_of_mass_velocity"):
            self._fields[field] = _swapped(np.arange(3), FLIPPED)

    def rows(self, frame: Frame) -> Mask:
        """Return which environments ``(B,)`` are mirrored now."""
        return self._term(frame)

    def frame(self, frame: Frame, rows: Mask) -> Frame:
        """Return the moment as it looks where ``rows`` ``(B,)`` are mirrored."""
        state = frame.state
        changed = {}
        for field, mirrored in self._fields.items():
            values = getattr(state, field)
            if len(values):  # What no term reads has no rows.
                changed[field] = values.copy()
                changed[field][rows] = mirrored(values[rows])
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
        changed[rows] = actions[rows][:, self._actions]
        return changed


def _swapped(order: Indices, signs: Floats) -> Callable[[Floats], Floats]:
    return lambda values: np.asarray(values[:, order] * signs)


def _counterpart_actions(weights: Floats, muscles: Indices) -> Indices:
    """Return for each action, a row of weights over muscles, the one that drives the other side."""
    order = []
    for row in weights:
        same = np.flatnonzero((weights[:, muscles] == row).all(axis=1))
        if not len(same):
            raise ConfigError(
                "symmetry: an action drives muscles of one side alone, and no other action those "
                "of the other side; drive both sides alike or leave the symmetry out."
            )
        order.append(same[0])
    return np.array(order, dtype=np.intp)
