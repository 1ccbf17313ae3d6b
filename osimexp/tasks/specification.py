"""The specification of a task on a musculoskeletal model, built from the config."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from osimexp.config import build, check, described, entry, mapping
from osimexp.errors import ConfigError
from osimexp.models.actuators import ExternalForce
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.names import Names
from osimexp.models.prepare import PreparedModel
from osimexp.models.settings import Base, ModelSettings
from osimexp.physics.settings import BackendSettings, PhysicsSettings, WorkerSettings
from osimexp.physics.simulation import COSTLY
from osimexp.tasks.actions import ActionSettings
from osimexp.tasks.actuators import ActuatorSet
from osimexp.tasks.goals.gait import Gait, MidGait
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
        if not self.control_period >= 1e-4:
            raise ValueError("control_period must be at least 0.0001 s")
        if not self.duration >= self.control_period:
            raise ValueError("duration must be at least one control_period")


@dataclass(frozen=True)
class Specification:
    """A task on a musculoskeletal model.

    Attributes:
        model: settings of the model.
        muscles: muscle set: the muscles, their strengths and the actions that drive them.
        physics: settings of the physics back end.
        workers: settings of processes and threads.
        task: control period, duration and map from actions to drives.
        observation: observation terms, by their names in the config.
        reward: reward terms, by their names in the config; the reward is their weighted sum.
        termination: termination terms, by their names in the config.
        start: term that draws the starts of episodes.
        target: term that draws targets; null for a task without a target.
        symmetry: term that chooses when the controller gets mirror images; null never mirrors.
        push: term that plans pushes; null for none.
        actuators: use of the actuators other than muscles.
        recorded: whether every field of the state is read, even if no term needs it.
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
        """Return the task in a composed config, built and checked.

        Raises:
            ConfigError: a part is missing, or a value is unknown, of the wrong type or out of
                range.
        """
        return cls(
            model=check(ModelSettings, entry(config, "model"), "model"),
            actuators=check(ActuatorSet, _given(config.get("actuators")), "actuators"),
            push=_optional(config, "push", PushTerm),
            muscles=check(MuscleSet, entry(config, "muscles"), "muscles"),
            physics=build(entry(config, "physics"), "physics", BackendSettings),
            workers=check(WorkerSettings, entry(config, "workers"), "workers"),
            task=check(MovementSettings, entry(config, "task"), "task"),
            start=build(entry(config, "start"), "start", StartTerm),
            target=_optional(config, "target", TargetTerm),
            symmetry=_optional(config, "symmetry", SymmetryTerm),
            observation=_terms(config, "observation", ObservationTerm),
            reward=_terms(config, "reward", RewardTerm),
            termination=_terms(config, "termination", TerminationTerm),
        )

    def as_config(self) -> dict[str, Any]:
        """Return the parts of a config from which ``from_config`` makes the same task.

        Raises:
            ConfigError: a value is not plain data.
        """
        config: dict[str, Any] = described(self, Specification)
        del config["recorded"]
        return config

    @property
    def observed(self) -> frozenset[str]:
        """Costly arrays of the state that the observation reads."""
        return frozenset().union(*(term.READS for term in self.observation.values()))

    @property
    def reads(self) -> frozenset[str]:
        """Costly fields of the state that the terms need."""
        if self.recorded:
            return COSTLY
        terms = [term for group in self.GROUPS for term in getattr(self, group).values()]
        reads: frozenset[str] = frozenset().union(*(term.READS for term in terms))
        if self.target is not None and self.target.point is not None:
            reads |= {"point_positions"}
        if self.model.base != Base():  # Falls, heading and distance are worked out from these.
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

    def on_model(self, model: PreparedModel, names: Names) -> "Specification":
        """Return the task with the gait that it follows as the model moves in it.

        Raises:
            ConfigError: the model cannot move so.
        """
        target, start = self.target, self.start
        if isinstance(target, Gait):
            target = target.on_model(model, names)
        if isinstance(start, MidGait):
            known = target if isinstance(target, Gait) and start.gait == self.target else None
            start = start.on_model(model, names, known)
        return dataclasses.replace(self, target=target, start=start)

    def with_workers(self, count: int) -> "Specification":
        """Return the task simulated by ``count`` worker processes; 0 for none."""
        workers = dataclasses.replace(self.workers, count=count, cluster=None)
        return dataclasses.replace(self, workers=workers)


def _given(values: object) -> Any:
    """Return the values of a group; none if it is null."""
    return {} if values is None else values


def _optional(config: Mapping[str, Any], group: str, role: type) -> Any:
    """Return the settings of a group, built; None if no option was chosen."""
    chosen = config.get(group)
    return None if chosen is None else build(chosen, group, role)


def _terms(config: Mapping[str, Any], group: str, role: type) -> dict[str, Any]:
    """Return the terms of a group, built; a term that is set to null is left out."""
    terms = {
        name: build(term, f"{group}.{name}", role)
        for name, term in mapping(_given(entry(config, group)), group).items()
        if term is not None
    }
    if not terms and group != "termination":
        raise ConfigError(f"{group} has no term; at least one is needed.")
    return terms
