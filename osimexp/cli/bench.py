"""Measure speed, learning and soundness: the second word of the command says what.

Usage: osimexp bench KIND [key=value ...]
"""

import sys

from osimexp.bench import algorithms, commands, faults, learning, physics, walking
from osimexp.bench.faults import campaign
from osimexp.cli.help import first_line
from osimexp.cli.launch import asks_for_help, current_job, launch
from osimexp.mistakes import USER_MISTAKE
from osimexp.terminal import say

KINDS = {
    "physics": (physics, physics.bench_physics, physics.PhysicsBenchSettings),
    "learning": (learning, learning.bench_learning, learning.LearningBenchSettings),
    "algorithms": (algorithms, algorithms.bench_algorithms, algorithms.AlgorithmBenchSettings),
    "commands": (commands, commands.bench_commands, commands.CommandsBenchSettings),
    "faults": (faults, campaign.bench_faults, campaign.FaultsBenchSettings),
    "walking": (walking, walking.bench_walking, walking.WalkingBenchSettings),
}
"""Benchmarks by name: the module, the function and the settings of each."""


def main() -> None:
    """Run the benchmark that the first word of the command line names."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "nothing"
    if kind not in KINDS and asks_for_help(sys.argv[1:]):
        say(*(__doc__ or "").split("\n"))
        for name, (module, *_) in KINDS.items():
            say(f"{name:12}{first_line(module.__doc__)}")
        return
    if kind not in KINDS:
        known = " or ".join(KINDS)
        say(f"Error: name what to measure, and not {kind}: {known}.", error=True)
        sys.exit(USER_MISTAKE)
    del sys.argv[1]
    module, measure, settings = KINDS[kind]
    launch(
        lambda values: measure(values, current_job().added),
        f"command/bench_{kind}",
        module.__doc__,
        lambda: (settings,),
    )


if __name__ == "__main__":
    main()
