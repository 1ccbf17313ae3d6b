"""The command ``osimexp <verb>``, which is the same as ``python -m osimexp``."""

import ast
import re
import sys
from importlib import import_module
from pathlib import Path

from osimexp.cli.help import first_line
from osimexp.cli.launch import end
from osimexp.errors import ConfigError, near_matches

VERBS = (
    "describe", "train", "evaluate", "gait", "render", "view", "runs", "compare", "report", "keep",
    "models", "bench",
)  # fmt: skip
"""Names of the commands, in the order of a run; each is a module of ``osimexp.cli``."""


def commands() -> str:
    """Return a line for each command, with the summary of its module; none is imported."""
    lines = []
    for verb in VERBS:
        module = ast.parse(Path(__file__).with_name(f"{verb}.py").read_text())
        lines.append(f"{verb:12}{first_line(ast.get_docstring(module))}")
    title = "Commands (osimexp COMMAND; each has a --help of its own):"
    return "\n".join([title, "", *lines])


def main() -> None:
    """Run the command that the first word names, or train if the first word is a setting."""
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    verb = "train"
    if re.fullmatch(r"[A-Za-z]+", first):
        if first not in VERBS:
            end(ConfigError(f"{first} is not a command; {near_matches(first, VERBS)}"))
        verb = sys.argv.pop(1)
    # Only the chosen command is imported, so that a list of runs does not wait for PyTorch.
    import_module(f"osimexp.cli.{verb}").main()
