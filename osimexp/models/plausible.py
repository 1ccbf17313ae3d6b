"""Refusal of models whose numbers have no meaning, which OpenSim takes without a word."""

from collections.abc import Iterator
from math import isfinite, pi
from pathlib import Path

import opensim

from osimexp.errors import ModelError

_LONGEST = 1e3
"""Greatest length in a model, m."""

_GREATEST = 1e6
"""Greatest mass (kg), force (N), moment of inertia (kg m^2), speed and default of a coordinate."""

_FARTHEST = 1e10
"""Greatest end of a range, which files use for coordinates without one."""


def check_model(model: opensim.Model, path: Path) -> None:
    """Refuse masses, coordinates and muscles that nothing can be simulated with.

    Raises:
        ModelError: a number is not finite or out of its range; the message names the component.
    """
    for name, quantity, value, low, high, open_ in _quantities(model):
        inside = low < value < high if open_ else low <= value <= high
        if not isfinite(value) or not inside:
            wanted = _range(low, high, open_) if isfinite(value) else "and must be finite"
            raise ModelError(f"{path}: {quantity} of {name} is {value:g}, {wanted}.")


def _range(low: float, high: float, open_: bool) -> str:
    between, and_ = ("above", "and below") if open_ else ("from", "to")
    return f"and must be {between} {low:.4g} {and_} {high:.4g}"


Quantity = tuple[str, str, float, float, float, bool]


def _quantities(model: opensim.Model) -> Iterator[Quantity]:
    """Yield name, quantity, value, bounds, and whether the bounds are left out."""
    bodies = model.getBodySet()
    for body in (bodies.get(i) for i in range(bodies.getSize())):
        name = body.getName()
        yield name, "the mass", body.getMass(), 0.0, _GREATEST, False
        centre, inertia = body.getMassCenter(), body.get_inertia()
        for axis in range(3):
            yield name, "mass_center", centre.get(axis), -_LONGEST, _LONGEST, False
        for i in range(6):
            yield name, "inertia", inertia.get(i), -_GREATEST if i > 2 else 0.0, _GREATEST, False
    coordinates = model.getCoordinateSet()
    for one in (coordinates.get(i) for i in range(coordinates.getSize())):
        name = one.getName()
        low, high = one.getRangeMin(), one.getRangeMax()
        yield name, "default_value", one.getDefaultValue(), -_GREATEST, _GREATEST, False
        yield name, "the lower end of range", low, -_FARTHEST, _FARTHEST, False
        yield name, "the upper end of range", high, low, _FARTHEST, False
    # A model whose muscles OpenSim refuses has an empty set of muscles, but keeps its forces.
    forces = model.getForceSet()
    every = (opensim.Muscle.safeDownCast(forces.get(i)) for i in range(forces.getSize()))
    for muscle in (one for one in every if one is not None):
        name = muscle.getName()
        pennation = muscle.getPennationAngleAtOptimalFiberLength()
        yield name, "max_isometric_force", muscle.getMaxIsometricForce(), 0.0, _GREATEST, False
        yield name, "optimal_fiber_length", muscle.getOptimalFiberLength(), 0.0, _LONGEST, True
        yield name, "tendon_slack_length", muscle.getTendonSlackLength(), 0.0, _LONGEST, True
        yield (
            name,
            "max_contraction_velocity",
            muscle.getMaxContractionVelocity(),
            0.0,
            _GREATEST,
            True,
        )
        yield name, "pennation_angle_at_optimal", pennation, 0.0, pi / 2, False
