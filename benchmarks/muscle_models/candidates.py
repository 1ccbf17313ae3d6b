"""Time the few combinations worth choosing from, in turns, so that all see the same machine.

Run ``python benchmarks/muscle_models/candidates.py > candidates.csv`` from the repository's root.
Speeds of ``measure.py`` differ up to twofold with what else the machine does; here every
combination is timed once in each round, and the median and the range over rounds are given.
"""

import csv
import sys

import numpy as np
import opensim
from measure import speed

from osimexp.models import anatomy
from osimexp.models.build import build
from osimexp.models.fit_paths import fit_paths

ROUNDS = 7
STEPS = {"arm": 500, "gait2d": 200}
CANDIDATES = (
    ("arm", "degroote_fregly", "rigid", "runge_kutta_merson", 1e-2),
    ("arm", "degroote_fregly", "rigid", "runge_kutta_merson", 1e-3),
    ("arm", "millard", "rigid", "runge_kutta_merson", 1e-2),
    ("arm", "thelen", "elastic", "runge_kutta_merson", 1e-2),
    ("gait2d", "millard", "elastic", "semi_explicit_euler_2", 1e-2),
    ("gait2d", "millard", "elastic", "runge_kutta_2", 1e-2),
    ("gait2d", "degroote_fregly", "rigid", "semi_explicit_euler_2", 1e-2),
    ("gait2d", "thelen", "elastic", "semi_explicit_euler_2", 1e-2),
    ("gait2d", "thelen", "elastic", "runge_kutta_2", 1e-2),
)


def main() -> None:
    """Time all candidates in turns and print a line for each."""
    opensim.Logger.setLevelString("off")
    models = []
    for name, muscles, tendon, *_ in CANDIDATES:
        model = build(anatomy.load(name), muscles, tendon)
        fit_paths(model)
        model.initSystem()
        models.append(model)
    rates = np.empty((ROUNDS, len(CANDIDATES)))
    failures = np.zeros(len(CANDIDATES), dtype=int)
    for round_ in range(ROUNDS):
        for i, (name, _, _, integrator, accuracy) in enumerate(CANDIDATES):
            rate, failed = speed(models[i], (integrator, accuracy), STEPS[name])
            rates[round_, i] = rate
            failures[i] += failed
    writer = csv.writer(sys.stdout)
    writer.writerow(
        ("model", "muscle_model", "tendon", "integrator", "accuracy", "median", "lowest", "highest",
         "failures")
    )  # fmt: skip
    for candidate, column, failed in zip(CANDIDATES, rates.T, failures, strict=True):
        figures = (np.median(column), column.min(), column.max())
        writer.writerow((*candidate, *(f"{figure:.0f}" for figure in figures), failed))


if __name__ == "__main__":
    main()
