"""Poses of a model's bodies and muscle paths."""

import numpy as np
import opensim

from osimexp.arrays import Floats
from osimexp.errors import ModelError
from osimexp.models.prepare import PreparedModel, first_line, loaded, unclamp
from osimexp.physics.posing.appearance import matrix, with_points
from osimexp.physics.posing.figure import Poses
from osimexp.physics.reference.engine import Engine
from osimexp.physics.settings import OpenSimSettings


class Posing:
    """A model that can be put into poses.

    Coordinates that follow others get their values from those, whatever ``positions`` says.

    Args:
        model: model to pose.
        muscles: whether the paths of muscles are posed as well, which takes most of the time.
    """

    def __init__(self, model: PreparedModel, muscles: bool = True) -> None:
        shown = with_points(model) if muscles else model
        # Muscles of the model itself; ``shown`` may have muscles that a muscle set removed.
        names = Engine(model, OpenSimSettings(), 0.01, frozenset()).names
        with loaded(shown.xml) as described:
            unclamp(described)
            self._model, self._state = described, described.initSystem()
        self._coordinates = [described.getCoordinateSet().get(name) for name in names.coordinates]
        for coordinate in self._coordinates:
            coordinate.setLocked(self._state, False)
        self._constrained = described.getConstraintSet().getSize() > 0
        self._bodies = [described.getBodySet().get(name) for name in names.bodies]
        self._paths = [
            _path(described.getMuscles().get(name)) for name in (names.muscles if muscles else ())
        ]

    def soles(self, bodies: Floats) -> Floats:
        """Return the points ``(T, points, 3)`` in ground that may stand on it, m.

        They are the centres of the model's contact spheres or, if it has none, the origins of all
        bodies, of which those of heels and toes are the lowest.

        Args:
            bodies: ``(T, bodies, 4, 4)`` transforms of the bodies, as in ``Poses``.
        """
        geometry = self._model.getContactGeometrySet()
        numbers, places = [], []
        names = [body.getName() for body in self._bodies]
        for i in range(geometry.getSize()):
            sphere = opensim.ContactSphere.safeDownCast(geometry.get(i))
            if sphere is None or (body := sphere.getFrame().findBaseFrame().getName()) not in names:
                continue
            frame = matrix(sphere.getFrame().findTransformInBaseFrame())
            numbers.append(names.index(body))
            places.append(frame @ np.append(sphere.get_location().to_numpy(), 1.0))
        if not numbers:
            return np.asarray(bodies[:, :, :3, 3])
        points = np.einsum("tpij,pj->tpi", bodies[:, numbers], np.array(places))
        return np.asarray(points[:, :, :3])

    def __call__(self, positions: Floats) -> Poses:
        """Return the poses of bodies and muscle paths.

        Args:
            positions: ``(T, coordinates)`` rad or m, in the model's order.

        Raises:
            ModelError: OpenSim cannot put the model into a pose.
        """
        state, moments = self._state, len(positions)
        transforms = np.empty((moments, len(self._bodies), 4, 4))
        points: list[list[Floats]] = [[] for _ in self._paths]
        centres = np.empty((moments, 3))
        for t, row in enumerate(positions):
            try:
                for coordinate, value in zip(self._coordinates, row, strict=True):
                    coordinate.setValue(state, float(value), False)
                if self._constrained:
                    self._model.assemble(state)
                self._model.realizePosition(state)
            except RuntimeError as error:
                raise ModelError(
                    f"OpenSim cannot put the model into the pose of moment {t}: {first_line(error)}"
                ) from error
            for b, body in enumerate(self._bodies):
                transforms[t, b] = matrix(body.getTransformInGround(state))
            for kept, path in zip(points, self._paths, strict=True):
                kept.append(_points(path, state))
            centres[t] = self._model.calcMassCenterPosition(state).to_numpy()
        return Poses(transforms, tuple(_stacked(kept) for kept in points), centres)


def _path(muscle: opensim.Muscle) -> opensim.GeometryPath | None:
    """Return a muscle's path; None if it has no points."""
    return opensim.GeometryPath.safeDownCast(muscle.getPath())


def _points(path: opensim.GeometryPath | None, state: opensim.State) -> Floats:
    """Return the current points of a path, ``(points, 3)`` in ground, m."""
    if path is None:
        return np.empty((0, 3))
    current = path.getCurrentPath(state)
    found: list[Floats] = []
    for i in range(current.getSize()):
        point = current.get(i)
        wrapped = opensim.PathWrapPoint.safeDownCast(point)
        if wrapped is not None and (surface := _over_surface(wrapped, state)) is not None:
            found.extend(surface)
        else:
            found.append(point.getLocationInGround(state).to_numpy())
    return np.array(found).reshape(-1, 3)


def _over_surface(point: opensim.PathWrapPoint, state: opensim.State) -> Floats | None:
    """Return the points on a wrapping surface, in ground, m; None if there are none."""
    on_surface = point.getWrapPath(state)
    if not on_surface.getSize():
        return None
    frame = matrix(point.getParentFrame().getTransformInGround(state))
    local = np.array([on_surface.get(i).to_numpy() for i in range(on_surface.getSize())])
    return local @ frame[:3, :3].T + frame[:3, 3]


def _stacked(moments: list[Floats]) -> Floats:
    """Return paths as ``(T, points, 3)``; the last point is repeated if a moment has fewer."""
    most = max((len(points) for points in moments), default=0)
    result = np.empty((len(moments), most, 3))
    for t, points in enumerate(moments):
        result[t, : len(points)] = points
        result[t, len(points) :] = points[-1] if len(points) else 0.0
    return result
