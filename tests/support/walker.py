"""A made-up walker of sticks, whose movement is sines: something to draw without a simulation."""

import numpy as np

from osimexp.arrays import Floats
from osimexp.motion.movement import Movement
from osimexp.physics.posing.figure import Figure, Piece, Poses

THIGH, SHANK, HIP = 0.42, 0.43, 0.92  # m
BODIES = ("pelvis", "femur_r", "tibia_r", "foot_r", "femur_l", "tibia_l", "foot_l")
MASS = 70.0


def placed(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Floats:
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


def walker() -> Figure:
    """Capsules for bones, contact spheres at heel and toe, nine muscles a side."""
    pieces = [Piece(0, "ellipsoid", (0.09, 0.09, 0.15), placed(y=0.02))]
    pieces.append(Piece(0, "capsule", (0.09, 0.18, 0.09), placed(x=-0.02, y=0.32)))
    pieces.append(Piece(0, "ellipsoid", (0.09, 0.12, 0.08), placed(y=0.74)))
    for first in (1, 4):
        pieces.append(Piece(first, "capsule", (0.04, THIGH / 2, 0.04), placed(y=-THIGH / 2)))
        pieces.append(Piece(first + 1, "capsule", (0.032, SHANK / 2, 0.0), placed(y=-SHANK / 2)))
        pieces.append(Piece(first + 2, "box", (0.11, 0.02, 0.04), placed(x=0.06, y=-0.03)))
        for x in (-0.03, 0.15):
            sphere = placed(x=x, y=-0.04)
            look = {"colour": (0.4, 0.6, 0.9), "opacity": 0.4, "part": "contact"}
            pieces.append(Piece(first + 2, "ellipsoid", (0.03, 0.03, 0.03), sphere, **look))
    names = ("glut", "iliopsoas", "hams", "recfem", "vasti", "bfsh", "gastroc", "soleus", "tibant")
    muscles = tuple(f"{name}_{side}" for side in "rl" for name in names)
    radii = np.full(len(muscles), 0.018)
    return Figure(BODIES, tuple(pieces), muscles, radii, ("right", "left"), (3, 6), 1.75)


def walk(seconds: float, speed: float = 1.2, rate: int = 100) -> tuple[Movement, Poses]:
    """A walk at a speed in m/s, with its poses."""
    time = np.arange(round(seconds * rate) + 1) / rate
    phase = 2 * np.pi * 0.9 * time
    hips = np.stack([0.45 * np.sin(phase), -0.45 * np.sin(phase)], axis=1)
    knees = np.stack([-0.5 + 0.45 * np.cos(phase), -0.5 - 0.45 * np.cos(phase)], axis=1)
    ankles = 0.15 * np.sin(2 * phase)[:, None] * np.ones(2)
    lift = HIP + 0.02 * np.cos(2 * phase)
    bodies = np.tile(np.eye(4), (len(time), len(BODIES), 1, 1))
    bodies[:, 0, 0, 3], bodies[:, 0, 1, 3] = speed * time, lift
    for side, z in enumerate((0.08, -0.08)):
        turn = np.zeros(len(time))
        at = bodies[:, 0, :3, 3] + [0.0, 0.0, z]
        for part, (angle, length) in enumerate(
            ((hips, THIGH), (knees, SHANK), (ankles, 0.0)), start=1 + 3 * side
        ):
            turn = turn + angle[:, side]
            c, s = np.cos(turn), np.sin(turn)
            bodies[:, part, 0, 0], bodies[:, part, 0, 1] = c, -s
            bodies[:, part, 1, 0], bodies[:, part, 1, 1] = s, c
            bodies[:, part, :3, 3] = at
            at = at + length * np.stack([s, -c, np.zeros_like(c)], axis=1)
    muscles = walker().muscles
    offsets = 2 * np.pi * np.arange(len(muscles)) / 9
    activations = 0.5 + 0.49 * np.sin(phase[:, None] + offsets)
    forces = np.zeros((len(time), 2, 3))
    forces[:, 0, 1] = np.clip(np.sin(phase), 0.0, None) * 1.1 * MASS * 9.80665
    forces[:, 1, 1] = np.clip(-np.sin(phase), 0.0, None) * 1.1 * MASS * 9.80665
    forces[..., 0] = 0.15 * forces[..., 1] * np.cos(2 * phase)[:, None]
    angles = np.concatenate([hips, knees, ankles], axis=1)
    positions = np.concatenate([(speed * time)[:, None], angles], axis=1)
    joints = ("hip_r", "hip_l", "knee_r", "knee_l", "ankle_r", "ankle_l")
    movement = Movement(
        time=time,
        coordinates=("pelvis_tx", *joints),
        rotational=np.array([False] + 6 * [True]),
        positions=positions,
        speeds=np.gradient(positions, time, axis=0),
        muscles=muscles,
        controls=muscles,
        control_values=np.clip(activations + 0.01, 0.0, 1.0),
        activations=activations,
        feet=("right", "left"),
        ground_reaction=forces,
        foot_positions=bodies[:, [3, 6], :3, 3] * [1.0, 0.0, 1.0],
        targets={"pelvis": bodies[:, 0, :3, 3] + [0.5, 0.0, 0.0]},
        mass=MASS,
    )
    paths = tuple(_path(bodies, number) for number in range(len(muscles)))
    return movement, Poses(bodies, paths, bodies[:, 0, :3, 3] + [0.0, 0.1, 0.0])


def _path(bodies: Floats, number: int) -> Floats:
    """Points before or behind the bones that a muscle spans."""
    side, kind = divmod(number, 9)
    hip, knee, ankle = 1 + 3 * side, 2 + 3 * side, 3 + 3 * side
    x = -0.06 if kind in (0, 2, 5, 6, 7) else 0.06
    ends = {0: (0, hip), 1: (0, hip), 2: (0, knee), 3: (0, knee), 4: (hip, knee), 5: (hip, knee)}
    first, last = ends.get(kind, (hip if kind == 6 else knee, ankle))
    inward = 0.08 if side == 0 else -0.08
    begin = [x, 0.08, inward, 1.0] if first == 0 else [x, -0.1 - 0.02 * kind, 0.0, 1.0]
    middle = [1.2 * x, -0.2, 0.0, 1.0]
    end = [x, -0.02, 0.0, 1.0] if last == ankle else [0.7 * x, -0.08, 0.0, 1.0]
    frames = (first, hip if first in (0, hip) else knee, last)
    points = [bodies[:, f] @ np.array(p) for f, p in zip(frames, (begin, middle, end), strict=True)]
    return np.stack(points, axis=1)[..., :3]
