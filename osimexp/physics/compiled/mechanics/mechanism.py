"""The bodies, joints and coordinates of a model, as plain numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import opensim

from osimexp.arrays import Floats
from osimexp.errors import ModelError
from osimexp.physics.compiled.mechanics.curves import Curve, Scaled
from osimexp.physics.compiled.mechanics.functions import read_function

GROUND = -1
"""Number of the ground, among the numbers of bodies."""

JOINTS = frozenset(
    {
        "PinJoint",
        "SliderJoint",
        "UniversalJoint",
        "PlanarJoint",
        "GimbalJoint",
        "BallJoint",
        "FreeJoint",
        "WeldJoint",
        "CustomJoint",
    }
)


@dataclass(frozen=True)
class Placement:
    """The place of a frame that is fixed on a body.

    Attributes:
        body: number of the body, or ``GROUND``.
        rotation: ``(3, 3)`` from the frame's axes to the body's.
        origin: ``(3,)`` origin of the frame in the body's frame, m.
    """

    body: int
    rotation: Floats
    origin: Floats

    def station(self, location: Floats) -> "Station":
        """Return the point at ``location`` ``(3,)`` (m) in this frame, as a point of the body."""
        return Station(self.body, self.origin + self.rotation @ np.asarray(location, dtype=float))


@dataclass(frozen=True)
class Station:
    """A point fixed to a body.

    Attributes:
        body: number of the body, or ``GROUND``.
        location: ``(3,)`` in the body's frame, m.
    """

    body: int
    location: Floats


@dataclass(frozen=True)
class Body:
    """A rigid body.

    Attributes:
        name: name of the body.
        mass: kg.
        centre: ``(3,)`` centre of mass in the body's frame, m.
        inertia: ``(3, 3)`` about the centre of mass, in the body's axes, kg m^2.
    """

    name: str
    mass: float
    centre: Floats
    inertia: Floats


@dataclass(frozen=True)
class Coordinate:
    """A generalised coordinate; angles in rad, distances in m.

    Attributes:
        name: name of the coordinate.
        path: path of the component in the model.
        default: default value.
        range: lowest and highest value.
        locked: whether the coordinate keeps its default.
        rotational: whether OpenSim takes the coordinate for an angle.
    """

    name: str
    path: str
    default: float
    range: tuple[float, float]
    locked: bool
    rotational: bool


@dataclass(frozen=True)
class Axis:
    """A rotation about an axis of a CustomJoint, or a translation along one.

    Attributes:
        direction: ``(3,)`` of length 1.
        coordinate: number, among the joint's coordinates, of the one that drives the axis; None if
            it is constant.
        curve: angle (rad) or distance (m) as a function of that coordinate.
    """

    direction: Floats
    coordinate: int | None
    curve: Curve


@dataclass(frozen=True)
class Joint:
    """A joint between a body and its parent; it has the number of the body.

    Attributes:
        name: name of the joint.
        kind: name of OpenSim's class.
        parent: place of the joint's frame on the parent.
        child: place of the joint's frame on the body.
        coordinates: numbers of the joint's coordinates in the model, in the order of its
            mobilities.
        axes: axes of a CustomJoint: three rotations, then three translations.
    """

    name: str
    kind: str
    parent: Placement
    child: Placement
    coordinates: tuple[int, ...]
    axes: tuple[Axis, ...] = ()


@dataclass(frozen=True)
class Coupler:
    """A constraint that makes one coordinate a function of another.

    Attributes:
        dependent: number of the coordinate that follows.
        independent: number of the coordinate that leads.
        curve: dependent coordinate as a function of the independent one.
    """

    dependent: int
    independent: int
    curve: Curve


@dataclass(frozen=True)
class Mechanism:
    """The bodies of a model, each after its parent, and the joints between them.

    Attributes:
        bodies: bodies of the model.
        joints: joint of each body, in the order of ``bodies``.
        coordinates: coordinates in the order of OpenSim's state.
        couplers: couplers in an order in which each independent coordinate is known.
        gravity: acceleration of gravity ``(3,)``, m/s^2.
    """

    bodies: tuple[Body, ...]
    joints: tuple[Joint, ...]
    coordinates: tuple[Coordinate, ...]
    couplers: tuple[Coupler, ...]
    gravity: Floats

    @property
    def free(self) -> tuple[int, ...]:
        """Numbers of the coordinates that are neither locked nor follow another coordinate.

        They are in the order of the tree: those of a parent before those of its children.
        """
        bound = {coupler.dependent for coupler in self.couplers}
        return tuple(
            c
            for joint in self.joints
            for c in joint.coordinates
            if c not in bound and not self.coordinates[c].locked
        )

    def coordinate_index(self, name: str) -> int:
        """Return the number of a coordinate, given its name or its path.

        Raises:
            ModelError: the model has no such coordinate.
        """
        last = name.rsplit("/", 1)[-1]
        for number, coordinate in enumerate(self.coordinates):
            if coordinate.path == name or coordinate.name == last:
                return number
        raise ModelError(f"The model has no coordinate {name!r}.")

    def body_index(self, name: str) -> int:
        """Return the number of a body, given its name."""
        return [body.name for body in self.bodies].index(name)

    def placement(self, frame: opensim.Frame) -> Placement:
        """Return the place of a frame of the model on the body that it is fixed on.

        Raises:
            ModelError: the frame is fixed on no body.
        """
        return _placement(frame, [body.name for body in self.bodies])

    def station(self, frame: opensim.Frame, location: opensim.Vec3) -> Station:
        """Return the point at a location (m) in a frame that is fixed on a body.

        Raises:
            ModelError: the frame is fixed on no body.
        """
        return self.placement(frame).station(location.to_numpy())


def read_mechanism(model: opensim.Model) -> Mechanism:
    """Return the bodies, joints and coordinates of a model whose system was initialised.

    Raises:
        ModelError: the model has a joint, a constraint or a function that cannot be compiled.
    """
    joints = _in_order(model)
    names = [joint.getChildFrame().findBaseFrame().getName() for joint in joints]
    coordinates = _coordinates(model)
    numbers = {coordinate.path: number for number, coordinate in enumerate(coordinates)}
    bodies = tuple(_body(model.getBodySet().get(name)) for name in names)
    mechanism = Mechanism(
        bodies,
        tuple(_joint(joint, names, numbers) for joint in joints),
        coordinates,
        _couplers(model, coordinates),
        model.getGravity().to_numpy().astype(float),
    )
    return mechanism


def property_value(owner: opensim.Component, name: str) -> float:
    """Return a numeric property of an OpenSim object that has no accessor for it."""
    return float(opensim.PropertyHelper.getValueDouble(owner.getPropertyByName(name)))


def matrix(given: opensim.Mat33) -> Floats:
    """Return an OpenSim matrix as an array ``(3, 3)``."""
    return np.array([[given.get(i, j) for j in range(3)] for i in range(3)])


def _in_order(model: opensim.Model) -> list[opensim.Joint]:
    """Return the joints of a model, parents before children."""
    set_ = model.getJointSet()
    waiting = [set_.get(i) for i in range(set_.getSize())]
    placed = {"ground"}
    ordered = []
    while waiting:
        ready = [j for j in waiting if j.getParentFrame().findBaseFrame().getName() in placed]
        if not ready:
            raise ModelError(
                f"physics=compiled needs joints that lead from the ground outwards, and joint "
                f"{waiting[0].getName()} does not; keep physics=opensim, or exchange its parent "
                "and child."
            )
        for joint in ready:
            child = joint.getChildFrame().findBaseFrame().getName()
            if child in placed:
                raise ModelError(
                    f"physics=compiled cannot close the loop of bodies at joint {joint.getName()}; "
                    "keep physics=opensim."
                )
            placed.add(child)
            ordered.append(joint)
        waiting = [j for j in waiting if j.getName() not in {o.getName() for o in ordered}]
    bodies = model.getBodySet()
    for i in range(bodies.getSize()):
        if bodies.get(i).getName() not in placed:
            raise ModelError(
                f"No joint carries body {bodies.get(i).getName()}; join it to the model by a "
                "joint, such as a FreeJoint, or keep physics=opensim."
            )
    return ordered


def _body(body: opensim.Body) -> Body:
    moments, products = body.getInertia().getMoments(), body.getInertia().getProducts()
    xx, yy, zz = (moments.get(i) for i in range(3))
    xy, xz, yz = (products.get(i) for i in range(3))
    inertia = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    return Body(body.getName(), body.getMass(), body.getMassCenter().to_numpy(), inertia)


def _placement(frame: opensim.Frame, bodies: Sequence[str]) -> Placement:
    base = frame.findBaseFrame()
    transform = frame.findTransformInBaseFrame()
    name = base.getName()
    if name != "ground" and name not in bodies:
        raise ModelError(
            f"physics=compiled cannot place frame {frame.getAbsolutePathString()}, which is fixed "
            "on no body; keep physics=opensim."
        )
    number = GROUND if name == "ground" else bodies.index(name)
    return Placement(number, matrix(transform.R().asMat33()), transform.p().to_numpy())


def _coordinates(model: opensim.Model) -> tuple[Coordinate, ...]:
    variables = opensim.createStateVariableNamesInSystemOrder(model)
    paths = [
        variables[i].removesuffix("/value")
        for i in range(len(variables))
        if variables[i].endswith("/value")
    ]
    found = []
    for path in paths:
        coordinate = opensim.Coordinate.safeDownCast(model.getComponent(path))
        if coordinate.get_prescribed():
            raise ModelError(
                f"physics=compiled cannot prescribe the motion of coordinate "
                f"{coordinate.getName()}; set prescribed to false, lock it, or keep "
                "physics=opensim."
            )
        found.append(
            Coordinate(
                coordinate.getName(),
                path,
                coordinate.getDefaultValue(),
                (coordinate.getRangeMin(), coordinate.getRangeMax()),
                bool(coordinate.get_locked()),
                coordinate.getMotionType() == 1,
            )
        )
    return tuple(found)


def _joint(joint: opensim.Joint, bodies: Sequence[str], numbers: dict[str, int]) -> Joint:
    kind, name = joint.getConcreteClassName(), joint.getName()
    if kind not in JOINTS:
        raise ModelError(
            f"physics=compiled has no {kind} ({name}); keep physics=opensim, or replace it by a "
            "CustomJoint."
        )
    coordinates = tuple(
        numbers[joint.get_coordinates(i).getAbsolutePathString()]
        for i in range(joint.numCoordinates())
    )
    axes: tuple[Axis, ...] = ()
    if kind == "CustomJoint":
        names = [joint.get_coordinates(i).getName() for i in range(joint.numCoordinates())]
        transform = opensim.CustomJoint.safeDownCast(joint).getSpatialTransform()
        order = [
            transform.getCoordinateNames().get(i)
            for i in range(transform.getCoordinateNames().getSize())
        ]
        # Mobilities follow the transform's axes, whatever the order of the coordinates.
        coordinates = tuple(coordinates[names.index(one)] for one in order)
        axes = tuple(_axis(transform.getTransformAxis(i), order, name) for i in range(6))
    parent = _placement(joint.getParentFrame(), bodies)
    child = _placement(joint.getChildFrame(), bodies)
    return Joint(name, kind, parent, child, coordinates, axes)


def _axis(axis: opensim.TransformAxis, coordinates: Sequence[str], joint: str) -> Axis:
    names = axis.getCoordinateNamesInArray()
    if names.getSize() > 1:
        raise ModelError(
            f"physics=compiled cannot drive an axis of joint {joint} by several coordinates; keep "
            "physics=opensim."
        )
    direction = axis.getAxis().to_numpy()
    direction = direction / np.linalg.norm(direction)
    curve = read_function(axis.getFunction(), f"joint {joint}")
    number = coordinates.index(names.get(0)) if names.getSize() else None
    return Axis(direction, number, curve)


def _couplers(model: opensim.Model, coordinates: Sequence[Coordinate]) -> tuple[Coupler, ...]:
    names = [coordinate.name for coordinate in coordinates]
    found = []
    set_ = model.getConstraintSet()
    for i in range(set_.getSize()):
        constraint = set_.get(i)
        if not constraint.get_isEnforced():
            continue
        kind, name = constraint.getConcreteClassName(), constraint.getName()
        coupler = opensim.CoordinateCouplerConstraint.safeDownCast(constraint)
        if coupler is None:
            raise ModelError(
                f"physics=compiled has no {kind} ({name}); keep physics=opensim, or set its "
                "isEnforced to false."
            )
        leaders = coupler.getIndependentCoordinateNames()
        if leaders.getSize() != 1:
            raise ModelError(
                f"physics=compiled couples a coordinate to one other, and {name} names "
                f"{leaders.getSize()}; keep physics=opensim."
            )
        curve = read_function(coupler.getFunction(), f"constraint {name}")
        scale = property_value(coupler, "scale_factor")
        found.append(
            Coupler(
                names.index(coupler.getDependentCoordinateName()),
                names.index(leaders.get(0)),
                Scaled(curve, scale) if scale != 1.0 else curve,
            )
        )
    return _leaders_first(found, coordinates)


def _leaders_first(
    couplers: Sequence[Coupler], coordinates: Sequence[Coordinate]
) -> tuple[Coupler, ...]:
    """Return the couplers in an order in which each independent coordinate is known."""
    waiting, ordered = list(couplers), list[Coupler]()
    while waiting:
        follow = {coupler.dependent for coupler in waiting}
        ready = [coupler for coupler in waiting if coupler.independent not in follow]
        twice = len(follow) < len(waiting)
        if not ready or twice or any(coordinates[c.dependent].locked for c in ready):
            raise ModelError(
                f"physics=compiled cannot couple coordinate "
                f"{coordinates[waiting[0].dependent].name}, which is locked or coupled twice; keep "
                "physics=opensim, or unlock it."
            )
        ordered += ready
        waiting = [coupler for coupler in waiting if coupler not in ready]
    return tuple(ordered)
