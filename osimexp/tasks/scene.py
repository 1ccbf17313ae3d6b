"""The inputs of terms: the fixed facts of a task, and one moment of it for the whole batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats, Indices, Mask
from osimexp.errors import ConfigError, near_matches
from osimexp.models.muscle_sets import matching
from osimexp.models.names import Names
from osimexp.models.settings import ModelSettings
from osimexp.physics.simulation import Simulation, Start, State
from osimexp.tasks.base_pose import BasePose

Kind = TypeVar("Kind", bound=np.generic)
GRAVITY = 9.80665  # m/s^2, standard gravity


@dataclass(frozen=True)
class Scene:
    """The fixed facts of a task.

    Attributes:
        names: names of the simulation's columns.
        model: settings of the model: base body, trunk, feet and poses.
        control_period: time between two actions, s.
        target_size: length of a target; 0 for a task without a target.
        target: term that draws targets; None for a task without a target.
        actions: names of the actions.
    """

    names: Names
    model: ModelSettings
    control_period: float
    target_size: int = 0
    target: "TargetTerm | None" = None
    actions: tuple[str, ...] = ()

    @property
    def body_weight(self) -> float:
        """Weight of the model, N."""
        return self.names.mass * GRAVITY

    @property
    def has_target_point(self) -> bool:
        """True if targets are positions in ground for a named point."""
        return self.target_size == 3 and (self.target is None or self.target.point is not None)

    def coordinates(self, patterns: Sequence[str], where: str) -> Indices:
        """Return the columns of the coordinates whose names match one of the patterns.

        Raises:
            ConfigError: a pattern matches no coordinate.
        """

        def find() -> Indices:
            chosen = matching(patterns, self.names.coordinates, where)
            return np.flatnonzero([name in chosen for name in self.names.coordinates])

        return self._remembered(("coordinates", *patterns), find)

    def posture(self, patterns: Sequence[str], where: str) -> Indices:
        """Return the columns of matching coordinates, without position on the floor and heading.

        In three dimensions no angle of the base body is left, because all of them depend on its
        heading.
        """

        def find() -> Indices:
            columns = self.coordinates(patterns, where)
            return columns[~np.isin(columns, [*self._turned, *self._forward])]

        return self._remembered(("posture", *patterns), find)

    def moving(self, patterns: Sequence[str], where: str) -> Indices:
        """Return the columns of matching coordinates whose speeds do not depend on the heading."""

        def find() -> Indices:
            columns = self.coordinates(patterns, where)
            away = [*self._turned, *self._forward] if self._turned else []
            return columns[~np.isin(columns, away)]

        return self._remembered(("moving", *patterns), find)

    @property
    def _forward(self) -> list[int]:
        forward = self.base("forward")
        return [] if forward is None else [forward]

    @property
    def _turned(self) -> list[int]:
        """Columns of the base body that change if a model in three dimensions is turned."""
        base = self.names.base
        if base is None or base.planar:
            return []
        return [column for role, column in base.roles.items() if role not in ("forward", "height")]

    def joints(self, patterns: Sequence[str], where: str) -> Indices:
        """Return the columns of matching coordinates that are angles and not of the base body."""

        def find() -> Indices:
            columns = self.coordinates(patterns, where)
            roles = () if self.names.base is None else self.names.base.roles.values()
            free = ~np.isin(columns, list(roles))
            return columns[free & self.names.rotational[columns]]

        return self._remembered(("joints", *patterns), find)

    def coordinate(self, name: str) -> int:
        """Return the column of a coordinate, given its name.

        Raises:
            ConfigError: the model has no such coordinate.
        """
        return _index(name, self.names.coordinates, "coordinate")

    def point(self, name: str) -> int:
        """Return the index of a named point.

        Raises:
            ConfigError: the model has no such point.
        """
        try:
            return _index(name, self.names.points, "point")
        except ConfigError as error:
            raise ConfigError(
                f"{str(error).rstrip('.')}; a point is added by model.points.{name}={{body: ..., "
                "location: [x, y, z]}."
            ) from None

    def base(self, role: str) -> int | None:
        """Return the column of the base body's coordinate with a role of ``ROLES``, or None."""
        return None if self.names.base is None else self.names.base.roles.get(role)

    @cached_property
    def workspace(self) -> Floats:
        """Lowest and highest value of each coordinate in random poses, ``(coordinates, 2)``.

        They are the model's workspace if it has one for the coordinate, else the coordinate's
        range.
        """
        ranges = self.names.ranges.copy()
        for name, part in self.model.workspace.items():
            ranges[self.coordinate(name)] = part
        return ranges

    @cached_property
    def free(self) -> Mask:
        """Mask ``(coordinates,)`` of the joint angles, without the base body and translations."""
        return np.isin(np.arange(len(self.names.coordinates)), self.joints(("*",), "start"))

    @cached_property
    def bounds(self) -> tuple[Floats, Floats]:
        """Lowest and highest value of each coordinate ``(coordinates,)``; infinite for lengths."""
        limits = np.where(self.names.rotational, self.names.ranges.T, [[-np.inf], [np.inf]])
        return limits[0], limits[1]

    def poses(self, names: Sequence[str]) -> Floats:
        """Return named poses ``(len(names), coordinates)``; ``default`` is the model's default.

        Raises:
            ConfigError: the model has no such pose, or a pose names an unknown coordinate.
        """
        return self._remembered(
            ("poses", *names), lambda: np.stack([self._pose(name) for name in names])
        )

    def _pose(self, name: str) -> Floats:
        values = self.names.default_pose.copy()
        if name == "default":
            return values
        if name not in self.model.poses:
            known = ["default", *self.model.poses]
            raise ConfigError(
                f"start.poses: the model has no pose {name!r}; {near_matches(name, known)}"
            )
        for coordinate, value in self.model.poses[name].items():
            values[self.coordinate(coordinate)] = value
        return values

    def _remembered(self, key: tuple[str, ...], find: Callable[[], NDArray[Kind]]) -> NDArray[Kind]:
        """Return an array that is found once: names are compared when a task begins."""
        if key not in self._found:
            self._found[key] = find()
        found: NDArray[Kind] = self._found[key]
        return found

    @cached_property
    def _found(self) -> dict[tuple[str, ...], Any]:
        # No field: what ``replace`` makes has other names, and finds its own.
        return {}


