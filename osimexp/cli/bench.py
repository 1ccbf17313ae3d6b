"""Measure what the first word of the command line names: ``python -m osimexp.bench physics``."""

import sys

from osimexp.bench.algorithms import bench_algorithms
from osimexp.bench.learning import bench_learning
from osimexp.bench.physics import bench_physics
from osimexp.bench.walking import bench_walking
from osimexp.cli.launch import USER_MISTAKE, launch


def main() -> None:
    """Measure as the command line asks."""
    kinds = {
        "physics": (bench_physics, "bench"),
        "learning": (bench_learning, "bench_learning"),
        "algorithms": (bench_algorithms, "bench_algorithms"),
        "walking": (bench_walking, "bench_walking"),
    }
    if len(sys.argv) < 2 or sys.argv[1] not in kinds:
        given = sys.argv[1] if len(sys.argv) > 1 else "nothing"
        known = " or ".join(kinds)
        print(f"Error: name what to measure, and not {given}: {known}.", file=sys.stderr)
        sys.exit(USER_MISTAKE)
    launch(*kinds[sys.argv.pop(1)])


if __name__ == "__main__":
    main()
