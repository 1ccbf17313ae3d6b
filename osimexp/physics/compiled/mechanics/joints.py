"""Joint transforms, traced: the pose and velocity of a joint's child frame in its parent frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osimexp.physics.compiled.ir.trace import Array, Scalar, cos, sin
from osimexp.physics.compiled.ir.vectors import ZERO, X, Y, Z, cross, total
from osimexp.physics.compiled.mechanics.mechanism import Axis, Joint


@dataclass(frozen=True)
class Crossing:
    """The joint transform: pose and motion of the frame on the body, in the frame on the parent.

    Attributes:
        rotation: ``(3, 3)`` from the axes of the frame on the body to those of the one on the
            parent.
        position: ``(3,)`` origin of the frame on the body, m.
        angular: for each mobility, angular velocity ``(3,)`` per speed.
        linear: for each mobility, velocity ``(3,)`` of the frame's origin per speed.
        angular_bias: ``(3,)`` rate of the angular velocity at constant speeds, rad/s^2.
        linear_bias: ``(3,)`` rate of the velocity at constant speeds, m/s^2.
        travels: whether a mobility moves the origin.
    """

    rotation: Array
    position: Array
    angular: list[Array]
    linear: list[Array]
    angular_bias: Array
    linear_bias: Array
    travels: bool = False


def cross_joint(joint: Joint, q: list[Scalar], u: list[Scalar]) -> Crossing:
    """Return the joint transform at coordinates ``q`` (rad, m) and speeds ``u`` (rad/s, m/s).

    The conventions are those of Simbody's mobilizers of the same names (Sherman, Seth and Delp
    2011, Procedia IUTAM 2:241-261), of which OpenSim's joints are made.
    """
    match joint.kind:
        case "WeldJoint":
            return Crossing(np.eye(3).astype(object), ZERO, [], [], ZERO, ZERO)
        case "PinJoint":
            return Crossing(about(Z, q[0]), ZERO, [Z], [ZERO], ZERO, ZERO)
        case "SliderJoint":
            rotation = np.eye(3).astype(object)
            along = np.array([q[0], 0.0, 0.0], dtype=object)
            return Crossing(rotation, along, [ZERO], [X], ZERO, ZERO, True)
        case "PlanarJoint":
            position = np.array([q[1], q[2], 0.0], dtype=object)
            return Crossing(
                about(Z, q[0]), position, [Z, ZERO, ZERO], [ZERO, X, Y], ZERO, ZERO, True
            )
        case "UniversalJoint" | "GimbalJoint":
            return _successive(q, u)
        case "BallJoint":
            return Crossing(_xyz(q), ZERO, [X, Y, Z], [ZERO] * 3, ZERO, ZERO)
        case "FreeJoint":
            position = np.array(q[3:], dtype=object)
            turns, slides = [X, Y, Z, ZERO, ZERO, ZERO], [ZERO, ZERO, ZERO, X, Y, Z]
            return Crossing(_xyz(q[:3]), position, turns, slides, ZERO, ZERO, True)
        case "CustomJoint":
            return _custom(joint.axes, q, u)
    raise AssertionError(joint.kind)


def coordinate_rates(joint: Joint, q: list[Scalar], u: list[Scalar]) -> list[Scalar]:
    """Return the rates of a joint's coordinates, which for some joints are not its speeds.

    The speeds of Ball and Free joints are the angular velocity in the parent's frame; their
    coordinates are body-fixed X-Y-Z angles.
    """
    if joint.kind not in ("BallJoint", "FreeJoint"):
        return u
    c0, s0, c1, s1 = cos(q[0]), sin(q[0]), cos(q[1]), sin(q[1])
    third = (c0 * u[2] - s0 * u[1]) / c1
    return [u[0] - s1 * third, c0 * u[1] + s0 * u[2], third, *u[3:]]


def about(axis: Array, angle: Scalar) -> Array:
    """Return the rotation matrix ``(3, 3)`` about an axis of length 1, by Rodrigues' formula.

    Args:
        axis: direction ``(3,)`` of length 1.
        angle: rad.
    """
    c, s = cos(angle), sin(angle)
    x, y, z = axis
    v = 1.0 - c
    # The trace does not know that c + v is 1.
    xx, yy, zz = (1.0 if abs(w) == 1.0 else w * w * v + c for w in axis)
    return np.array(
        [
            [xx, x * y * v - z * s, x * z * v + y * s],
            [x * y * v + z * s, yy, y * z * v - x * s],
            [x * z * v - y * s, y * z * v + x * s, zz],
        ],
        dtype=object,
    )


def _xyz(q: Sequence[Scalar]) -> Array:
    return about(X, q[0]) @ about(Y, q[1]) @ about(Z, q[2])


def _successive(q: list[Scalar], u: list[Scalar]) -> Crossing:
    """Return the transform of rotations about X, Y (and Z), each in the turned frame."""
    rotation = np.eye(3).astype(object)
    turns: list[Array] = []
    turning, bias = ZERO, ZERO
    for axis, angle, speed in zip((X, Y, Z), q, u, strict=False):
        turn = rotation @ axis
        bias = bias + cross(turning, turn) * speed
        turning = turning + turn * speed
        turns.append(turn)
        rotation = rotation @ about(axis, angle)
    return Crossing(rotation, ZERO, turns, [ZERO] * len(q), bias, ZERO)


def _custom(axes: Sequence[Axis], q: list[Scalar], u: list[Scalar]) -> Crossing:
    """Return the transform of a CustomJoint, as Simbody's FunctionBased mobilizer works it out.

    That mobilizer lets the second rotation axis turn with the first speed alone, and the third with
    all speeds but the third. This is exact if rotation k depends on coordinate k alone. If it does
    not, as in a knee whose three rotations follow one angle, the acceleration is slightly wrong. It
    is worked out the same way here, to match OpenSim.
    """
    values = [a.curve.value(0.0 if a.coordinate is None else q[a.coordinate]) for a in axes]
    rotation = np.eye(3).astype(object)
    turned: list[Array] = []
    for axis, angle in zip(axes[:3], values[:3], strict=True):
        turned.append(rotation @ axis.direction.astype(object))
        rotation = rotation @ about(axis.direction.astype(object), angle)
    position = ZERO
    for axis, distance in zip(axes[3:], values[3:], strict=True):
        position = position + axis.direction.astype(object) * distance
    directions = [*turned, *(axis.direction.astype(object) for axis in axes[3:])]
    columns: list[Array] = [ZERO] * (2 * len(q))
    bias = [ZERO, ZERO]
    for i, (axis, direction) in enumerate(zip(axes, directions, strict=True)):
        if axis.coordinate is None:
            continue
        k, kind = axis.coordinate, i // 3
        columns[2 * k + kind] = columns[2 * k + kind] + direction * axis.curve.slope(q[k])
        bias[kind] = bias[kind] + direction * (axis.curve.curvature(q[k]) * u[k] * u[k])
    angular, linear = columns[0::2], columns[1::2]
    first = angular[0] * u[0]
    others = total(w * speed for k, (w, speed) in enumerate(zip(angular, u, strict=True)) if k != 2)
    for axis, turn, carrier in zip(axes[1:3], turned[1:], (first, others), strict=True):
        if axis.coordinate is not None:
            rate = axis.curve.slope(q[axis.coordinate]) * u[axis.coordinate]
            bias[0] = bias[0] + cross(carrier, turn) * rate
    travels = any(axis.coordinate is not None for axis in axes[3:])
    return Crossing(rotation, position, angular, linear, bias[0], bias[1], travels)
