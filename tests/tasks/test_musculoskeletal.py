import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
import tasks
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from numpy.testing import assert_allclose, assert_array_equal

from osimexp.arrays import Floats, Mask
from osimexp.errors import ConfigError, ModelError, SimulationError
from osimexp.models.fitted import read_note
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.prepare import PreparedModel, loaded, prepare
from osimexp.models.settings import ModelSettings
from osimexp.physics.backends import simulate
from osimexp.physics.reference.simulation import OpenSimSimulation
from osimexp.physics.settings import OpenSimSettings
from osimexp.physics.simulation import Simulation
from osimexp.tasks import musculoskeletal
from osimexp.tasks.adapters.single import MusculoskeletalEnv
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
from osimexp.tasks.scene import Frame
from osimexp.tasks.terms.terminations import BeyondFits

SHORT = ("task.duration=0.06",)
QUICK = {"arm": tasks.ARM, "walker": (*tasks.WALKER, "start=noisy")}


@pytest.mark.parametrize("overrides", QUICK.values(), ids=QUICK.keys())
@pytest.mark.filterwarnings("ignore:.*Box.*infinity.*:UserWarning")
def test_gymnasium_accepts_the_single_environment(overrides: tuple[str, ...]) -> None:
    env = MusculoskeletalEnv(tasks.specification(*overrides))
    check_env(env, skip_render_check=True)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("overrides", QUICK.values(), ids=QUICK.keys())
def test_the_batch_is_its_single_environments(overrides: tuple[str, ...], workers: int) -> None:
    """Step by step, over the ends of episodes, to the last digit."""
    task = tasks.specification(*overrides, *SHORT)
    batch = MusculoskeletalVectorEnv(task.with_workers(workers), 3)
    singles = [MusculoskeletalEnv(task) for _ in range(3)]
    observations, _ = batch.reset(seed=7)
    for b, single in enumerate(singles):
        assert_array_equal(single.reset(seed=7 + b)[0], observations[b])
    generator = np.random.default_rng(0)
    ends = 0
    for _ in range(15):
        actions = generator.uniform(-1, 1, batch.action_space.shape).astype(np.float32)
        observations, rewards, terminated, truncated, infos = batch.step(actions)
        for b, single in enumerate(singles):
            observation, reward, ended, cut, info = single.step(actions[b])
            assert (reward, ended, cut) == (rewards[b], terminated[b], truncated[b])
            if ended or cut:
                ends += 1
                assert infos["_final_obs"][b]
                assert_array_equal(infos["final_obs"][b], observation)
                for name, value in info["figures"].items():
                    assert infos["episode"][name][b] == value
                observation, _ = single.reset()
            assert_array_equal(observations[b], observation)
    assert ends >= 6
    batch.close()


def test_the_batch_says_how_it_resets() -> None:
    env = tasks.environment(1, *tasks.ARM)
    assert env.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert isinstance(env, gymnasium.vector.VectorEnv)


def test_the_time_limit_truncates_and_a_fall_terminates() -> None:
    env = tasks.environment(1, *tasks.ARM, *SHORT)
    env.reset(seed=0)
    ends = [env.step(np.zeros((1, 6), np.float32))[2:4] for _ in range(6)]
    assert [bool(cut[0]) for _, cut in ends] == [False] * 5 + [True]
    assert not any(ended[0] for ended, _ in ends)
    # A little below where it begins, so that it falls before long.
    env = tasks.environment(1, *tasks.WALKER, "termination.fallen.height=0.93", "start=default")
    env.reset(seed=0)
    for _ in range(100):
        _, _, terminated, truncated, infos = env.step(np.full((1, 18), -1.0, np.float32))
        if terminated[0]:
            break
    assert (terminated[0], truncated[0]) == (True, False)
    assert infos["episode"]["fallen"][0] == 1.0


def test_figures_of_an_episode_are_sums_over_its_steps() -> None:
    env = tasks.environment(1, *tasks.WALKER, "task.duration=0.05", "reward.effort.weight=2.0")
    env.reset(seed=0)
    way = env.scene.coordinate("pelvis_tx")
    before = env.frame.state.coordinates[0, way]
    total, efforts, infos = 0.0, [], {}
    while not infos:
        _, rewards, _, _, infos = env.step(np.zeros((1, 18), np.float32))
        total += rewards[0]
        if not infos:
            efforts.append(np.mean(env.frame.state.activations[0] ** 2))
    figures = {name: values[0] for name, values in infos["episode"].items()}
    assert figures["return"] == pytest.approx(total)
    assert figures["length"] == 5
    assert figures["time"] == pytest.approx(0.05)
    terms = sum(value for name, value in figures.items() if name.startswith("reward/"))
    assert terms == pytest.approx(total)
    assert figures["reward/effort"] == pytest.approx(-2.0 * 5 * figures["effort"])
    assert efforts[0] < figures["effort"] < 1.0
    assert figures["speed"] == pytest.approx(figures["distance"] / 0.05)
    assert abs(figures["distance"]) < 0.1
    assert before == pytest.approx(0.0, abs=0.1)


