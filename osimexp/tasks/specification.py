"""The specification of a task on a musculoskeletal model, built from the config."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from osimexp.config import build, check, described, entry
from osimexp.errors import ConfigError
from osimexp.models.actuators import ExternalForce
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.settings import Base, ModelSettings
from osimexp.physics.settings import PhysicsSettings, WorkerSettings
from osimexp.physics.simulation import COSTLY
from osimexp.tasks.actions import ActionSettings
from osimexp.tasks.actuators import ActuatorSet
from osimexp.tasks.scene import TargetTerm
from osimexp.tasks.terms.observations import ObservationTerm
from osimexp.tasks.terms.pushes import PushTerm
from osimexp.tasks.terms.rewards import RewardTerm
from osimexp.tasks.terms.starts import StartTerm
from osimexp.tasks.terms.symmetry import SymmetryTerm
from osimexp.tasks.terms.terminations import TerminationTerm


@dataclass(frozen=True)
class MovementSettings:
    """Settings of control and duration, as in ``conf/task/movement.yaml``.

    Attributes:
        control_period: simulated time between two actions, s.
        duration: time after which an episode is truncated, s.
        action: map from actions to drives.
    """

    control_period: float
    duration: float
    action: ActionSettings

    def __post_init__(self) -> None:
        if not self.control_period > 0.0:
            raise ValueError("control_period must be above 0 s")
        if not self.duration >= self.control_period:
            raise ValueError("duration must be at least one control_period")


@dataclass(frozen=True)
class Specification:
    """A task on a musculoskeletal model.

    Attributes:
        model: what moves.
        muscles: which muscles it has, how strong they are and what drives them together.
        physics: what simulates it, and how.
        workers: where simulations run.
        task: control period, duration and action map.
        observation: what the controller sees, term by term, by the names that the config gives.
        reward: what the controller is to do: a sum of named terms.
        termination: what ends an episode, by name.
        start: how episodes begin.
        target: what is to be reached or followed; null for a task without.
        symmetry: when sides are changed for the controller, so that it does alike on both; null
            never does.
        push: pushes in an episode; null for none.
        actuators: how the actuators of the model that are no muscles are told what to do.
        recorded: whether every array of the state is read, be there a term for it or not.
    """

    GROUPS: ClassVar[tuple[str, ...]] = ("observation", "reward", "termination")

    model: ModelSettings
    muscles: MuscleSet
    physics: PhysicsSettings
    workers: WorkerSettings
    task: MovementSettings
    observation: Mapping[str, ObservationTerm]
    reward: Mapping[str, RewardTerm]
    termination: Mapping[str, TerminationTerm]
    start: StartTerm
    target: TargetTerm | None = None
    symmetry: SymmetryTerm | None = None
    push: PushTerm | None = None
    actuators: ActuatorSet = field(default_factory=ActuatorSet)
    recorded: bool = False

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Specification":
        """Build and check the parts of a composed config that make up the task.

        Raises:
            ConfigError: a part is missing, or a value is unknown, of the wrong type or out of
                range.
        """
        return cls(
            model=check(ModelSettings, entry(config, "model"), "model"),
            actuators=check(ActuatorSet, config.get("actuators") or {}, "actuators"),
            push=_optional(config, "push"),
            muscles=check(MuscleSet, entry(config, "muscles"), "muscles"),
            physics=build(entry(config, "physics"), "physics"),
            workers=check(WorkerSettings, entry(config, "workers"), "workers"),
            task=check(MovementSettings, entry(config, "task"), "task"),
            start=build(entry(config, "start"), "start"),
            target=_optional(config, "target"),
            symmetry=_optional(config, "symmetry"),
            observation=_terms(config, "observation"),
            reward=_terms(config, "reward"),
            termination=_terms(config, "termination"),
        )

    def as_config(self) -> dict[str, Any]:
        """Return the parts of a config that ``from_config`` makes the same task from.

        Raises:
            ConfigError: a value is no plain data.
        """
        config: dict[str, Any] = described(self, Specification)
        del config["recorded"]
        return config

    @property
    def reads(self) -> frozenset[str]:
        """Costly fields of the state that the terms need."""
        if self.recorded:
            return COSTLY
        terms = [term for group in self.GROUPS for term in getattr(self, group).values()]
        reads: frozenset[str] = frozenset().union(*(term.READS for term in terms))
        if self.target is not None and self.target.point is not None:
            reads |= {"point_positions"}
        if (
            self.model.base != Base()
        ):  # Falls, heading and the way that was made are told from these.
            reads |= {"body_positions", "body_orientations"}
        return reads

    @property
    def forces(self) -> tuple[ExternalForce, ...]:
        """External forces that the task adds to the model."""
        return () if self.push is None else (self.push.external,)

    @property
    def duration(self) -> float:
        """Time after which an episode is truncated, s."""
        within = None if self.target is None else self.target.within
        return self.task.duration if within is None else min(within, self.task.duration)

    def for_judging(self) -> "Specification":
        """Return the task for evaluations: as exact as possible, without aids to learning."""
        judged = {n: term for n, term in self.termination.items() if not term.TRAINING_ONLY}
        push = None if self.push is None else self.push.for_judging()
        physics = self.physics.for_judging()
        return dataclasses.replace(
            self, physics=physics, termination=judged, start=self.start.for_judging(), push=push
        )

    def to_record(self) -> "Specification":
        """Return the task simulated in this process, with every field of its state read."""
        return dataclasses.replace(self.for_judging().with_workers(0), recorded=True)

    def on_opensim(self) -> "Specification":
        """Return the task simulated by OpenSim itself."""
        return dataclasses.replace(self, physics=self.physics.on_opensim())

    def with_workers(self, count: int) -> "Specification":
        """Return the task simulated by ``count`` worker processes; 0 for none."""
        workers = dataclasses.replace(self.workers, count=count, cluster=None)
        return dataclasses.replace(self, workers=workers)


def _optional(config: Mapping[str, Any], group: str) -> Any:
    """Build what a group says, where an option of it was chosen."""
    chosen = config.get(group)
    return None if chosen is None else build(chosen, group)


def _terms(config: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Build the terms of a group; a term set to null is left out."""
    terms = {
        name: build(term, f"{group}.{name}")
        for name, term in (entry(config, group) or {}).items()
        if term is not None
    }
    if not terms and group != "termination":
        raise ConfigError(f"{group} has no term; at least one is needed.")
    return terms
