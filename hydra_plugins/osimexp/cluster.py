"""``hydra/launcher=ray``: each job of a sweep is a task on a Ray cluster.

hydra-ray-launcher is similar, but needs a cloudpickle of 2023 that current releases of joblib
refuse, and it does not repeat a job whose node was lost.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, filter_overrides, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_plugins.osimexp.lost_jobs import given_up, job_config
from osimexp.terminal import say


class RayLauncher(Launcher):
    """A launcher that sends jobs to a Ray cluster and waits for all of them.

    The folder of the sweep, and the folder that the command was started in, must be the same on
    every node.

    Args:
        address: address of the cluster, see ``osimexp.physics.remote.cluster.ray_at``.
        cpus: processors that a job takes.
        retries: number of repetitions of a job whose node was lost.
    """

    def __init__(self, address: str, cpus: float, retries: int) -> None:
        self._address, self._cpus, self._retries = address, cpus, retries

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Store the arguments for ``launch``."""
        self._context, self._task, self._config = hydra_context, task_function, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs; a job that is lost after all retries returns NaN; the others are kept."""
        from osimexp.physics.remote.cluster import ray_at

        ray = ray_at(self._address)
        setup_globals()
        folder = Path(str(self._config.hydra.sweep.dir))
        folder.mkdir(parents=True, exist_ok=True)
        task = ray.remote(num_cpus=self._cpus, max_retries=self._retries)(_run)
        sent = []
        for number, overrides in enumerate(job_overrides, initial_job_idx):
            say(f"Job {number}: {' '.join(filter_overrides(overrides))}")
            config = job_config(self._context, self._config, number, overrides)
            state = Singleton.get_state()
            sent.append(task.remote(self._context, config, self._task, state, str(Path.cwd())))
        returns = []
        for number, (answer, overrides) in enumerate(
            zip(sent, job_overrides, strict=True), initial_job_idx
        ):
            try:
                returns.append(ray.get(answer))
            except ray.exceptions.RayError as error:
                why = str(error).splitlines()[0].rstrip(".")
                returns.append(given_up(self._context, self._config, number, overrides, why))
        return returns


def _run(
    context: HydraContext, config: DictConfig, task: TaskFunction, state: Any, folder: str
) -> JobReturn:
    """Run one job in a process of the cluster."""
    os.chdir(folder)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # As python -m does, so that the user's own terms are found.
    setup_globals()
    Singleton.set_state(state)
    HydraConfig.instance().set_config(config)
    return run_job(
        hydra_context=context,
        task_function=task,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
