"""``python -m osimexp.gait`` on a reach and on the recorded walk of the reference models."""

import csv
from pathlib import Path

import numpy as np
import pytest
from commands import Command
from tasks import normal_gait, prepared, reference, written_gait

from osimexp.cli import gait
from osimexp.experiment.showing import from_file
from osimexp.motion.tables import Table, write_table

GRAVITY = 9.80665


@pytest.fixture
def recorded() -> dict[str, str]:
    """The overrides that replay the recorded walk on the model it belongs to."""
    stem = reference("gait10dof18musc_subject01.osim").with_suffix("")
    return {
        "movement": f"{stem}_walk_IK.mot",
        "ground_reactions": f"{stem}_walk_grf.mot",
        "model": "file",
        "model.path": f"{stem}.osim",
    }


def plates(path: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read the force plates by hand: time and the vertical force of each side."""
    lines = Path(path).read_text(encoding="utf-8").split("endheader")[1].strip().splitlines()
    names = lines[0].split()
    values = np.array([line.split() for line in lines[1:]], dtype=float)
    columns = {"right": "ground_force_vy", "left": "1_ground_force_vy"}
    return values[:, 0], {s: values[:, names.index(c)] for s, c in columns.items()}


def rises(time: np.ndarray, force: np.ndarray, level: float) -> np.ndarray:
    """Return when a force rises above a level."""
    k = np.flatnonzero((force[:-1] <= level) & (force[1:] > level))
    share = (level - force[k]) / (force[k + 1] - force[k])
    return np.asarray(time[k] + share * (time[k + 1] - time[k]))


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_recorded_walk_agrees_with_its_data(
    command: Command, place: Path, recorded: dict[str, str]
) -> None:
    answer = command(*(f"{k}={v}" for k, v in recorded.items()), "output=out", main=gait.main)
    assert answer.code == 0, answer.err
    # The subject of 72.6 kg walked on a treadmill with a plate under each foot, so that every
    # contact of 2.5 s is there. The right foot strikes at 0.62 and 1.86 s, the left one at 0.00,
    # 1.25 and 2.46 s: one whole right stride and two left ones. The command sees the forces at the
    # 60 Hz of the joint angles and the data have 600 Hz, hence 3 ms.
    weight = 72.6 * GRAVITY
    time, force = plates(recorded["ground_reactions"])
    strides = rows(place / "out" / "strides.csv")
    for side, expected in (("right", [0.62, 1.86]), ("left", [0.0, 1.25, 2.46])):
        by_hand = rises(time, force[side], 0.05 * weight)
        np.testing.assert_allclose(by_hand, expected, atol=0.01)
        mine = [row for row in strides if row["side"] == side]
        found = [float(row["heel_strike"]) for row in mine]
        found.append(float(mine[-1]["next_heel_strike"]))
        np.testing.assert_allclose(found, by_hand, atol=0.003)
    numbers = {row["parameter"]: row for row in rows(place / "out" / "parameters.csv")}

    def number(key: str, column: str) -> float:
        return float(numbers[key][f"{column}_mean"])

    # The right stance: 0.6224 to 1.4098 s, where the force falls below 3% of the weight.
    strikes = rises(time, force["right"], 0.05 * weight)
    offs = -rises(-time[::-1], force["right"][::-1], 0.03 * weight)[::-1]
    off = offs[offs > strikes[0]][0]
    assert number("stride_time", "right") == pytest.approx(strikes[1] - strikes[0], abs=0.005)
    share = 100.0 * (off - strikes[0]) / (strikes[1] - strikes[0])
    assert number("stance_share", "right") == pytest.approx(share, abs=0.4)
    assert number("cadence", "both") == pytest.approx(97.4, abs=0.1)
    # Peaks of the right stance in body weights, before and after its middle.
    middle = (strikes[0] + off) / 2.0
    for key, start, end in (("first_peak", strikes[0], middle), ("second_peak", middle, off)):
        inside = (time >= start) & (time <= end)
        peak = force["right"][inside].max() / weight
        assert number(key, "right") == pytest.approx(peak, abs=0.005)
    # On a belt the speed is that of the feet on the ground, and strides are as long as it takes.
    speed = number("speed", "both")
    assert speed == pytest.approx(
        number("stride_length", "right") / (strikes[1] - strikes[0]), 0.03
    )
    assert "treadmill" in answer.out
    # Knee flexion is negative in this model: -69 degrees in swing.
    assert number("knee_most_in_swing", "right") == pytest.approx(69.4, abs=0.3)


def test_a_walk_without_forces_is_drawn_over_time(
    command: Command, place: Path, recorded: dict[str, str]
) -> None:
    del recorded["ground_reactions"]
    answer = command(*(f"{k}={v}" for k, v in recorded.items()), main=gait.main)
    assert answer.code == 0, answer.err
    assert "no ground reactions" in answer.out
    folder = place / "gait10dof18musc_subject01_walk_IK_gait"
    assert {file.name for file in folder.iterdir()} == {"movement.png", "movement.csv"}


def test_a_reach_is_drawn_with_its_distance_to_the_target(command: Command, place: Path) -> None:
    trained = command(
        "experiment=reach_sac", "run.steps=60", "run.folder=reach", "run.threads=1", "workers=none",
        "algo.learning_starts=20", "algo.hidden_sizes=[8]", "run.evaluation.every=60",
        "run.evaluation.episodes=1", "run.evaluation.final_episodes=1",
    )  # fmt: skip
    assert trained.code == 0, trained.err
    answer = command("run=reach", main=gait.main)
    assert answer.code == 0, answer.err
    assert "No strides can be found" in answer.out
    table = rows(place / "reach" / "gait" / "movement.csv")
    assert float(table[-1]["time"]) == pytest.approx(2.0)
    # The hand's way to the target of a reach begins within the arm's length.
    assert 0.0 < float(table[0]["distance_hand"]) < 0.7
    assert {"position_elbow_flexion", "activation_BICshort", "excitation_BRA"} <= set(table[0])


def test_a_walk_of_the_packaged_model_with_plates_in_any_order(
    command: Command, place: Path
) -> None:
    walk = written_gait(place, 4.0, treadmill=True, pelvis_ty=0.92)
    model = prepared("model=gait2d", "reward=walk")
    made = from_file(walk, model)
    time, period = made.movement.time, normal_gait().period
    columns, values = [], []
    # The plate of the left foot, which is half a stride late, comes first. Both strike at phase 0.
    for number, (side, shift) in enumerate((("l", 0.8), ("r", 0.3)), start=1):
        foot = made.poses.bodies[:, made.figure.bodies.index(f"foot_{side}"), :3, 3]
        stands = (shift + time / period) % 1.0 < 0.6
        force = np.zeros((len(time), 3))
        force[:, 1] = np.where(stands, 700.0, 0.0)
        values += [force, foot + np.array([0.05, 0.0, 0.0])]
        columns += [f"ground_force{number}_{kind}{axis}" for kind in "vp" for axis in "xyz"]
    write_table(place / "grf.mot", Table("grf", tuple(columns), time, np.hstack(values)))
    answer = command(
        f"movement={walk}", "ground_reactions=grf.mot", "model=gait2d", "output=out",
        main=gait.main,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "ground_force1: left; ground_force2: right" in answer.out
    assert "treadmill" in answer.out
    numbers = {row["parameter"]: row for row in rows(place / "out" / "parameters.csv")}
    for side in ("right", "left"):
        found = float(numbers["stride_time"][f"{side}_mean"])
        assert found == pytest.approx(period, abs=0.02)
        # Edges between two samples lengthen a stance by nearly both of them, here 10 ms each.
        longer = 100.0 * 2.0 * 0.02 / period
        both = float(numbers["double_support"][f"{side}_mean"])
        assert 19.0 < both < 21.0 + longer
    # 0.7 of the cycle to the right foot's first strike.
    first = next(row for row in rows(place / "out" / "strides.csv") if row["side"] == "right")
    assert float(first["heel_strike"]) == pytest.approx(0.7 * period, abs=0.02)


def test_mistakes_end_in_one_sentence(command: Command) -> None:
    for arguments, words in (
        ((), ("give a run",)),
        (("run=nowhere",), ("nowhere",)),
        (("run=nowhere", "contact.strikes=0.1"), ("strikes",)),
    ):
        answer = command(*arguments, main=gait.main)
        assert answer.refuses(*words), answer.err
