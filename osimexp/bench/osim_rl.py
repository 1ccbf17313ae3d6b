"""The tasks of osim-rl, patched from outside to run with today's OpenSim, NumPy and SciPy.

osim-rl leaks memory, prints and changes global state, so each of its environments steps in a
process of its own: ``python -m osimexp.bench.osim_rl FOLDER CLASS``. Every line on the standard
input of that process is a number of seconds to step for; it answers each line by one line of JSON
with a ``Timing``. No code of osim-rl is here.
"""

import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import osimexp
from osimexp.bench.timing import Stepper, Timing
from osimexp.errors import ConfigError, SimulationError

STALL = 0.5  # s; a step of osim-rl that takes longer is counted separately and ends its episode
WARM_UP = 0.5  # s


def folder_with(environment: str, folders: Sequence[Path]) -> Path | None:
    """Return the first of the folders whose osim-rl has an environment of this name.

    Raises:
        ConfigError: a folder has no osim-rl.
    """
    for folder in folders:
        sources = list((folder / "osim" / "env").glob("*.py"))
        if not sources:
            raise ConfigError(
                f"bench.osim_rl: {folder} has no osim-rl; "
                f"pip install --no-deps --target {folder} osim-rl puts it there."
            )
        if any(f"class {environment}(" in source.read_text("utf-8") for source in sources):
            return folder
    return None


@contextmanager
def osim_rl_stepper(folder: Path, environment: str) -> Iterator[Stepper]:
    """Start a process with one of osim-rl's environments, and yield a function that steps it.

    Raises:
        SimulationError: the process ended.
    """
    paths = [str(Path(osimexp.__file__).parents[1]), os.environ.get("PYTHONPATH")]
    surroundings = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", __name__, str(folder.resolve()), environment]
    with (
        tempfile.TemporaryDirectory(prefix="osimexp-") as place,  # OpenSim writes a log there
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=place,
            env=os.environ | surroundings,
        ) as process,
    ):
        told, answers = process.stdin, process.stdout
        assert told is not None
        assert answers is not None

        def run(seconds: float) -> Timing:
            print(seconds, file=told, flush=True)
            if not (line := answers.readline()):
                raise SimulationError(f"osim-rl's {environment} ended; its error is printed above.")
            return Timing(**json.loads(line))

        run(WARM_UP)
        yield run


def osim_rl_step(environment: Any) -> Stepper:
    """Return a function that steps an environment with random actions, episode after episode."""
    # Later versions return the whole state as a dictionary unless the observation is asked for.
    vector = "obs_as_dict" in environment.step.__code__.co_varnames
    options = {"obs_as_dict": False} if vector else {}
    generator = np.random.default_rng(0)
    environment.reset(**options)

    def run(seconds: float) -> Timing:
        spent, steps, failed, stalls, stalled = 0.0, 0, 0, 0, 0.0
        while spent < seconds:
            action = generator.uniform(0.0, 1.0, environment.get_action_space_size())
            before = time.perf_counter()
            try:
                done = environment.step(action, **options)[2]
            except RuntimeError:  # OpenSim raises it when its integrator gives up.
                done, failed = True, failed + 1
            stall = time.perf_counter() - before
            if done or stall > STALL:
                environment.reset(**options)
            if stall > STALL:
                stalls, stalled = stalls + 1, stalled + stall
                continue
            spent += time.perf_counter() - before
            steps += 1
        return Timing(steps, spent, failed, stalls, stalled)

    return run


def made(folder: Path, name: str) -> Any:
    """Import osim-rl from a folder, patch its dependencies, and return one of its environments."""
    sys.path.append(str(folder))
    stand_in_for_gym()
    stand_in_for_interp2d()
    environments: Any = importlib.import_module("osim.env")
    opensim: Any = importlib.import_module("osim.env.osim").opensim
    opensim.Logger.setLevelString("error")
    name_actuators_by_path(opensim.PrescribedController)
    if (folder / "envs" / "target").is_dir():
        let_diff_give_a_number(importlib.import_module("envs.target.v_tgt_field"))
    random.seed(0)  # osim-rl draws from the global generators.
    np.random.seed(0)  # noqa: NPY002
    return getattr(environments, name)(visualize=False)


def stand_in_for_gym() -> None:
    """Provide a module ``gym`` with the two names that osim-rl uses of that package."""

    class Env:
        pass

    class Box:
        def __init__(self, low: Any, high: Any) -> None:
            self.low, self.high = low, high

    gym: Any = ModuleType("gym")
    gym.spaces = ModuleType("gym.spaces")
    gym.Env, gym.spaces.Box = Env, Box
    sys.modules |= {"gym": gym, "gym.spaces": gym.spaces}


def name_actuators_by_path(controller: Any) -> None:
    """Let functions of a controller be set by number, as before OpenSim 4.6, which needs paths."""
    add, prescribe = controller.addActuator, controller.prescribeControlForActuator

    def add_actuator(self: Any, actuator: Any) -> None:
        vars(self).setdefault("added", []).append(actuator.getAbsolutePathString())
        add(self, actuator)

    def prescribe_by_number(self: Any, number: int, function: Any) -> None:
        prescribe(self, vars(self)["added"][number], function)

    controller.addActuator = add_actuator
    controller.prescribeControlForActuator = prescribe_by_number


def stand_in_for_interp2d() -> None:
    """Provide ``scipy.interpolate.interp2d``, removed in SciPy 1.14, for linear grids alone."""
    try:
        interpolate: Any = importlib.import_module("scipy.interpolate")
    except ModuleNotFoundError:
        return  # Only L2M2019Env needs it, and it reports the missing package itself.

    class Interpolation:
        def __init__(self, x: Any, y: Any, z: Any, kind: str) -> None:
            assert kind == "linear"
            self._spline = interpolate.RectBivariateSpline(x, y, z.T, kx=1, ky=1)

        def __call__(self, x: float, y: float) -> Any:
            return self._spline(x, y)[0]

    interpolate.interp2d = Interpolation


def let_diff_give_a_number(module: Any) -> None:
    """Replace a module's NumPy by one whose ``diff`` of two numbers is a number."""
    numpy: Any = ModuleType("numpy")
    vars(numpy).update(vars(np))
    numpy.diff = lambda pair: np.diff(pair).item()
    module.np = numpy


def main() -> None:
    """Step an environment for each time that is read from standard input."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    with Path(os.devnull).open("w") as silence:  # osim-rl prints its targets.
        os.dup2(silence.fileno(), sys.stdout.fileno())
    run = osim_rl_step(made(Path(sys.argv[1]), sys.argv[2]))
    for line in sys.stdin:
        print(json.dumps(asdict(run(float(line)))), file=answers, flush=True)


if __name__ == "__main__":
    main()
