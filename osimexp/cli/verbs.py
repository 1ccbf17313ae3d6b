"""The command ``osimexp <verb>``, which ``python -m osimexp`` is as well."""

import re
import sys
from importlib import import_module

from osimexp.cli.launch import end
from osimexp.errors import ConfigError, near_matches

VERBS = (
    "describe", "train", "evaluate", "gait", "render", "view", "runs", "compare", "report", "keep",
    "models", "bench",
)  # fmt: skip
"""The commands, in the order in which a run meets them; each is a module of ``osimexp.cli``."""


def main() -> None:
    """Run the command that the first word names, or train where the first word is a setting."""
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    verb = "train"
    if re.fullmatch(r"[A-Za-z]+", first):
        if first not in VERBS:
            end(ConfigError(f"{first} is not a command; {near_matches(first, VERBS)}"))
        verb = sys.argv.pop(1)
    # Each command imports what it needs alone: the list of runs is not to wait for PyTorch.
    import_module(f"osimexp.cli.{verb}").main()
