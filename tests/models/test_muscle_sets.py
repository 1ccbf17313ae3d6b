import numpy as np
import pytest
import tasks
from numpy.testing import assert_allclose, assert_array_equal
from options import values
from scenes import scene_of

from osimexp.errors import ConfigError
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.prepare import loaded
from osimexp.tasks.actions import ActionMap, ActionSettings
from osimexp.tasks.actuators import ActuatorSet

LEGS = ("soleus_r", "gastroc_r", "soleus_l", "gastroc_l")
HALF = {"rest": 0.5, "gain": 0.5}


def act(muscle_set: MuscleSet, actions: list[float], **settings: float) -> np.ndarray:
    action = ActionSettings(**(values("task/movement.action") | HALF | settings))
    action_map = ActionMap(action, muscle_set, ActuatorSet(), scene_of(LEGS))
    assert action_map.size == len(actions)
    return action_map.excitations(np.array([actions], dtype=float))[0]


def test_actions_become_excitations_by_the_documented_map() -> None:
    assert_allclose(act(MuscleSet(), [-1.0, 0.0, 0.5, 1.0]), [0.01, 0.5, 0.75, 1.0])
    assert_allclose(
        act(MuscleSet(), [-1.0, 0.0, 0.5, 1.0], rest=0.1, gain=0.4), [0.01, 0.1, 0.3, 0.5]
    )


def test_muscles_left_out_are_held() -> None:
    assert_allclose(
        act(MuscleSet(driven=("soleus_*",), held=0.2), [0.0, 1.0]), [0.5, 0.2, 1.0, 0.2]
    )


def test_mirrored_sides_share_an_action() -> None:
    assert_allclose(act(MuscleSet(mirror=True), [0.0, 1.0]), [0.5, 1.0, 0.5, 1.0])
    assert MuscleSet(mirror=True).action_names(LEGS) == [
        "soleus_r+soleus_l",
        "gastroc_r+gastroc_l",
    ]


def test_synergies_are_weighted_sums() -> None:
    muscle_set = MuscleSet(synergies=({"soleus_*": 1.0, "gastroc_r": 0.5}, {"gastroc_*": 0.5}))
    # Drives 0.5 and 0.75; the second synergy's weight on gastroc_r stands beside the first's.
    assert_allclose(act(muscle_set, [0.0, 0.5]), [0.5, 0.625, 0.5, 0.375])


def test_strengths_multiply_where_patterns_overlap() -> None:
    muscle_set = MuscleSet(strength={"*": 0.5, "soleus_*": 0.5})
    assert_array_equal(muscle_set.strengths(LEGS), [0.25, 0.5, 0.25, 0.5])


@pytest.mark.parametrize(
    "wrong",
    [
        MuscleSet(driven=("soleous_r",)),
        MuscleSet(removed=("soleous_r",)),
        MuscleSet(strength={"soleous_r": 0.5}),
        MuscleSet(synergies=({"soleous_r": 0.5},)),
    ],
)
def test_an_unknown_muscle_lists_the_near_ones(wrong: MuscleSet) -> None:
    def use() -> None:
        wrong.kept(LEGS)
        wrong.strengths(LEGS)
        wrong.weights(LEGS)

    with pytest.raises(ConfigError, match="'soleous_r'; did you mean soleus_r"):
        use()


def test_the_model_is_edited() -> None:
    plain = tasks.prepared(*tasks.WALKER, "model.paths=geometry")
    weak = tasks.prepared(
        *tasks.WALKER,
        "model.paths=geometry",
        "muscles=weak_plantarflexors",
        "muscles.removed=[tib_ant_l]",
    )

    def forces(xml: str) -> dict[str, float]:
        with loaded(xml) as model:
            muscles = map(model.getMuscles().get, range(model.getMuscles().getSize()))
            return {m.getName(): m.getMaxIsometricForce() for m in muscles}

    before, after = forces(plain.xml), forces(weak.xml)
    assert before.keys() - after.keys() == {"tib_ant_l"}
    for name, force in after.items():
        factor = 0.3 if name.startswith(("soleus", "gastroc")) else 1.0
        assert force == pytest.approx(factor * before[name])
