"""The made-up walker's movement with its feet's positions in the order that a movement has."""

import dataclasses

import numpy as np
from walker import walk

from osimexp.motion.movement import Movement
from osimexp.physics.posing.figure import Poses


def walking(seconds: float) -> tuple[Movement, Poses]:
    movement, poses = walk(seconds)
    feet = poses.bodies[:, [3, 6]][:, :, :3, 3] * np.array([1.0, 0.0, 1.0])
    return dataclasses.replace(movement, foot_positions=feet), poses
