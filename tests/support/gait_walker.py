"""A made-up walk whose strides, lengths, angles and forces are known to the last digit.

The right foot strikes at 0.5, 1.7, 2.9, ... s and the left one 0.6 s later; a stride takes 1.2 s
and 1.4 m, a stance 0.72 s. The load rises within 0.05 s from nothing to the body's weight and
falls so too, in straight lines between samples: it passes 5% of the weight 2.5 ms after it begins
to rise and 3% 1.5 ms before it ends.
"""

from dataclasses import replace

import numpy as np

from osimexp.analysis.shown import Shown
from osimexp.arrays import Floats
from osimexp.models.prepare import PreparedModel
from osimexp.models.settings import ModelSettings
from osimexp.motion.movement import Movement
from osimexp.physics.posing.figure import Figure, Poses

RATE, SECONDS, MASS = 100, 6.0, 70.0
WEIGHT = MASS * 9.80665
STRIDE, STANCE, LENGTH, WIDTH = 1.2, 0.72, 1.4, 0.1
FIRST = {"right": 0.5, "left": 1.1}
LATE, EARLY = 0.0025, 0.0015
BODIES = ("calcn_r", "calcn_l")

# Angle in degrees at seconds after the right foot's strike, flat where it is read.
HIP = ((0.0, 30.0), (0.05, 30.0), (0.6, -10.0), (0.7, -10.0), (1.1, 30.0), (1.2, 30.0))
KNEE = ((0.0, 5.0), (0.05, 5.0), (0.2, 18.0), (0.5, 4.0), (0.8, 62.0), (0.95, 62.0), (1.15, 5.0),
        (1.2, 5.0))  # fmt: skip
COORDINATES = ("pelvis_tx", "hip_flexion_r", "knee_angle_r", "hip_flexion_l", "knee_angle_l")


def since_strike(time: Floats, side: str) -> tuple[Floats, Floats]:
    """Return how many strides a foot began before, and the seconds since its latest strike."""
    samples = np.round((time - FIRST[side]) * RATE)
    period = round(STRIDE * RATE)
    return np.floor(samples / period), (samples % period) / RATE


def movement() -> Movement:
    """Return the walk, without muscles."""
    time = np.arange(round(SECONDS * RATE) + 1) / RATE
    positions = np.zeros((len(time), len(COORDINATES)))
    positions[:, 0] = LENGTH / STRIDE * time
    forces = np.zeros((len(time), 2, 3))
    for number, side in enumerate(FIRST):
        phase = since_strike(time, side)[1]
        positions[:, 1 + 2 * number] = np.deg2rad(np.interp(phase, *np.array(HIP).T))
        # OpenSim's knees bend the negative way in some models.
        positions[:, 2 + 2 * number] = -np.deg2rad(np.interp(phase, *np.array(KNEE).T))
        corners = ((0.0, 0.0), (0.05, 1.0), (STANCE - 0.05, 1.0), (STANCE, 0.0), (STRIDE, 0.0))
        load = np.interp(phase, *np.array(corners).T)
        forces[:, number, 1] = WEIGHT * load
        braking = ((0.0, 0.0), (0.1, -0.2), (0.15, -0.2), (0.5, 0.18), (0.55, 0.18), (0.7, 0.0))
        forces[:, number, 0] = WEIGHT * np.interp(phase, *np.array((*braking, (1.2, 0.0))).T)
    return Movement(
        time=time,
        coordinates=COORDINATES,
        rotational=np.array([False] + 4 * [True]),
        positions=positions,
        speeds=np.gradient(positions, time, axis=0),
        feet=("right", "left"),
        ground_reaction=forces,
        mass=MASS,
    )


def feet(time: Floats) -> Floats:
    """Return ``(T, 2, 3)`` m: still while they stand, in a straight line while they swing."""
    places = np.zeros((len(time), 2, 3))
    for number, side in enumerate(FIRST):
        strides, phase = since_strike(time, side)
        swing = np.clip((phase - STANCE) / (STRIDE - STANCE), 0.0, 1.0)
        places[:, number, 0] = LENGTH * (strides + swing) + number * LENGTH / 2.0
        side_step = 0.02 * np.minimum(swing, 1.0 - swing)
        places[:, number, 2] = (0.5 - number) * WIDTH + side_step
    return places


def shown(belt: float = 0.0, **changes: object) -> Shown:
    """Return the walk and where it puts feet and body, on ground that moves backwards or not."""
    walk = movement()
    drift = np.array([belt, 0.0, 0.0]) * walk.time[:, None]
    bodies = np.tile(np.eye(4), (len(walk), 2, 1, 1))
    bodies[:, :, :3, 3] = feet(walk.time) - drift[:, None]
    centre = np.zeros((len(walk), 3))
    centre[:, 0] = LENGTH / STRIDE * walk.time
    walk = replace(walk, **changes)  # type: ignore[arg-type]
    made = Shown("made up", PreparedModel("", ModelSettings(path="none.osim")), walk)
    known = vars(made)
    known["figure"] = Figure(BODIES, (), (), np.zeros(0), ("right", "left"), (0, 1), 1.7)
    known["poses"] = Poses(bodies, (), centre - drift)
    return made
