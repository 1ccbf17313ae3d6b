"""Construction of an OpenSim model from an anatomy."""

from collections.abc import Mapping
from math import pi, radians
from typing import Literal

import opensim

from osimexp.errors import ModelError
from osimexp.models.anatomy.description import (
    GROUND,
    Anatomy,
    Coordinate,
    Floor,
    Joint,
    Muscle,
    PathPoint,
    Track,
    Vector,
    Wrap,
)

# Activation and deactivation time constants (s): those of OpenSim's Millard2012EquilibriumMuscle.
_ACTIVATION_TIME = 0.01
_DEACTIVATION_TIME = 0.04
# Millard and Thelen muscles are singular without activation.
_LEAST_ACTIVATION = 0.01
_DEFAULT_ACTIVATION = 0.05


def build(
    anatomy: Anatomy,
    muscle_model: Literal["millard", "degroote_fregly", "thelen"] = "millard",
    tendon: Literal["elastic", "rigid"] = "elastic",
    contact: Literal["smooth", "hunt_crossley"] = "smooth",
) -> opensim.Model:
    """Return the OpenSim model that an anatomy describes.

    Muscles have the names of the anatomy, points become markers, and each contact sphere becomes a
    force with the sphere's name, so that ``anatomy.feet`` lists the forces of each foot. In a
    printed model the forces of a foot are those whose sphere is carried by the same body.

    Args:
        anatomy: data of the model, which holds for every muscle model.
        muscle_model: Millard2012EquilibriumMuscle, DeGrooteFregly2016Muscle or Thelen2003Muscle.
        tendon: ``rigid`` tendons keep their slack length, so that fibres follow the joints alone.
            Elastic tendons of DeGrooteFregly2016 muscles are stiff: integrators fail on the walker
            at any accuracy coarser than 1e-3.
        contact: SmoothSphereHalfSpaceForce, or HuntCrossleyForce with the same law, whose force is
            not smooth where a sphere leaves the ground.

    Returns:
        The model with its connections made; it can be printed as ``.osim`` and read again.

    Raises:
        ModelError: the muscle model cannot have the tendon.
    """
    if muscle_model == "thelen" and tendon == "rigid":
        raise ModelError(
            "OpenSim's Thelen2003 muscles cannot have rigid tendons; take tendon=elastic, "
            "or muscle_model=millard or degroote_fregly."
        )
    model = opensim.Model()
    model.setName(anatomy.name)
    model.setAuthors(anatomy.credits)
    model.setGravity(_vec3(anatomy.gravity))
    for name, body in anatomy.bodies.items():
        inertia = opensim.Inertia(*body.inertia, 0.0, 0.0, 0.0)
        model.addBody(opensim.Body(name, body.mass, _vec3(body.centre), inertia))
    for name, joint in anatomy.joints.items():
        _add_joint(model, name, joint)
    for name, wrap in anatomy.wraps.items():
        _frame(model, wrap.body).addWrapObject(_wrap(name, wrap))
    for name, muscle in anatomy.muscles.items():
        _add_muscle(model, name, muscle, anatomy, (muscle_model, tendon))
    for name, point in anatomy.points.items():
        model.addMarker(opensim.Marker(name, _frame(model, point.body), _vec3(point.at)))
    if anatomy.floor is not None:
        _add_contact(model, anatomy, anatomy.floor, contact)
    model.finalizeConnections()
    return model


def _vec3(values: Vector) -> opensim.Vec3:
    return opensim.Vec3(*values)


def _frame(model: opensim.Model, body: str) -> opensim.PhysicalFrame:
    return model.updGround() if body == GROUND else model.updBodySet().get(body)


def _spline(knots: Mapping[float, float]) -> opensim.SimmSpline:
    spline = opensim.SimmSpline()
    for angle, value in sorted(knots.items()):
        # OpenSim prints knots with six digits; a model that is read back must not differ.
        spline.addPoint(float(f"{radians(angle):.6g}"), float(f"{value:.6g}"))
    return spline


# Joints