def test_a_failed_simulation_ends_its_episode_and_is_counted() -> None:
    env = tasks.environment(2, *tasks.ARM, "physics=opensim", "physics.highest_speed=2.0")
    env.reset(seed=0)
    actions = np.array([[1.0] * 6, [-1.0] * 6], dtype=np.float32)
    for _ in range(60):
        observations, rewards, terminated, truncated, infos = env.step(actions)
        assert np.isfinite(observations).all()
        assert np.isfinite(rewards).all()
        if terminated[0]:
            break
    assert not truncated[0]
    assert infos["episode"]["failed"][0] == 1.0
    assert env.counts()["failed_steps"] >= 1


def test_a_lost_worker_truncates() -> None:
    task = tasks.specification(*tasks.ARM, "physics=opensim").with_workers(1)
    env = MusculoskeletalVectorEnv(task, 1)
    env.reset(seed=0)
    assert isinstance(env.simulation, OpenSimSimulation)
    env.simulation.workers[0].process.kill()
    observations, _, terminated, truncated, _ = env.step(np.zeros((1, 6), np.float32))
    assert (terminated[0], truncated[0]) == (False, True)
    assert np.isfinite(observations).all()
    assert env.counts()["replaced_workers"] == 1
    env.close()


@pytest.mark.parametrize("overrides", QUICK.values(), ids=QUICK.keys())
def test_a_snapshot_goes_on_to_the_last_digit(overrides: tuple[str, ...]) -> None:
    first, second = (tasks.environment(2, *overrides, *SHORT) for _ in range(2))
    first.reset(seed=3)
    second.reset(seed=99)
    actions = np.random.default_rng(1).uniform(-1, 1, (20, *first.action_space.shape))
    for action in actions[:8]:
        observations, *_ = first.step(action)
    assert_array_equal(second.restore(first.snapshot()), observations)
    for action in actions[8:]:
        ours, theirs = first.step(action), second.step(action)
        for one, other in zip(ours[:4], theirs[:4], strict=True):
            assert_array_equal(one, other)
    assert first.counts() == second.counts()


def test_seeds_repeat_and_differ_and_zero_is_a_seed() -> None:
    env = tasks.environment(2, *tasks.ARM, "start=anywhere")
    zero, again, one = (env.reset(seed=seed)[0] for seed in (0, 0, 1))
    assert_array_equal(zero, again)
    assert_array_equal(zero[1], one[0])
    assert np.abs(zero[0] - zero[1]).max() > 1e-3
    following, _ = env.reset()
    assert np.abs(following - one).max() > 1e-3


def test_pickled_environments_behave_alike() -> None:
    env = MusculoskeletalEnv(tasks.specification(*tasks.ARM))
    copy = pickle.loads(pickle.dumps(env))
    assert_array_equal(env.reset(seed=5)[0], copy.reset(seed=5)[0])
    assert_array_equal(env.step(np.ones(6))[0], copy.step(np.ones(6))[0])
    batch = tasks.environment(2, *tasks.ARM)
    assert pickle.loads(pickle.dumps(batch)).num_envs == 2


def test_targets_can_be_reached() -> None:
    """Each is where the hand is in some pose of the workspace, so no farther than the arm."""
    env = tasks.environment(32, *tasks.ARM)
    env.reset(seed=0)
    targets = env.frame.targets
    assert len(np.unique(targets.round(6), axis=0)) == 32
    poses = np.stack(np.meshgrid(np.linspace(-0.6, 0.35, 60), np.linspace(0.3, 1.7, 60)), -1)
    points = env.simulation.kinematics(poses.reshape(-1, 2)).point_positions[:, 0]
    nearest = np.linalg.norm(targets[:, None] - points[None], axis=2).min(axis=1)
    assert nearest.max() < 0.02


