"""Import paths of configs that earlier versions wrote, and where those classes stand now."""

MOVED = {
    "osimexp.tasks.symmetry.HalfCycle": "osimexp.tasks.goals.gait.HalfCycle",
    "osimexp.tasks.gait": "osimexp.tasks.goals.gait",
    "osimexp.tasks.gym": "osimexp.tasks.adapters.gym",
    "osimexp.tasks.observations": "osimexp.tasks.terms.observations",
    "osimexp.tasks.pushes": "osimexp.tasks.terms.pushes",
    "osimexp.tasks.recorded_gait": "osimexp.tasks.goals.recorded_gait",
    "osimexp.tasks.rewards": "osimexp.tasks.terms.rewards",
    "osimexp.tasks.speeds": "osimexp.tasks.goals.speeds",
    "osimexp.tasks.starts": "osimexp.tasks.terms.starts",
    "osimexp.tasks.symmetry": "osimexp.tasks.terms.symmetry",
    "osimexp.tasks.targets": "osimexp.tasks.terms.targets",
    "osimexp.tasks.terminations": "osimexp.tasks.terms.terminations",
}
"""By class, and by module for all its classes."""


def present(target: str) -> str:
    """Return the import path that a class of an earlier version's path has now."""
    module, _, name = target.rpartition(".")
    return MOVED.get(target) or f"{MOVED.get(module, module)}.{name}"