def _add_joint(model: opensim.Model, name: str, joint: Joint) -> None:
    motions = [coordinate.motion for coordinate in joint.coordinates.values()]
    sliding = {axis for axis in "xy" if joint.slide and getattr(joint.slide, axis)}
    location = tuple(
        0.0 if axis in sliding else value for axis, value in zip("xyz", joint.location, strict=True)
    )
    zero = opensim.Vec3(0)
    frames = (
        _frame(model, joint.parent), opensim.Vec3(*location), zero,
        _frame(model, joint.child), zero, zero,
    )  # fmt: skip
    if not motions:
        made = opensim.WeldJoint(name, *frames)
    elif motions == ["rz"] and joint.slide is None:
        made = opensim.PinJoint(name, *frames)
    elif motions == ["rz", "tx", "ty"] and joint.slide is None:
        made = opensim.PlanarJoint(name, *frames)
    else:
        made = opensim.CustomJoint(name, *frames, _transform(joint))
        made.finalizeFromProperties()  # Makes the coordinates.
    for i, (coordinate_name, coordinate) in enumerate(joint.coordinates.items()):
        _set_coordinate(made.upd_coordinates(i), coordinate_name, coordinate)
    model.addJoint(made)
    for coordinate_name, coordinate in joint.coordinates.items():
        _add_resistance(model, coordinate_name, coordinate)


def _transform(joint: Joint) -> opensim.SpatialTransform:
    """Return the joint transform: rotations in the given order, and translations along the axes."""
    transform = opensim.SpatialTransform()
    axes = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
    linear = opensim.LinearFunction(1.0, 0.0)
    motions: dict[str, str] = {one.motion: name for name, one in joint.coordinates.items()}
    turning = [motion[1] for motion in motions if motion[0] == "r"]
    for i, axis in enumerate([*turning, *(a for a in "xyz" if a not in turning)]):
        transform.updTransformAxis(i).setAxis(opensim.Vec3(*axes[axis]))
        if axis in turning:
            _drive(transform.updTransformAxis(i), motions[f"r{axis}"], linear)
    for i, axis in enumerate("xyz", 3):
        transform.updTransformAxis(i).setAxis(opensim.Vec3(*axes[axis]))
        if f"t{axis}" in motions:
            _drive(transform.updTransformAxis(i), motions[f"t{axis}"], linear)
        elif axis != "z" and joint.slide is not None and getattr(joint.slide, axis):
            spline = _spline(getattr(joint.slide, axis))
            _drive(transform.updTransformAxis(i), joint.slide.coordinate, spline)
    return transform


def _drive(axis: opensim.TransformAxis, coordinate: str, function: opensim.Function) -> None:
    names = opensim.ArrayStr()
    names.append(coordinate)
    axis.setCoordinateNames(names)
    owned = function.clone()
    owned.thisown = False  # The axis frees it; Python must not do so, too.
    axis.setFunction(owned)


def _set_coordinate(made: opensim.Coordinate, name: str, coordinate: Coordinate) -> None:
    unit = pi / 180.0 if coordinate.rotational else 1.0
    made.setName(name)
    made.setRangeMin(coordinate.range[0] * unit)
    made.setRangeMax(coordinate.range[1] * unit)
    made.setDefaultValue(coordinate.default * unit)


def _add_resistance(model: opensim.Model, name: str, coordinate: Coordinate) -> None:
    if coordinate.limit is not None:
        limit = coordinate.limit
        # OpenSim's limits take N m/degree and N m s/degree.
        stiffness, damping = radians(limit.stiffness), radians(limit.damping)
        force = opensim.CoordinateLimitForce(
            name, limit.free[1], stiffness, limit.free[0], stiffness, damping, limit.transition
        )
        force.setName(f"{name}_limit")
        model.addForce(force)
    if coordinate.spring is not None:
        force = opensim.SpringGeneralizedForce(name)
        force.setName(f"{name}_spring")
        force.setStiffness(coordinate.spring.stiffness)
        force.setViscosity(coordinate.spring.damping)
        force.setRestLength(0.0)
        model.addForce(force)


# Muscles


def _wrap(name: str, wrap: Wrap) -> opensim.WrapObject:
    if len(wrap.size) == 2:
        made = opensim.WrapCylinder()
        made.set_radius(wrap.size[0])
        made.set_length(wrap.size[1])
    else:
        made = opensim.WrapEllipsoid()
        made.set_dimensions(opensim.Vec3(*wrap.size))
    made.setName(name)
    made.set_translation(_vec3(wrap.location))
    made.set_xyz_body_rotation(opensim.Vec3(*(radians(angle) for angle in wrap.rotation)))
    made.set_quadrant(wrap.side)
    return made


