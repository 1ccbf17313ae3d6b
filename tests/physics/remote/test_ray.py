"""Sweeps and the simulations of one run on a Ray cluster of two nodes of this machine."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
import tasks
from commands import SMALL_PPO, SMALL_SAC, SUPPORT, TESTS, Command, metrics, wait_for
from ray.cluster_utils import Cluster

from osimexp.errors import ModelError
from osimexp.experiment.run_folder import RunFolder
from osimexp.models.prepare import prepare
from osimexp.physics.backends import simulate
from osimexp.physics.simulation import Start

JOBS = ("-m", *(word for word in SMALL_SAC if not word.startswith("run.folder")))
# A node whose processes are gone is held to be lost after some 3 s.
NOTICED_SOON = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_failure_threshold": 3,
}
Started = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def head() -> Iterator[Cluster]:
    """The one node of a cluster that no test takes away, with a processor."""
    with pytest.MonkeyPatch.context() as patch:
        # Nodes have the package where their processes find it, and here the tests' toy, too.
        patch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS.parent), str(SUPPORT)]))
        head_node = {"num_cpus": 1, "_system_config": NOTICED_SOON}
        started = Cluster(initialize_head=True, head_node_args=head_node)
        yield started
        started.shutdown()


@pytest.fixture
def cluster(head: Cluster) -> Iterator[Cluster]:
    """Two nodes with a processor each; tests may take the second away."""
    if not head.worker_nodes:
        head.add_node(num_cpus=1)
    head.wait_for_nodes()  # One that a test took away may count as alive for a while.
    yield head
    ray.shutdown()


def environment(*overrides: str, size: int = 6) -> Any:
    return tasks.environment(size, "model=arm", "reward=reach", *overrides)


def rollout(env: Any, steps: int, between: Callable[[int], None] = lambda step: None) -> list[Any]:
    generator = np.random.default_rng(0)
    env.reset(seed=3)
    found = []
    for step in range(steps):
        between(step)
        actions = generator.uniform(-1, 1, (env.num_envs, env.single_action_space.shape[0]))
        observations, rewards, _, truncated, _ = env.step(actions.astype(np.float32))
        found.append((observations, rewards, truncated))
    return found


@pytest.mark.parametrize("physics", ["compiled", "opensim"])
def test_a_cluster_simulates_the_same_and_outlives_a_node(cluster: Cluster, physics: str) -> None:
    there = f"workers.cluster={cluster.address}"
    with closing(environment("workers=none", f"physics={physics}")) as env:
        alone = rollout(env, 30)
        snapshot = env.snapshot()
        beyond = rollout_on(env)
    with closing(environment("workers=ray", there, f"physics={physics}")) as env:
        assert env.backend.name == physics
        together = rollout(env, 30)
        for one, other in zip(alone, together, strict=True):
            for a, b in zip(one, other, strict=True):
                np.testing.assert_array_equal(a, b)
        # A snapshot is of the batch, whatever it is simulated by.
        env.restore(snapshot)
        for a, b in zip(beyond, rollout_on(env), strict=True):
            np.testing.assert_array_equal(a, b)
        # Each node has a half of the batch.
        broken = rollout(env, 30, lambda step: lose_a_node(cluster) if step == 10 else None)
        (when,) = (step for step, (_, _, truncated) in enumerate(broken) if truncated.any())
        assert when >= 10
        lost = broken[when][2]
        assert sorted([lost[:3].tolist(), lost[3:].tolist()]) == [[False] * 3, [True] * 3]
        for (a, _, _), (b, _, _) in zip(alone, broken, strict=True):
            np.testing.assert_array_equal(a[~lost], b[~lost])
        assert env.counts()["replaced_workers"] == 1
        assert np.isfinite(broken[-1][0]).all()
        env.restore(env.snapshot())


def lose_a_node(cluster: Cluster) -> None:
    """Kill all processes of the second node, as when a machine is lost."""
    (node,) = cluster.worker_nodes
    (raylet,) = node.all_processes["raylet"]
    listed = subprocess.run(["ps", "-A", "-o", "ppid=,pid="], capture_output=True, check=True)
    pairs = [map(int, line.split()) for line in listed.stdout.splitlines()]
    own = [pid for parent, pid in pairs if parent == raylet.process.pid]
    cluster.remove_node(node, allow_graceful=False)
    for pid in own:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def rollout_on(env: Any) -> list[np.ndarray]:
    actions = np.full((env.num_envs, env.single_action_space.shape[0]), 0.2, np.float32)
    return [env.step(actions)[0] for _ in range(5)]


def test_what_a_process_refuses_is_said_as_here(cluster: Cluster) -> None:
    said = []
    for words in (("workers=none",), ("workers=ray", f"workers.cluster={cluster.address}")):
        task = tasks.specification("model=arm", "reward=reach", "physics=compiled", *words)
        model = prepare(task.model, task.muscles)
        simulation = simulate(model, task.physics, task.workers, 2, 0.01, frozenset())
        nowhere = np.full((2, 2), np.nan)
        start = Start(nowhere, nowhere, np.full((2, 6), 0.05))
        with closing(simulation), pytest.raises(ModelError) as error:
            simulation.reset(np.ones(2, bool), start)
        said.append(str(error.value))
    assert said[0] == said[1]
    assert said[0].startswith("No episode can start at")


def test_a_run_outlives_a_node_and_says_so(cluster: Cluster, started: Started, place: Path) -> None:
    words = [word for word in SMALL_PPO if not word.startswith(("task=", "--config", "run.steps"))]
    process = started(
        *words, "model=arm", "reward=reach", "workers=ray", f"workers.cluster={cluster.address}",
        "run.steps=2000", "run.evaluation.every=100000", "run.log.every=100",
        "task.duration=0.5", "run.evaluation.images=false",
    )  # fmt: skip
    patience = time.monotonic() + 120.0
    file = Path("run/metrics.csv")
    while not file.is_file() or len(file.read_text().splitlines()) < 4:
        assert time.monotonic() < patience
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    lose_a_node(cluster)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert float(metrics(Path("run"))[-1]["counts/replaced_workers"]) >= 1


def test_a_sweep_on_a_cluster_is_the_same(
    cluster: Cluster, started: Started, command: Command, place: Path
) -> None:
    assert command(*JOBS, "seed=0,1", "hydra.sweep.dir=whole").code == 0
    launcher = ("hydra/launcher=ray", f"hydra.launcher.address={cluster.address}")
    process = started(*JOBS, "seed=0,1,-1", *launcher, "hydra.sweep.dir=sweep")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 1, err
    assert "Sweep sweep: 2 finished, 1 failed." in out
    for seed in (0, 1):
        name = f"{seed}_gait2d_velocity_sac_s{seed}"
        assert metrics(Path("sweep") / name) == metrics(Path("whole") / name)


def test_a_job_whose_node_is_lost_goes_on_elsewhere(
    cluster: Cluster, started: Started, place: Path
) -> None:
    launcher = ("hydra/launcher=ray", f"hydra.launcher.address={cluster.address}")
    gate = place / "go"
    words = (*JOBS, "seed=0,1", f"task.gate={gate}", *launcher, "hydra.sweep.dir=sweep")
    process = started(*words)
    folders = [Path(f"sweep/{seed}_gait2d_velocity_sac_s{seed}") for seed in (0, 1)]
    for folder in folders:
        wait_for(folder / "checkpoints/latest.pt", process)
    lose_a_node(cluster)
    gate.touch()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "Sweep sweep: 2 finished, 0 failed." in out
    resumed = [bool(RunFolder.open(folder).record().get("resumed")) for folder in folders]
    assert sum(resumed) == 1


def test_no_cluster_is_said(command: Command) -> None:
    words = ("model=arm", "reward=reach", "workers=ray", "workers.cluster=127.0.0.1:1")
    assert command(*words).refuses("no Ray cluster at '127.0.0.1:1'", "ray start --head")
