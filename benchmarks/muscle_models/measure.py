"""Measure what the choice of muscles, tendons, paths and integrator costs and how exact it is.

Run ``python benchmarks/muscle_models/measure.py > results.csv`` from the repository's root, with
``OMP_NUM_THREADS=1`` and nothing else running; it takes several minutes on one core.

A step is 10 ms of simulated time under excitations drawn evenly from [0, 1] anew for each, with
all that an environment must do in Python: set excitations, integrate, read the state. An episode
of the arm takes 1 s; one of the walker begins in standing and ends after 1 s or when the pelvis is
below 0.6 m. Resets are not timed, and times are those of the processor. An episode in which OpenSim
throws or yields a state that is not a number counts as a failure.

The error is the root mean square over coordinates (rad and m together) after 0.5 s, against the
same model integrated to 1e-6, averaged over seeds.
"""

import argparse
import csv
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import opensim

from osimexp.models import anatomy
from osimexp.models.build import build
from osimexp.models.fit_paths import fit_paths

INTEGRATORS = {
    "runge_kutta_merson": opensim.Manager.IntegratorMethod_RungeKuttaMerson,
    "runge_kutta_2": opensim.Manager.IntegratorMethod_RungeKutta2,
    "semi_explicit_euler_2": opensim.Manager.IntegratorMethod_SemiExplicitEuler2,
}
SETTINGS = (
    ("runge_kutta_merson", 1e-2),
    ("runge_kutta_merson", 1e-3),
    ("runge_kutta_2", 1e-2),
    ("semi_explicit_euler_2", 1e-2),
    ("semi_explicit_euler_2", 1e-3),
)
MUSCLES = (
    ("millard", "elastic"),
    ("millard", "rigid"),
    ("degroote_fregly", "elastic"),
    ("degroote_fregly", "rigid"),
    ("thelen", "elastic"),
)
COLUMNS = (
    "model", "muscle_model", "tendon", "paths", "integrator", "accuracy",
    "steps_per_second", "rms_error", "failures",
)  # fmt: skip
STEP = 0.01
# OpenSim threw, or a state is not a number.
FAILURES = (RuntimeError, FloatingPointError)
LOWEST_PELVIS = 0.6


@dataclass
class Episode:
    """One episode of a model, stepped with an integrator."""

    model: opensim.Model
    integrator: str
    accuracy: float

    def __post_init__(self) -> None:
        state = self.model.initializeState()
        self.model.equilibrateMuscles(state)
        self.manager = opensim.Manager(self.model)
        self.manager.setWriteToStorage(False)
        self.manager.setPerformAnalyses(False)
        self.manager.setIntegratorMethod(INTEGRATORS[self.integrator])
        self.manager.setIntegratorAccuracy(self.accuracy)
        self.manager.setIntegratorMinimumStepSize(min(1e-4, self.accuracy))
        self.manager.initialize(state)
        # The manager's own: to mark the controls of the copy it was given leaves those of the last
        # episode in force for the first evaluation.
        self.state = self.manager.getState()
        self.steps = 0

    def step(self, excitations: np.ndarray) -> np.ndarray:
        """Hold excitations for one step and return all continuous states."""
        self.steps += 1
        self.model.setDefaultControls(opensim.Vector.createFromMat(excitations))
        self.model.markControlsAsInvalid(self.state)
        self.state = self.manager.integrate(self.steps * STEP)
        values = self.state.getY().to_numpy()
        # Stiff muscles can make OpenSim return numbers that are none without an exception.
        if not np.isfinite(values).all():
            raise FloatingPointError(f"not a number at step {self.steps}")
        return values

    def coordinates(self) -> np.ndarray:
        """Return all coordinates, rad and m."""
        return self.state.getQ().to_numpy().copy()


def excitations(model: opensim.Model, seed: int) -> Iterator[np.ndarray]:
    """Yield excitations drawn evenly from [0, 1]."""
    generator = np.random.default_rng(seed)
    while True:
        yield generator.random(model.getMuscles().getSize())


def speed(model: opensim.Model, setting: tuple[str, float], steps: int) -> tuple[float, int]:
    """Return steps a second and how many episodes failed; the fifth failure ends the measuring."""
    walks = "pelvis_ty" in [c.getName() for c in model.getCoordinateSet()]
    height = model.getCoordinateSet().get("pelvis_ty") if walks else None
    drawn = excitations(model, 1)
    done = failures = 0
    spent = 0.0
    while done < steps and failures < 5:
        episode = Episode(model, *setting)
        began = time.process_time()
        try:
            for _ in range(100):
                episode.step(next(drawn))
                done += 1
                if height is not None and height.getValue(episode.state) < LOWEST_PELVIS:
                    break
        except FAILURES:
            failures += 1
        spent += time.process_time() - began
    return done / spent, failures


def end(model: opensim.Model, setting: tuple[str, float], seed: int) -> np.ndarray:
    """Return the coordinates after 0.5 s."""
    episode = Episode(model, *setting)
    for _, drawn in zip(range(50), excitations(model, seed), strict=False):
        episode.step(drawn)
    return episode.coordinates()


def rms_error(model: opensim.Model, setting: tuple[str, float], exact: list[np.ndarray]) -> float:
    """Return the error after 0.5 s, averaged over seeds; not a number where a step failed."""
    try:
        errors = [end(model, setting, seed) - right for seed, right in enumerate(exact)]
    except FAILURES:
        return float("nan")
    return float(np.mean([np.sqrt(np.mean(error**2)) for error in errors]))


def main() -> None:
    """Measure every combination and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=list(anatomy.names()))
    parser.add_argument("--steps", type=int, default=1000, help="of the arm; a third of the walker")
    parser.add_argument("--seeds", type=int, default=3, help="over which errors are averaged")
    chosen = parser.parse_args()
    opensim.Logger.setLevelString("off")
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    for name, (muscles, tendon), paths in product(chosen.models, MUSCLES, ("geometry", "fitted")):
        model = build(anatomy.load(name), muscles, tendon)
        if paths == "fitted":
            fit_paths(model)
        model.initSystem()
        steps = chosen.steps if name == "arm" else chosen.steps // 3
        try:
            exact = [end(model, ("runge_kutta_merson", 1e-6), s) for s in range(chosen.seeds)]
        except FAILURES:
            exact = [np.full(model.getNumCoordinates(), np.nan)]
        for setting in SETTINGS:
            rate, failures = speed(model, setting, steps)
            error = rms_error(model, setting, exact)
            figures = (f"{rate:.0f}", f"{error:.1e}", failures)
            writer.writerow((name, muscles, tendon, paths, *setting, *figures))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