def _add_muscle(
    model: opensim.Model, name: str, muscle: Muscle, anatomy: Anatomy, kind: tuple[str, str]
) -> None:
    muscle_model, tendon = kind
    made = _MUSCLES[muscle_model]()
    made.setName(name)
    made.setMaxIsometricForce(muscle.force)
    made.setOptimalFiberLength(muscle.fibre)
    made.setTendonSlackLength(muscle.tendon)
    made.setPennationAngleAtOptimalFiberLength(radians(muscle.pennation))
    made.setMaxContractionVelocity(muscle.velocity)
    made.set_ignore_tendon_compliance(tendon == "rigid")
    made.set_activation_time_constant(_ACTIVATION_TIME)
    made.set_deactivation_time_constant(_DEACTIVATION_TIME)
    made.set_default_activation(_DEFAULT_ACTIVATION)
    if muscle_model != "degroote_fregly":
        made.set_minimum_activation(_LEAST_ACTIVATION)
    path = made.updGeometryPath()
    for i, point in enumerate(muscle.path, 1):
        path.updPathPointSet().cloneAndAppend(_path_point(f"{name}_{i}", point, anatomy))
    for i, (wrap_name, span) in enumerate(muscle.wraps.items()):
        path.addPathWrap(_frame(model, anatomy.wraps[wrap_name].body).getWrapObject(wrap_name))
        used = path.updWrapSet().get(i)
        used.setName(f"{name}_{wrap_name}")
        if span is not None:
            used.set_range(0, span[0])
            used.set_range(1, span[1])
    model.addForce(made)


_MUSCLES = {
    "millard": opensim.Millard2012EquilibriumMuscle,
    "degroote_fregly": opensim.DeGrooteFregly2016Muscle,
    "thelen": opensim.Thelen2003Muscle,
}


def _path_point(name: str, point: PathPoint, anatomy: Anatomy) -> opensim.AbstractPathPoint:
    if point.track is not None:
        made = _moving_point(point.at, point.track, anatomy)
    elif point.when:
        ((angle, span),) = point.when.items()
        made = opensim.ConditionalPathPoint()
        made.setLocation(_vec3(point.at))
        made.updSocket("coordinate").setConnecteePath(_coordinate_path(anatomy, angle))
        made.setRangeMin(radians(span[0]))
        made.setRangeMax(radians(span[1]))
    else:
        made = opensim.PathPoint()
        made.setLocation(_vec3(point.at))
    made.setName(name)
    # Frames are given by path, because the copy of a point in a path loses frames given as objects.
    frame = "/ground" if point.body == GROUND else f"/bodyset/{point.body}"
    made.updSocket("parent_frame").setConnecteePath(frame)
    return made


def _moving_point(at: Vector, track: Track, anatomy: Anatomy) -> opensim.MovingPathPoint:
    made = opensim.MovingPathPoint()
    for axis, knots, fixed in (("x", track.x, at[0]), ("y", track.y, at[1]), ("z", {}, at[2])):
        function = _spline(knots) if knots else opensim.Constant(fixed)
        getattr(made, f"set_{axis}_location")(function)
        path = _coordinate_path(anatomy, track.coordinate)
        made.updSocket(f"{axis}_coordinate").setConnecteePath(path)
    return made


def _coordinate_path(anatomy: Anatomy, coordinate: str) -> str:
    joint = next(name for name, one in anatomy.joints.items() if coordinate in one.coordinates)
    return f"/jointset/{joint}/{coordinate}"


# Contact


def _add_contact(
    model: opensim.Model,
    anatomy: Anatomy,
    floor: Floor,
    contact: Literal["smooth", "hunt_crossley"],
) -> None:
    # OpenSim's half-space lies on the side that its X axis points to, which is down.
    down = opensim.Vec3(0.0, 0.0, -pi / 2.0)
    ground = opensim.ContactHalfSpace(opensim.Vec3(0), down, model.updGround(), "floor")
    model.addContactGeometry(ground)
    for name, sphere in anatomy.spheres.items():
        body = _frame(model, sphere.body)
        ball = opensim.ContactSphere(sphere.radius, _vec3(sphere.at), body, name)
        model.addContactGeometry(ball)
        if contact == "smooth":
            force = opensim.SmoothSphereHalfSpaceForce(name, ball, ground)
            force.set_stiffness(floor.stiffness)
            force.set_dissipation(floor.dissipation)
            force.set_static_friction(floor.static_friction)
            force.set_dynamic_friction(floor.dynamic_friction)
            force.set_viscous_friction(floor.viscous_friction)
            force.set_transition_velocity(floor.transition_velocity)
        else:
            force = opensim.HuntCrossleyForce()
            force.setName(name)
            force.addGeometry(name)
            force.addGeometry("floor")
            force.setStiffness(floor.stiffness)
            force.setDissipation(floor.dissipation)
            force.setStaticFriction(floor.static_friction)
            force.setDynamicFriction(floor.dynamic_friction)
            force.setViscousFriction(floor.viscous_friction)
            force.setTransitionVelocity(floor.transition_velocity)
        model.addForce(force)