def test_a_pose_in_the_floor_is_lifted_out_of_it() -> None:
    env = tasks.environment(
        1, *tasks.WALKER, "+model.poses.low={pelvis_ty: 0.5}", "start.poses=[low]"
    )
    env.reset(seed=0)
    coordinates = env.frame.state.coordinates
    assert env.simulation.kinematics(coordinates).clearance[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("physics", ["opensim", "compiled", "auto"])
def test_a_pose_in_the_floor_that_cannot_be_lifted_is_named_before_anything_is_compiled(
    monkeypatch: pytest.MonkeyPatch, physics: str
) -> None:
    def on_opensim(model: PreparedModel, settings: object, *rest: Any) -> Simulation:
        assert isinstance(settings, OpenSimSettings)
        return simulate(model, settings, *rest)

    def compiles(model: PreparedModel, settings: object) -> bool:
        return not isinstance(settings, OpenSimSettings)

    monkeypatch.setattr(musculoskeletal, "must_compile", compiles)
    monkeypatch.setattr(musculoskeletal, "simulate", on_opensim)
    with pytest.raises(ModelError, match=r"m in the floor; name the base"):
        tasks.environment(
            1,
            *tasks.WALKER,
            "model.base={body: null, height: null}",
            "+model.poses.low={pelvis_ty: 0.5}",
            "start.poses=[low]",
            f"physics={physics}",
        )


def test_noise_keeps_joints_in_their_ranges() -> None:
    env = tasks.environment(16, *tasks.WALKER, "start.angle_noise=1.0", "observation=kinematic")
    env.reset(seed=0)
    names = env.scene.names
    angles = env.frame.state.coordinates[:, names.rotational]
    ranges = names.ranges[names.rotational]
    assert (angles >= ranges[:, 0] - 1e-9).all()
    assert (angles <= ranges[:, 1] + 1e-9).all()
    assert np.ptp(angles, axis=0).min() > 0.1


def test_actions_that_are_no_numbers_are_refused() -> None:
    env = tasks.environment(1, *tasks.ARM)
    env.reset(seed=0)
    with pytest.raises(SimulationError, match="The controller gave nan in environment 0, 0 steps"):
        env.step(np.full((1, 6), np.nan, np.float32))


@dataclass(frozen=True)
class Spoilt:
    """A term of a user's that is not a number in one environment, from a time on."""

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float = 1.0
    value: float = np.nan
    columns_given: int = 0

    def __call__(self, frame: Frame) -> Floats:
        late = (frame.state.time > 0.05) & (np.arange(len(frame.state.time)) == 1)
        values = np.where(late, self.value, 1.0)
        return np.tile(values[:, None], self.columns_given) if self.columns_given else values


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    ("group", "columns", "said"),
    [
        ("reward", 0, r"reward\.mine gave (nan|inf) in environment 1, 3 steps into its episode"),
        ("observation", 2, r"observation\.mine gave (nan|inf) in environment 1, 3 steps into"),
    ],
)
def test_the_first_number_that_is_not_finite_ends_it_by_name(
    group: str, columns: int, said: str, value: float
) -> None:
    task = tasks.specification(*tasks.ARM, "task.control_period=0.02")
    terms = {**getattr(task, group), "mine": Spoilt(value=value, columns_given=columns)}
    env = MusculoskeletalVectorEnv(replace(task, **{group: terms}), 2)
    env.reset(seed=0)
    still = np.zeros((2, 6), np.float32)
    env.step(still), env.step(still)
    with pytest.raises(SimulationError, match=said):
        env.step(still)


def test_what_a_model_cannot_do_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"reward\.velocity rewards travelling, and no"):
        tasks.environment(1, "model=arm", "reward=velocity", "workers=none")
    said = r"by termination\.fallen \(its base body is 0\.9\d+ m high and its trunk leans by"
    with pytest.raises(ConfigError, match=said):
        tasks.environment(2, *tasks.WALKER, "termination.fallen.height=2.0")


def test_joints_beyond_what_the_fitted_paths_hold_end_an_episode() -> None:
    env = tasks.environment(1, *tasks.WALKER, "termination=none", "start=default")
    holds = read_note(env.model_xml).holds
    column = env.scene.names.coordinates.index("knee_angle_r")
    low = env.scene.names.ranges[column, 0]
    for beyond, over in ((-0.01, False), (0.01, True)):
        env.reset(seed=0)
        frame = env.frame
        frame.state.coordinates[0, column] = low - holds["knee_angle_r"] - beyond
        assert BeyondFits(env.scene, holds)(frame)[0] == over


