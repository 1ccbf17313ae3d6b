"""The metabolic energy of muscles.

The model is that of L. J. Bhargava, M. G. Pandy and F. C. Anderson, Journal of Biomechanics 37
(2004) 81-88, as OpenSim's ``Bhargava2004SmoothedMuscleMetabolics`` computes it without smoothing:
heats of activation, maintenance and shortening, and the work of the fibres. The power of a muscle
is never below zero, and its heat is never below 1 W/kg (B. R. Umberger, K. G. Gerritsen and P. E.
Martin, Computer Methods in Biomechanics and Biomedical Engineering 6 (2003) 99-111).
"""

import numpy as np

from osimexp.analysis.gait.settings import CostSettings
from osimexp.arrays import Floats
from osimexp.physics.posing.muscle_states import MuscleStates

ACTIVATION = (40.0, 133.0)  # W/kg, of slow and of fast fibres
MAINTENANCE = (74.0, 111.0)  # W/kg
LEAST_HEAT = 1.0  # W/kg

# Factor of the maintenance heat over fibre length in optimal fibre lengths.
LENGTHS = (0.0, 0.5, 1.0, 1.5, 10.0)
FACTORS = (0.5, 0.5, 1.0, 0.0, 0.0)


def muscle_masses(states: MuscleStates, settings: CostSettings) -> Floats:
    """Return the masses of muscles ``(muscles,)``, kg.

    A mass is the cross-section, from the maximum isometric force, times optimal fibre length and
    density.
    """
    area = states.maximum_isometric_force / settings.specific_tension
    return np.asarray(area * states.optimal_fibre_length * settings.density)


def muscle_power(states: MuscleStates, settings: CostSettings) -> Floats:
    """Return the metabolic power of each muscle ``(T, muscles)``, W."""
    mass = muscle_masses(states, settings)
    slow = settings.slow_twitch * np.sin(np.pi / 2.0 * states.excitation)
    fast = (1.0 - settings.slow_twitch) * (1.0 - np.cos(np.pi / 2.0 * states.excitation))
    activation = mass * (ACTIVATION[0] * slow + ACTIVATION[1] * fast)
    factor = np.interp(states.fibre_length, LENGTHS, FACTORS)
    maintenance = mass * factor * (MAINTENANCE[0] * slow + MAINTENANCE[1] * fast)
    velocity = states.fibre_velocity
    shortening = -_shortening_factor(states, settings) * velocity
    work = -states.active_force * velocity
    if not settings.negative_work:
        work = np.where(velocity <= 0.0, work, 0.0)
    heat = activation + maintenance + shortening
    heat = heat - np.minimum(heat + work, 0.0)
    return np.asarray(np.maximum(heat, LEAST_HEAT * mass) + work)


def metabolic_power(states: MuscleStates, mass: float, settings: CostSettings) -> Floats:
    """Return the metabolic power ``(T,)`` of all muscles and of the body at rest, W.

    Args:
        states: states of the muscles over time.
        mass: mass of the body, kg.
        settings: parameters of the energy model.
    """
    return np.asarray(muscle_power(states, settings).sum(axis=1) + settings.basal * mass)


def _shortening_factor(states: MuscleStates, settings: CostSettings) -> Floats:
    """Return the heat of shortening per metre of shortening ``(T, muscles)``, N."""
    force = states.active_force + states.passive_force
    if not settings.force_dependent_shortening:
        return np.where(states.fibre_velocity <= 0.0, 0.25 * force, 0.0)
    isometric = states.activation * states.force_length * states.maximum_isometric_force
    shorter = 0.16 * isometric + 0.18 * force
    return np.where(states.fibre_velocity <= 0.0, shorter, 0.157 * force)
