"""Measure what the first word of the command line names: ``python -m osimexp.bench physics``."""

import sys

from osimexp.bench.algorithms import bench_algorithms
from osimexp.bench.learning import bench_learning
from osimexp.bench.physics import bench_physics
from osimexp.bench.walking import bench_walking
from osimexp.cli.launch import USER_MISTAKE, current_job, launch


def main() -> None:
    """Measure as the command line asks."""
    kinds = {
        "physics": bench_physics,
        "learning": bench_learning,
        "algorithms": bench_algorithms,
        "walking": bench_walking,
    }
    if len(sys.argv) < 2 or sys.argv[1] not in kinds:
        given = sys.argv[1] if len(sys.argv) > 1 else "nothing"
        known = " or ".join(kinds)
        print(f"Error: name what to measure, and not {given}: {known}.", file=sys.stderr)
        sys.exit(USER_MISTAKE)
    kind = sys.argv.pop(1)
    measure = kinds[kind]
    launch(lambda values: measure(values, current_job().added), f"command/bench_{kind}")


if __name__ == "__main__":
    main()
