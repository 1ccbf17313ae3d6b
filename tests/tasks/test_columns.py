"""Every number that a controller sees has a name and a unit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from options import made
from tasks import ARM, environment
from test_terms import made_up

from osimexp.errors import ConfigError
from osimexp.tasks.columns import Column, observed_columns
from osimexp.tasks.scene import Frame, Scene
from osimexp.tasks.terms import observations


@dataclass(frozen=True)
class Mine:
    """A user's own term, which names nothing."""

    READS: ClassVar[frozenset[str]] = frozenset()

    def __call__(self, frame: Frame) -> np.ndarray:
        return frame.state.coordinates[:, :2]


@dataclass(frozen=True)
class MineNamed(Mine):
    names: tuple[str, ...] = ("one", "other")

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        return tuple(Column(name, "m") for name in self.names)


def named(*terms: object, scene: Scene | None = None) -> list[Column]:
    return [column for term in terms for column in term.columns(scene or made_up().scene)]


@pytest.mark.parametrize(
    "term",
    [
        observations.JointAngles(("*",)),
        observations.JointAngles(("knee_*",)),
        observations.JointSpeeds(("*",), scale=0.1),
        observations.Pelvis(),
        observations.PelvisTurning(scale=0.1),
        observations.CentreOfMassVelocity(),
        observations.Activations(),
        observations.FibreLength(),
        observations.FibreVelocity(),
        observations.TendonForce(),
        observations.GroundReaction(),
        observations.Points(("hand",)),
        observations.Target(),
        observations.TargetOffset("hand"),
    ],
)
@pytest.mark.parametrize("target_size", [0, 3])
def test_a_term_names_as_many_columns_as_it_yields(term: object, target_size: int) -> None:
    frame = made_up(target_size)
    assert len(named(term, scene=frame.scene)) == term(frame).shape[1]


def test_columns_are_called_by_what_they_are_of() -> None:
    assert named(observations.JointAngles(("*",))) == [
        Column("pelvis_tilt", "rad"), Column("pelvis_ty", "m"),
        Column("lumbar", "rad"), Column("knee_r", "rad"),
    ]  # fmt: skip
    speeds = named(observations.JointSpeeds(("*_tx", "knee_r"), scale=0.5))
    assert speeds == [Column("pelvis_tx", "m/s", 0.5), Column("knee_r", "rad/s", 0.5)]
    assert named(observations.Pelvis()) == [Column("height", "m"), Column("tilt", "rad")]
    assert named(observations.Activations()) == [Column("soleus_r", "1"), Column("soleus_l", "1")]
    assert [c.name for c in named(observations.GroundReaction())] == [
        "right_x", "right_y", "right_z", "left_x", "left_y", "left_z",
    ]  # fmt: skip
    asked = Scene(
        made_up().scene.names, made_up().scene.model, 0.01, 2, made("target/speeds", count=2)
    )
    assert [c.name for c in named(observations.Target(), scene=asked)] == ["speed_0", "speed_1"]


def test_names_begin_with_the_key_of_the_term() -> None:
    terms = {"legs": observations.JointAngles(("knee_*",)), "mine": Mine(), "ours": MineNamed()}
    columns = observed_columns(terms, made_up().scene, (1, 2, 2))
    assert [c.name for c in columns] == [
        "legs/knee_r",
        "mine/0",
        "mine/1",
        "ours/one",
        "ours/other",
    ]
    assert [c.unit for c in columns] == ["rad", "", "", "m", "m"]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("one",), "observation.mine names 1 columns and yields 2"),
        (("one", "one"), "observation.mine names 2 columns one"),
    ],
)
def test_names_that_do_not_fit_are_refused(names: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        observed_columns({"mine": MineNamed(names)}, made_up().scene, (2,))


def test_names_stand_in_the_order_of_the_config() -> None:
    batch = environment(1, *ARM, "physics=opensim", "observation=kinematic")
    names = batch.observation_names
    assert names[:3] == (
        "joint_angles/shoulder_flexion", "joint_angles/elbow_flexion",
        "joint_speeds/shoulder_flexion",
    )  # fmt: skip
    assert names[-1] == "target_offset/z"
    assert len(names) == len(set(names)) == batch.single_observation_space.shape[0]
    assert batch.action_names == batch.scene.names.muscles
    batch.close()


def test_the_columns_of_gymnasium_are_numbered() -> None:
    batch = made("task/gym.task").create(1)
    assert batch.observation_names == ("observation/0", "observation/1", "observation/2")
    assert batch.action_names == ("action/0",)
    batch.close()
