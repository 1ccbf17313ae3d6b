"""Steps a second of a batch on a Ray cluster of two nodes of this machine, and of none.

Each node has one processor. Rounds go through all candidates, each second one backwards. At the end
a node is killed while the batch is stepped.
"""

import contextlib
import csv
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median

import numpy as np
from ray.cluster_utils import Cluster

from osimexp.bench.timing import simulation_stepper
from osimexp.models.prepare import prepare
from osimexp.physics.backends import simulate
from osimexp.physics.simulation import Simulation, Start
from osimexp.tasks.compose import composed
from osimexp.tasks.specification import Specification

ROUNDS, SECONDS = 5, 3.0
WORK = (("opensim", 16), ("compiled", 256), ("lanes", 256))


def simulation(physics: str, batch: int, *workers: str) -> Simulation:
    """Return a batch of walkers simulated as ``workers`` say."""
    words = ("model=gait2d", "reward=walk", f"physics={physics}", *workers)
    task = Specification.from_config(composed(*words))
    model = prepare(task.model, task.muscles)
    return simulate(model, task.physics, task.workers, batch, 0.02, task.reads)


def kill(cluster: Cluster) -> None:
    """Kill all processes of the second node."""
    (node,) = cluster.worker_nodes
    (raylet,) = node.all_processes["raylet"]
    listed = subprocess.run(["ps", "-A", "-o", "ppid=,pid="], capture_output=True, check=True)
    pairs = [map(int, line.split()) for line in listed.stdout.splitlines()]
    own = [pid for parent, pid in pairs if parent == raylet.process.pid]
    cluster.remove_node(node, allow_graceful=False)
    for pid in own:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Measure on a cluster of two nodes, and after one of them is lost."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    ray = ("workers=ray", f"workers.cluster={cluster.address}")
    rows = []
    with ExitStack() as stack:
        steppers = {
            (physics, batch, name): simulation_stepper(
                stack.enter_context(closing(simulation(physics, batch, *words)))
            )
            for physics, batch in WORK
            for name, words in (("cores", ("workers=cores", "workers.count=2")), ("ray", ray))
        }
        for turn in range(ROUNDS):
            for key, run in list(steppers.items())[:: -1 if turn % 2 else 1]:
                timing = run(SECONDS)
                rows.append([*key, turn, timing.steps, round(timing.seconds, 4)])
    with Path(sys.argv[1]).open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["physics", "batch", "workers", "round", "steps", "seconds"])
        writer.writerows(rows)
    for physics, batch in WORK:
        rates = {
            name: [r[4] / r[5] for r in rows if r[0] == physics and r[2] == name]
            for name in ("cores", "ray")
        }
        ratio = median(b / a for a, b in zip(rates["cores"], rates["ray"], strict=True))
        print(
            f"{physics} ({batch}): cores {median(rates['cores']):.0f} steps/s, "
            f"ray {median(rates['ray']):.0f} steps/s, ratio {ratio:.2f}"
        )
    with closing(simulation("lanes", 256, *ray)) as there:
        pose = np.tile(there.names.default_pose, (256, 1))
        rest = np.full((256, len(there.names.muscles)), 0.05)
        start = Start(pose, np.zeros_like(pose), rest)
        there.reset(np.ones(256, bool), start)
        times = []
        for step in range(300):
            if step == 100:
                kill(cluster)
            before = time.perf_counter()
            lost = there.step(rest).lost.copy()
            if lost.any():
                there.reset(lost, Start(pose[lost], np.zeros_like(pose[lost]), rest[lost]))
                print(f"step {step}: {lost.sum()} of 256 episodes ended")
            times.append(time.perf_counter() - before)
        print(
            f"a step took {median(times[:100]) * 1e3:.1f} ms before, {max(times):.1f} s where the "
            f"node was lost, and {median(times[-100:]) * 1e3:.1f} ms after"
        )


if __name__ == "__main__":
    main()