class TargetTerm(Protocol):
    """A term that draws targets.

    Attributes:
        size: length of a target.
        within: time to reach a target, after which the episode is truncated, s; None keeps the
            task's duration.
    """

    @property
    def size(self) -> int:
        """Length of a target."""
        ...

    @property
    def within(self) -> float | None:
        """Time to reach a target, s; None keeps the task's duration."""
        ...

    @property
    def point(self) -> str | None:
        """Name of the point that is to reach the target; None if there is none."""
        ...

    def __call__(
        self,
        scene: Scene,
        simulation: Simulation,
        generators: Sequence[np.random.Generator],
        start: Start,
    ) -> Floats:
        """Return targets ``(R, size)``, each drawn from its generator alone.

        Args:
            scene: fixed facts of the task.
            simulation: simulation of the batch.
            generators: random generator of each target.
            start: starts of the episodes.
        """
        ...

    def mirrored(self, targets: Floats) -> Floats:
        """Return the mirror images of targets ``(R, size)`` in the sagittal plane."""
        ...


@dataclass(frozen=True)
class Frame:
    """One moment of the batch, after a step or at the beginning of episodes.

    Attributes:
        scene: fixed facts of the task.
        state: state of the simulation.
        actions: ``(B, actions)`` actions of the last step in [-1, 1]; 0 at the beginning.
        previous_actions: ``(B, actions)`` actions of the step before the last.
        targets: ``(B, target_size)``.
    """

    scene: Scene
    state: State
    actions: Floats
    previous_actions: Floats
    targets: Floats

    def remembered(self, name: str, find: Callable[[], Floats]) -> Floats:
        """Return an array that several terms use, worked out once for this moment."""
        if name not in self._found:
            self._found[name] = find()
        return self._found[name]

    @cached_property
    def _found(self) -> dict[str, Floats]:
        # No field: what ``replace`` makes is another moment.
        return {}

    @cached_property
    def effort(self) -> Floats:
        """Mean over muscles of the squared activation, ``(B,)``."""
        return np.asarray(np.square(self.state.activations).mean(axis=1))

    @cached_property
    def base(self) -> BasePose | None:
        """Base body at this moment; None for a model without one."""
        base, state = self.scene.names.base, self.state
        if base is None:
            return None
        angles = state.body_orientations
        return BasePose(
            state.body_positions[:, base.body],
            angles[:, base.body],
            angles[:, base.trunk],
            base.planar,
        )

    def seen(self, vectors: Floats) -> Floats:
        """Return vectors ``(B, ..., 3)`` of the ground's axes in the frame of the heading."""
        return vectors if self.base is None else self.base.seen(vectors)

    @cached_property
    def velocity(self) -> Floats:
        """Velocity of the centre of mass, ``(B, 3)`` m/s: forward, up and to the right."""
        return self.seen(self.state.centre_of_mass_velocity)

    def at(self, rows: Indices) -> "Frame":
        """Return the moment of some of the environments."""
        arrays = vars(self.state).items()
        # A field that no term reads has no rows.
        state = State(**{name: values[rows] if len(values) else values for name, values in arrays})
        actions, previous_actions = self.actions[rows], self.previous_actions[rows]
        return Frame(self.scene, state, actions, previous_actions, self.targets[rows])


def _index(name: str, names: Sequence[str], kind: str) -> int:
    if name not in names:
        raise ConfigError(f"The model has no {kind} {name!r}; {near_matches(name, names)}")
    return names.index(name)
