"""Measure what the first word of the command line names: ``python -m osimexp.bench physics``."""

import sys

from osimexp.bench.physics import bench_physics
from osimexp.command_line import USER_MISTAKE, launch


def main() -> None:
    """Measure as the command line asks."""
    kinds = {"physics": bench_physics}
    if len(sys.argv) < 2 or sys.argv[1] not in kinds:
        given = sys.argv[1] if len(sys.argv) > 1 else "nothing"
        print(f"Error: name what to measure, and not {given}: physics.", file=sys.stderr)
        sys.exit(USER_MISTAKE)
    launch(kinds[sys.argv.pop(1)], "bench")


if __name__ == "__main__":
    main()
