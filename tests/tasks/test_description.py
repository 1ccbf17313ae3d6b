"""The tables of a task say what it is."""

from pathlib import Path

import biped
import numpy as np
import pytest
from commands import Command
from tasks import ARM, environment
from toy import ToyEnvironment

from osimexp.cli.describe import main as describe_command
from osimexp.tasks.description import Description, describe


def described(*overrides: str) -> Description:
    batch = environment(1, *overrides, "physics=opensim", "workers=none")
    found = describe(batch)
    batch.close()
    return found


def test_the_arm() -> None:
    arm = described("model=arm", "reward=reach", "observation=kinematic")
    assert [(o.name, o.unit) for o in arm.observations] == [
        ("joint_angles/shoulder_flexion", "rad"),
        ("joint_angles/elbow_flexion", "rad"),
        ("joint_speeds/shoulder_flexion", "rad/s × 0.1"),
        ("joint_speeds/elbow_flexion", "rad/s × 0.1"),
        ("target_offset/x", "m"),
        ("target_offset/y", "m"),
        ("target_offset/z", "m"),
    ]
    muscles = ["TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA"]
    assert [(a.name, a.drives) for a in arm.actions] == [(m, m) for m in muscles]
    assert {(a.lowest, a.highest) for a in arm.actions} == {(0.01, 1.0)}
    reach = next(r for r in arm.rewards if r.name == "reach")
    assert (reach.weight, reach.meaning) == (
        1.0,
        "Reward for bringing a named point to the target point.",
    )
    assert reach.settings == {"point": "hand", "broad": 0.3, "narrow": 0.05}
    assert [p.name for p in arm.parts] == ["start", "target"]
    assert arm.parts[1].said == "point=hand, share=1, within=2"
    assert "poses=[default]" in str(arm)
    # The target's time is shorter than the task's.
    assert arm.facts["truncated after"] == "2 s, 100 steps"
    assert arm.facts["control period"] == "0.02 s"


def test_the_walker() -> None:
    walker = described("experiment=walk", "muscles=mirrored", "~symmetry", "task.action.gain=-0.4")
    assert len(walker.observations) == 81
    assert walker.observations[0].name == "joint_angles/pelvis_tilt"
    assert [o.name for o in walker.observations[-2:]] == ["phase/cosine", "phase/sine"]
    assert walker.actions[7].drives == "soleus_r, soleus_l"
    assert len(walker.actions) == 9
    # The walk's actions rest at 0.1.
    assert (walker.actions[7].lowest, walker.actions[7].highest) == (0.01, 0.5)
    weights = {r.name: r.weight for r in walker.rewards}
    assert weights == {
        "imitation": 1.0, "velocity": 0.5, "upright": 0.1, "effort": 0.3, "joint_limits": 0.02,
    }  # fmt: skip
    assert [t.name for t in walker.terminations] == ["fallen", "out_of_range", "strayed"]
    assert walker.terminations[0].said == "height=0.65, lean=1"
    assert all(t.meaning.endswith(".") for t in (*walker.terminations, *walker.rewards))
    rows = [" ".join(line.split()) for line in str(walker).splitlines()]
    assert "80 phase/sine 1" in rows
    assert "7 soleus_r+soleus_l soleus_r, soleus_l 0.01 0.5" in rows
    assert "truncated after 10 s, 500 steps" in rows
    assert any(row.startswith("start") and "standing=0.5" in row for row in rows)


def test_synergies_are_told_with_their_weights() -> None:
    task = described(*ARM, "muscles.synergies=[{BIC*: 0.5, BRA: 1.0}, {TRI*: 2.0}]")
    assert [a.drives for a in task.actions] == [
        "BIClong × 0.5, BICshort × 0.5, BRA", "TRIlong × 2, TRIlat × 2, TRImed × 2",
    ]  # fmt: skip
    assert [a.name for a in task.actions] == ["synergy_0", "synergy_1"]


def test_actuators_are_told_with_what_they_exert(tmp_path: Path) -> None:
    driven = "+actuators.driven={lumbar_bending_torque: 0.5}"
    batch = environment(1, *biped.task(tmp_path, driven, "physics=opensim"))
    found = describe(batch).actions[-1]
    batch.close()
    assert found.name == "lumbar_bending_torque"
    assert found.drives == "lumbar_bending_torque (50 N m at 1)"
    assert (found.lowest, found.highest) == (-0.5, 0.5)


def test_an_environment_of_someone_elses_tells_its_names() -> None:
    toy = describe(ToyEnvironment(1))
    assert [o.name for o in toy.observations] == ["place", "age"]
    assert len(toy.tables()) == 2


@pytest.mark.parametrize("task", [("task=gym", "task.id=Pendulum-v1")])
def test_gymnasium_tasks_are_described_as_far_as_they_tell(
    command: Command, task: tuple[str, ...]
) -> None:
    answer = command(*task, main=describe_command)
    assert answer.code == 0, answer.err
    rows = [line.split() for line in answer.out.splitlines()]
    assert ["2", "observation/2", "-8", "8"] in rows
    assert ["0", "action/0", "-2", "2"] in rows
    assert ["truncated", "after", "200", "steps"] in rows
    assert "Reward" not in answer.out


def test_the_command_composes_as_the_main_job_does(command: Command) -> None:
    answer = command(*ARM, "reward.effort.weight=0.25", main=describe_command)
    assert answer.code == 0, answer.err
    rows = [line.split()[:2] for line in answer.out.splitlines()]
    assert ["0", "joint_angles/shoulder_flexion"] in rows
    assert ["effort", "0.25"] in rows
    assert np.isin(["Observation", "Action", "Reward", "Termination"], answer.out.split()).all()
    assert command("rewrd=walk", main=describe_command).refuses("did you mean reward")


@pytest.mark.parametrize("word", ["run.steps=many", "algo.discount=2", "seed=-1"])
def test_values_are_refused_as_by_the_main_job(command: Command, word: str) -> None:
    assert command("model=arm", word, main=describe_command).refuses(
        word.partition("=")[0].rpartition(".")[2]
    )
