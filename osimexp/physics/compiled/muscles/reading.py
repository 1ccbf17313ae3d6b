"""Reading of a muscle of any class that can be compiled."""

import opensim

from osimexp.physics.compiled.muscles.degroote_fregly import read_degroote_fregly
from osimexp.physics.compiled.muscles.millard import read_millard
from osimexp.physics.compiled.muscles.muscle import Muscle
from osimexp.physics.compiled.muscles.refusal import refused
from osimexp.physics.compiled.muscles.thelen import read_thelen


def read_muscle(muscle: opensim.Muscle) -> Muscle:
    """Return the equations of a muscle, without its path.

    Args:
        muscle: muscle of a model whose system was initialised.

    Raises:
        ModelError: its class or one of its properties cannot be compiled.
    """
    if not muscle.get_appliesForce():
        raise refused(
            muscle,
            "applies no force and its states do not change: its appliesForce must be true, or the "
            "muscle must be taken out of the model",
        )
    match muscle.getConcreteClassName():
        case "DeGrooteFregly2016Muscle":
            return read_degroote_fregly(opensim.DeGrooteFregly2016Muscle.safeDownCast(muscle))
        case "Millard2012EquilibriumMuscle":
            return read_millard(opensim.Millard2012EquilibriumMuscle.safeDownCast(muscle))
        case "Thelen2003Muscle":
            return read_thelen(opensim.Thelen2003Muscle.safeDownCast(muscle))
    raise refused(
        muscle,
        "is of a class that physics=compiled does not have: it must be a "
        "DeGrooteFregly2016Muscle with a rigid tendon, a Millard2012EquilibriumMuscle or a "
        "Thelen2003Muscle",
    )