def test_a_body_without_contact_is_said_to_fall(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "walker.osim"
    with loaded(tasks.prepared(*tasks.WALKER).xml) as model:
        forces = model.updForceSet()
        for i in reversed(range(forces.getSize())):
            if "SmoothSphere" in forces.get(i).getConcreteClassName():
                forces.remove(i)
        model.printToXML(str(file))
    prepare(ModelSettings(path=str(file)), MuscleSet())
    assert "has no contact force, so that nothing carries it" in caplog.text
    assert "pelvis_tx, pelvis_ty" in caplog.text


@pytest.mark.parametrize(
    ("group", "columns", "said"),
    [
        ("reward", 2, r"reward\.mine gave an array of shape \(1, 2\) for 1 .* not \(1,\)"),
        ("observation", 0, r"observation\.mine gave an array of shape \(1,\)"),
    ],
)
def test_terms_of_another_shape_are_named(group: str, columns: int, said: str) -> None:
    task = tasks.specification(*tasks.ARM)
    terms = {**getattr(task, group), "mine": Spoilt(columns_given=columns)}
    with pytest.raises(ConfigError, match=said):
        MusculoskeletalVectorEnv(replace(task, **{group: terms}), 1)


def test_observations_are_the_terms_side_by_side() -> None:
    env = tasks.environment(2, *tasks.ARM, "observation=kinematic")
    observations, _ = env.reset(seed=0)
    state = env.frame.state
    hand = state.point_positions[:, 0]
    expected = np.concatenate(
        [state.coordinates, state.speeds * 0.1, env.frame.targets - hand], axis=1
    )
    assert_allclose(observations, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("reward.effort.weight=heavy",), r"reward\.effort\.weight.*number.*'heavy'"),
        (("reward.effort.power=-1",), "power must be above 0"),
        (("start.poses=[sitting]",), "no pose 'sitting'"),
        (("observation.target_offset.point=foot",), "no point 'foot'"),
        (("reward.effort.weight=nan",), r"reward\.effort\.weight must be a finite number"),
        (("task.duration=inf",), r"task\.duration must be a finite number"),
        (("+model.base.heigth=pelvis_ty",), "did you mean height"),
        (("task.control_period=0",), "control_period must be at least 0.0001 s"),
        (("task.control_period=1e-300",), "control_period must be at least 0.0001 s"),
        (("physics=opensim", "physics.accuracy=1e-300"), "accuracy must be at least 1e-10"),
        (("physics=opensim", "physics.minimum_step=1e-300"), "minimum_step must be at least 1e-10"),
        (("physics=compiled", "physics.tolerance=1e-300"), "tolerance must be at least 1e-12"),
        (("physics=compiled", "physics.maximum_step=1e-300"), "maximum_step must be at least"),
        (("model.muscle_model=hill",), "muscle_model"),
        (("+reward.effort.wieght=1",), "did you mean weight"),
        (("reward.effort._target_=osimexp.tasks.terms.rewards.Efort",), "cannot be imported"),
    ],
)
def test_configs_that_do_not_fit_are_named(overrides: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        tasks.environment(1, *tasks.ARM, *overrides)


def test_gymnasiums_own_statistics_can_be_recorded() -> None:
    env = gymnasium.wrappers.RecordEpisodeStatistics(
        MusculoskeletalEnv(tasks.specification(*tasks.ARM, *SHORT))
    )
    env.reset(seed=0)
    rewards = []
    for _ in range(6):
        _, reward, _, truncated, info = env.step(np.zeros(6, np.float32))
        rewards.append(reward)
    assert truncated
    assert info["episode"]["r"] == pytest.approx(sum(rewards))
    assert info["figures"]["return"] == pytest.approx(sum(rewards))


def test_joints_out_of_range_are_no_fall() -> None:
    env = tasks.environment(1, *tasks.WALKER, "termination.out_of_range.margin=-3.0")
    env.reset(seed=0)
    _, _, terminated, _, infos = env.step(np.zeros((1, 18), np.float32))
    assert terminated[0]
    assert infos["episode"]["fallen"][0] == 0.0


@dataclass(frozen=True)
class FirstStep:
    READS: ClassVar[frozenset[str]] = frozenset()
    TRAINING_ONLY: ClassVar[bool] = False

    def __call__(self, frame: Frame) -> Mask:
        return frame.state.time > 0.0


@dataclass(frozen=True)
class Toppled(FirstStep):
    FALL: ClassVar[bool] = True


@pytest.mark.parametrize(("term", "fallen"), [(FirstStep(), 0.0), (Toppled(), 1.0)])
def test_terminations_of_the_users_own_are_falls_where_they_say_so(
    term: FirstStep, fallen: float
) -> None:
    task = replace(tasks.specification(*tasks.WALKER), termination={"mine": term})
    env = MusculoskeletalVectorEnv(task, 1)
    env.reset(seed=0)
    _, _, terminated, _, infos = env.step(np.zeros((1, 18), np.float32))
    assert terminated[0]
    assert infos["episode"]["fallen"][0] == fallen
