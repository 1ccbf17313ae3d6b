"""The support of a model: coordinates by which it can travel, and contact that carries it."""

import opensim

_CONTACT = (
    "ElasticFoundationForce", "ExponentialContactForce", "HuntCrossleyForce",
    "MeyerFregly2016Force", "SmoothSphereHalfSpaceForce",
)  # fmt: skip


def carriers(model: opensim.Model) -> list[str]:
    """Return the coordinates along which a body moves against the ground, and that are free.

    Args:
        model: a model with its connections made.
    """
    joints, found = model.getJointSet(), []
    for joint in (joints.get(i) for i in range(joints.getSize())):
        ends = joint.getParentFrame(), joint.getChildFrame()
        if not any(end.findBaseFrame().getName() == "ground" for end in ends):
            continue
        for i in range(joint.numCoordinates()):
            coordinate = joint.get_coordinates(i)
            slides = coordinate.getMotionType() == opensim.Coordinate.Translational
            fixed = coordinate.get_locked() or coordinate.get_prescribed()
            if slides and not fixed:
                found.append(str(coordinate.getName()))
    return found


def has_contact(model: opensim.Model) -> bool:
    """Return whether a force between surfaces acts in a model."""
    forces = model.getForceSet()
    return any(
        forces.get(i).getConcreteClassName() in _CONTACT and forces.get(i).get_appliesForce()
        for i in range(forces.getSize())
    )
