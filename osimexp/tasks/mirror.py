"""The mirror image of moments and actions in the sagittal plane."""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np

from osimexp.arrays import Floats, Indices, Mask
from osimexp.errors import UnlikeSidesError
from osimexp.models.muscle_sets import matching
from osimexp.models.names import Names, force_controls
from osimexp.models.prepare import PreparedModel
from osimexp.models.sides import counterparts, other_side, without_counterpart
from osimexp.physics.posing.mirror import mirror_signs
from osimexp.physics.simulation import COSTLY, State
from osimexp.tasks.actions import ActionMap
from osimexp.tasks.scene import Frame, Scene
from osimexp.tasks.terms.symmetry import LeadingLeg, SymmetryTerm

FLIPPED = np.array([1.0, 1.0, -1.0])
"""Signs of the components of a mirrored vector in ground; z is across the plane."""

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
"""Kind of each field of ``State`` in the mirror; None for a field that has no sides."""


class Mirror:
    """A mirror of the sagittal plane, for moments and actions of a task.

    Args:
        term: term that chooses the environments to mirror.
        scene: fixed facts of the task.
        action_map: map from actions to controls.
        signs: ``(coordinates,)`` sign of each coordinate's mirror image.
        reads: costly fields of ``State`` that the mirror image is to have; the others have no rows.

    Raises:
        UnlikeSidesError: something on one side has no counterpart, or an action drives muscles of
            one side and no action drives their counterparts.
    """

    def __init__(
        self,
        term: SymmetryTerm,
        scene: Scene,
        action_map: ActionMap,
        signs: Floats,
        reads: frozenset[str],
    ) -> None:
        names = scene.names
        if missing := {field.name for field in fields(State)} ^ FIELDS.keys():
            raise AssertionError(f"The mirror's table of fields differs by {sorted(missing)}.")
        _require_both_sides((*names.coordinates, *names.controls))
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
            # Rotations about axes in the plane change their sign; the one about z does not.
            "turns": (counterparts(names.bodies), -FLIPPED),
            "vector": (np.arange(3), FLIPPED),
            **in_ground,
        }
        self._term = term
        base = names.base
        if base is not None and not base.planar:  # All that is seen depends on the heading.
            reads |= {"body_positions", "body_orientations"}
        self._unread = COSTLY - reads
        self._fields = {
            field: kinds[kind]
            for field, kind in FIELDS.items()
            if kind is not None and field not in self._unread
        }
        self._actions, self._signs = _counterpart_actions(
            action_map.weights, controls, control_signs
        )

    def rows(self, frame: Frame) -> Mask:
        """Return which environments are mirrored now, as a mask ``(B,)``."""
        return self._term(frame)

    def frame(self, frame: Frame, rows: Mask) -> Frame:
        """Return the moment with the environments of ``rows`` ``(B,)`` mirrored."""
        state = frame.state
        changed = {field: getattr(state, field)[:0] for field in self._unread}
        for field, (order, signs) in self._fields.items():
            values = getattr(state, field)
            if len(values):  # A field that no term reads has no rows.
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
        """Return actions ``(B, actions)`` with the sides exchanged in ``rows`` ``(B,)``."""
        changed = actions.copy()
        changed[rows] = actions[rows][:, self._actions] * self._signs
        return changed


def mirror_of(
    term: SymmetryTerm,
    model: PreparedModel,
    names: Names,
    seen: Scene,
    action_map: ActionMap,
    reads: frozenset[str],
) -> Mirror | None:
    """Return the mirror of a model; None if there is none and the term takes that.

    Args:
        term: term that chooses the environments to mirror.
        model: model to be mirrored.
        names: names and constants of the model itself.
        seen: fixed facts of the task, with the muscles that the controller drives.
        action_map: map from actions to controls.
        reads: costly fields of ``State`` that the mirror image is to have.

    Raises:
        UnlikeSidesError: the sides of the model are not alike, and the term asks for them.
        ConfigError: a pattern of the term matches no coordinate.
    """
    optional = isinstance(term, LeadingLeg) and term.where_possible
    told = told_signs(term, seen)
    try:
        if optional:
            _require_alike_sides(names)
        if isinstance(term, LeadingLeg):
            term.columns(seen)
        signs = mirror_signs(model) if told is None else told
        return Mirror(term, seen, action_map, signs, reads)
    except UnlikeSidesError:
        if not optional:
            raise
        return None


def _require_both_sides(names: Sequence[str]) -> None:
    alone = without_counterpart(names)
    if alone:
        raise UnlikeSidesError(
            f"symmetry: the model has {alone[0]} and no {other_side(alone[0])}; leave the "
            "symmetry out with ~symmetry, or name the muscles of the whole body as model.muscles."
        )


def _require_alike_sides(names: Names) -> None:
    _require_both_sides((*names.coordinates, *names.controls))
    forces = names.maximum_isometric_force
    others = forces[counterparts(names.muscles)]
    if not np.allclose(forces, others):
        name = names.muscles[int(np.abs(forces - others).argmax())]
        raise UnlikeSidesError(f"symmetry: {name} is not as strong as {other_side(name)}.")


def told_signs(term: SymmetryTerm, scene: Scene) -> Floats | None:
    """Return the signs of the mirrored coordinates that a term gives; None if it gives none.

    Raises:
        ConfigError: a pattern matches no coordinate.
    """
    if term.reversed is None:
        return None
    names = scene.names.coordinates
    turned = matching(term.reversed, names, "symmetry.reversed")
    return np.array([-1.0 if name in turned else 1.0 for name in names])


def _control_signs(scene: Scene, signs: Floats) -> Floats:
    """Return the sign of each control's mirror image.

    An actuator of a coordinate has the sign of the coordinate; the z component of an external force
    changes its sign.
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
    """Return, for each action, the action of the other side, and the sign of its mirror image.

    Args:
        weights: ``(actions, controls)``.
        controls: ``(controls,)`` index of each control's counterpart.
        signs: ``(controls,)`` sign of each control's mirror image.
    """
    order, turned = [], []
    for row in weights:
        same = np.flatnonzero((weights[:, controls] == row).all(axis=1))
        if not len(same):
            raise UnlikeSidesError(
                "symmetry: an action drives muscles of one side, and no action drives those of the "
                "other side alike; drive both sides alike or leave the symmetry out with ~symmetry."
            )
        order.append(same[0])
        turned.append(float(signs[np.flatnonzero(row)].min(initial=1.0)))
    return np.array(order, dtype=np.intp), np.array(turned)
