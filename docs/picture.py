"""Draw the README's picture: the two models with their muscles, and what learning looks like.

``python docs/picture.py RUN`` takes the folder of a reach run for the curve and needs matplotlib.
"""

import csv
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import opensim
from matplotlib.axes import Axes

from osimexp.models import anatomy
from osimexp.models.build import build
from osimexp.models.prepare import quiet

POSES = {
    "arm": {"shoulder_flexion": 0.1, "elbow_flexion": 1.2},
    "gait2d": {
        "pelvis_ty": 0.915,
        "hip_flexion_r": 0.45,
        "knee_angle_r": -0.15,
        "ankle_angle_r": 0.05,
        "hip_flexion_l": -0.3,
        "knee_angle_l": -0.35,
        "ankle_angle_l": 0.1,
    },
}


def main() -> None:
    """Draw the picture and write it beside this file."""
    quiet()
    figure, (arm, walker, curve) = plt.subplots(
        1, 3, figsize=(11, 3.6), width_ratios=[1, 1, 1.5], layout="constrained"
    )
    draw(arm, "arm")
    draw(walker, "gait2d")
    learn(curve, Path(sys.argv[1]))
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=110)


def draw(axes: Axes, name: str) -> None:
    """Draw a model's joints, contact spheres and muscle paths in the sagittal plane."""
    model = build(anatomy.load(name), "degroote_fregly", "rigid")
    state = model.initSystem()
    for coordinate, value in POSES[name].items():
        model.getCoordinateSet().get(coordinate).setValue(state, value)
    model.realizePosition(state)
    bones = []
    for i in range(model.getJointSet().getSize()):
        joint = model.getJointSet().get(i)
        parent, child = joint.getParentFrame(), joint.getChildFrame()
        if parent.findBaseFrame().getName() != "ground":
            bones.append((parent.findBaseFrame(), child.getPositionInGround(state)))
    for i in range(model.getMarkerSet().getSize()):
        marker = model.getMarkerSet().get(i)
        tip = marker.getLocationInGround(state)
        bones.append((marker.getParentFrame().findBaseFrame(), tip))
        axes.plot(tip.get(0), tip.get(1), "o", color="tab:blue", ms=8, zorder=4)
    for i in range(model.getContactGeometrySet().getSize()):
        sphere = opensim.ContactSphere.safeDownCast(model.getContactGeometrySet().get(i))
        if sphere is not None:
            body = sphere.getFrame().findBaseFrame()
            centre = sphere.getFrame().findStationLocationInGround(state, sphere.get_location())
            bones.append((body, centre))
            where = centre.get(0), centre.get(1)
            axes.add_patch(plt.Circle(where, sphere.getRadius(), color="0.4", fill=False))
    if name == "gait2d":
        torso = model.getBodySet().get("torso")
        top = opensim.Vec3(0, 2 * torso.getMassCenter().get(1), 0)
        bones.append((torso, torso.findStationLocationInGround(state, top)))
        axes.axhline(0, color="0.4", lw=1)
    for body, end in bones:
        ends = np.array([body.getPositionInGround(state).to_numpy(), end.to_numpy()])
        axes.plot(*ends[:, :2].T, color="0.8", lw=6, solid_capstyle="round", zorder=1)
    for i in range(model.getMuscles().getSize()):
        path = model.getMuscles().get(i).getGeometryPath().getCurrentPath(state)
        points = np.array(
            [path.get(k).getLocationInGround(state).to_numpy() for k in range(path.getSize())]
        )
        axes.plot(*points[:, :2].T, color="tab:red", lw=1.3, zorder=3)
    axes.set_title(f"model={name}")
    axes.set_aspect("equal")
    axes.axis("off")


def learn(axes: Axes, run: Path) -> None:
    """Draw the evaluations of a reach run."""
    rows = list(csv.DictReader((run / "metrics.csv").open()))
    evaluated = [row for row in rows if row.get("evaluation/final_target_distance")]
    steps = [int(row["steps"]) for row in evaluated]
    axes.plot(
        [int(row["steps"]) for row in rows if row["episode/final_target_distance"]],
        [
            100 * float(row["episode/final_target_distance"])
            for row in rows
            if row["episode/final_target_distance"]
        ],
        color="tab:blue",
        alpha=0.4,
        label="while exploring",
    )
    axes.plot(
        steps,
        [100 * float(row["evaluation/final_target_distance"]) for row in evaluated],
        "o-",
        color="tab:blue",
        label="evaluation",
    )
    axes.set(xlabel="environment steps", ylabel="hand to target at the end (cm)", yscale="log")
    axes.set_title("python -m osimexp experiment=reach_sac")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
