"""The vector environment of musculoskeletal models."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.spaces import Box
from gymnasium.utils import EzPickle
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from osimexp.arrays import Floats, Indices, Mask
from osimexp.errors import BeginningError, ConfigError, ModelError, SimulationError
from osimexp.models.fitted import read_note
from osimexp.models.prepare import PreparedModel, prepare
from osimexp.physics.backends import must_compile, simulate
from osimexp.physics.simulation import Backend, Simulation, State
from osimexp.tasks.actions import ActionMap
from osimexp.tasks.columns import observed_columns
from osimexp.tasks.episodes import Episodes
from osimexp.tasks.finite import require_finite, require_shape
from osimexp.tasks.lacking import WholeBody
from osimexp.tasks.mirror import Mirror, mirror_of
from osimexp.tasks.scene import Frame, Scene
from osimexp.tasks.specification import Specification
from osimexp.tasks.terms.pushes import saved_plan
from osimexp.tasks.terms.starts import clear_of_ground
from osimexp.tasks.terms.terminations import BeyondFits, is_fall
from osimexp.tasks.unfit import left_out, over_at_once, refuse_travel

if TYPE_CHECKING:
    from osimexp.tasks.rendering import Pictures

Observations = NDArray[np.float32]
Actions = NDArray[np.float32]
Image = NDArray[np.uint8]

Rows = slice | Indices

MODES = ("rgb_array",)
EVERYWHERE = slice(None)

# Starts that are drawn before a task is refused because each of them is an end.
_TRIES = 4


class MusculoskeletalVectorEnv(VectorEnv[Observations, Actions, NDArray[Any]], EzPickle):
    """A batch of episodes of one task; see ``osimexp.tasks.environment.Environment``.

    Environment ``i`` draws its poses and targets from its own generator, so an episode does not
    depend on the size of the batch, on the workers or on its neighbours. The arrays that ``reset``
    and ``step`` return are new each time and may be kept.

    Args:
        specification: task to simulate.
        num_envs: number of environments in the batch, ``B``.
        autoreset: whether the next episode begins in the step in which one ends; if not, ``reset``
            with ``options={"reset_mask": ...}`` begins it.
        render_mode: ``rgb_array`` for pictures from ``render``.
        model: the task's, prepared before; None prepares it now.

    Attributes:
        observation_columns: name and unit of each column of an observation.
        action_map: map from actions to controls.

    Raises:
        ValueError: ``model`` is another than the task's.
        ConfigError: a term does not fit the model.
        ModelError: the model cannot be built, read or simulated.
        SimulationError: a worker process does not start.
    """

    single_observation_space: Box
    single_action_space: Box
    observation_names: tuple[str, ...]
    action_names: tuple[str, ...]
    _current: Frame
    _targets: Floats
    _actions: Floats
    _previous_actions: Floats
    _generators: list[np.random.Generator]
    _failures: int

    def __init__(
        self,
        specification: Specification,
        num_envs: int,
        autoreset: bool = True,
        render_mode: str | None = None,
        model: PreparedModel | None = None,
    ) -> None:
        EzPickle.__init__(self, specification, num_envs, autoreset, render_mode, model)
        self.render_mode = known_mode(render_mode, MODES)
        if render_mode is not None:
            specification = replace(specification, recorded=True)
        self.num_envs = num_envs
        self.specification = self._asked = specification
        self._autoreset = autoreset
        mode = AutoresetMode.SAME_STEP if autoreset else AutoresetMode.DISABLED
        self.metadata = {
            "autoreset_mode": mode,
            "render_modes": list(MODES),
            "render_fps": max(1, round(1.0 / specification.task.control_period)),
        }
        self._pictures: Pictures | None = None
        wanted = specification.model, specification.muscles, specification.forces
        if model is None:
            model = prepare(*wanted)
        elif (model.settings, model.muscle_set, model.forces) != wanted:
            raise ValueError("model was prepared from other settings than the task's")
        self.model, self.model_xml = model, model.xml
        if must_compile(model, specification.physics):
            self._try(specification, model)
        self._simulation = self._simulate(model)
        try:
            self.specification = specification.on_model(model, self._simulation.names)
            target = self.specification.target
            self._prepare(
                Scene(
                    self._simulation.names,
                    specification.model,
                    specification.task.control_period,
                    0 if target is None else target.size,
                    target,
                )
            )
        except BaseException:
            self._simulation.close()
            raise

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode everywhere, or in the rows of ``options["reset_mask"]`` ``(B,)``."""
        which = np.ones(self.num_envs, dtype=bool)
        if options and options.get("reset_mask") is not None:
            which = np.asarray(options["reset_mask"], dtype=bool)
        seeds = _seed_each(seed, self.num_envs)
        for b in np.flatnonzero(which):
            if seeds[b] is not None or not self._seeded[b]:
                self._generators[b] = np.random.default_rng(seeds[b])
                self._seeded[b] = True
        return self._observe(self._begin(which)), {}

    def step(
        self, actions: Actions
    ) -> tuple[Observations, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Step one control period; return observations, rewards, terminated, truncated, infos."""
        taken: Floats = np.clip(actions, -1.0, 1.0).astype(float)
        if np.isnan(taken.sum()):
            require_finite({"The controller": taken}, self._episodes.length)
        if self._mirror is not None:
            taken = self._mirror.actions(taken, self._mirrored)
        self._previous_actions, self._actions = self._actions, taken
        state = self._simulation.step(self._controls(taken))
        frame = self._frame(state)
        terms = {name: term.weight * term(frame) for name, term in self._rewards.items()}
        rewards = sum(terms.values(), np.zeros(self.num_envs))
        if not np.isfinite(rewards.sum()):
            given = {f"reward.{name}": values for name, values in terms.items()}
            require_finite(given, self._episodes.length + 1)
        failed, lost = state.failed.copy(), state.lost.copy()
        fallen, terminated = np.zeros_like(failed), failed.copy()
        for term in self._terminations.values():
            over = term(frame)
            terminated |= over
            if is_fall(term):
                fallen |= over
        if self._beyond_fits is not None:
            terminated |= self._beyond_fits(frame)
        terminated &= ~lost
        self._episodes.add(rewards, terms, frame)
        truncated = lost | (~terminated & (self._episodes.length >= self._limit))
        self._failures += int(np.count_nonzero(failed))
        observations = self._observe(frame)
        infos: dict[str, Any] = {}
        ended = terminated | truncated
        if ended.any():
            infos["episode"] = self._episodes.metrics(frame, fallen, failed)
            infos["_episode"] = ended
            if self._autoreset:
                infos["final_obs"], infos["_final_obs"] = observations, ended
                rows, frame = ended.nonzero()[0], self._begin(ended)
                observations = observations.copy()
                observations[rows] = self._observe(frame.at(rows), rows)
        return observations, rewards, terminated, truncated, infos

    def render(self) -> tuple[Image, ...] | None:
        """Return a picture ``(height, width, 3)`` of each environment; None without render_mode."""
        if self.render_mode is None:
            return None
        if self._pictures is None:
            # Made here, because it takes half a second that only pictures need.
            from osimexp.tasks.rendering import Pictures

            self._pictures = Pictures(self.model, self.specification.target)
        return self._pictures(self._current)

    def snapshot(self) -> dict[str, Any]:
        """Return all that it takes to continue from here, as plain data."""
        return {
            "simulation": self._simulation.snapshot(),
            "episodes": self._episodes.snapshot(),
            "targets": self._targets.copy(),
            "pushes": self._planned.copy(),
            "actions": self._actions.copy(),
            "previous_actions": self._previous_actions.copy(),
            "generators": [json.dumps(g.bit_generator.state) for g in self._generators],
            "failures": self._failures,
        }

    def restore(self, snapshot: dict[str, Any]) -> Observations:
        """Restore a snapshot exactly, and return the current observations.

        Raises:
            ValueError: its actions are of other sizes, or not finite.
        """
        state = self._simulation.restore(snapshot["simulation"])
        self._episodes.restore(snapshot["episodes"])
        self._targets[:] = snapshot["targets"]
        self._planned[:] = saved_plan(snapshot["pushes"])
        shape = (self.num_envs, self.action_map.size)
        self._actions = np.array(snapshot["actions"]).reshape(shape)
        self._previous_actions = np.array(snapshot["previous_actions"]).reshape(shape)
        if not np.isfinite([self._actions, self._previous_actions]).all():
            raise ValueError("the saved actions are not finite")
        self._failures = int(snapshot["failures"])
        for generator, text in zip(self._generators, snapshot["generators"], strict=True):
            generator.bit_generator.state = json.loads(text)
        self._seeded[:] = True
        return self._observe(self._frame(state))

    @property
    def controls_acted_on(self) -> tuple[str, ...]:
        """Names of the model's controls that depend on actions, and of all muscles."""
        own, driven = self._scene.names, self.action_map.driven
        return (*own.muscles, *(own.actuators[number].name for number in driven))

    def actions_of(self, controls: Floats) -> Actions:
        """Return actions ``(T, actions)`` that give the model controls ``(T, controls)``.

        Raises:
            ConfigError: no actions give them.
        """
        whole = controls if self._whole is None else self._whole.whole(controls)
        return self.action_map.inverse(whole).astype(np.float32)

    def counts(self) -> dict[str, int]:
        """Return the numbers of failed steps and of replaced workers so far."""
        return {"failed_steps": self._failures, "replaced_workers": self._simulation.replaced}

    def close_extras(self, **kwargs: Any) -> None:
        """End the worker processes."""
        self._simulation.close()

    @property
    def simulation(self) -> Simulation:
        """The simulation of the batch."""
        return self._simulation

    @property
    def mirror(self) -> Mirror | None:
        """The mirror that a policy sees the model in; None without a symmetry."""
        return self._mirror

    @property
    def left_out(self) -> tuple[str, ...]:
        """Sentences on what the task asked for where possible, and the model does not allow."""
        mirrored = self._mirror is not None
        return left_out(self._asked, self.specification, mirrored, self._scene.names)

    @property
    def backend(self) -> Backend:
        """Physics back end of the batch."""
        return self._simulation.backend

    @property
    def frame(self) -> Frame:
        """Present moment of the batch; the next step overwrites its arrays."""
        return self._current

    @property
    def scene(self) -> Scene:
        """Fixed facts of the task: names, model, control period."""
        return self._scene

    @staticmethod
    def _try(specification: Specification, model: PreparedModel) -> None:
        """Refuse names and poses that do not fit the model before time is spent to compile it."""
        try:
            trial = specification.on_opensim().with_workers(0)
            MusculoskeletalVectorEnv(trial, 1, model=model).close()
        except BeginningError:
            raise
        except (ModelError, SimulationError):
            pass  # What OpenSim itself refuses is said by the simulation.

    def _simulate(self, model: PreparedModel) -> Simulation:
        """Start the simulation of the batch."""
        specification = self.specification
        return simulate(
            model,
            specification.physics,
            specification.workers,
            self.num_envs,
            specification.task.control_period,
            specification.reads,
        )

    def _prepare(self, scene: Scene) -> None:
        """Bind the terms to the model and call each once, so that a misfit fails now."""
        specification, size = self.specification, self.num_envs
        self._scene = scene
        places = specification.model.muscles
        self._whole = WholeBody(scene, places) if places else None
        seen = scene if self._whole is None else self._whole.scene
        self.action_map = ActionMap(
            specification.task.action, specification.muscles, specification.actuators, seen
        )
        self.action_names = self.action_map.names
        seen = replace(seen, actions=self.action_names)
        symmetry = specification.symmetry
        self._mirror: Mirror | None = None
        if symmetry is not None:
            reads = specification.observed
            self._mirror = mirror_of(
                symmetry, self.model, scene.names, seen, self.action_map, reads
            )
        self._mirrored = np.zeros(size, dtype=bool)
        self._rewards = specification.reward
        self._terminations = specification.termination
        holds = read_note(self.model_xml).holds
        self._beyond_fits = BeyondFits(scene, holds) if holds else None
        if not self.model.travels:
            refuse_travel(self._rewards)
        target = specification.target
        point = None if target is None else target.point
        self._episodes = Episodes(size, tuple(self._rewards), point)
        self._limit = max(1, round(specification.duration / specification.task.control_period))
        self._failures = 0
        self._targets = np.zeros((size, scene.target_size))
        self._planned = np.zeros((size, 0, 4))
        if specification.push is not None:
            self._planned = np.zeros_like(self._plan(self._fresh(size)))
        self._actions = np.zeros((size, self.action_map.size))
        self._previous_actions = self._actions
        self._generators = self._fresh(size)
        self._seeded = np.zeros(size, dtype=bool)
        frame = self._begin(np.ones(size, dtype=bool))
        terms = specification.observation
        shown = self._shown(frame, EVERYWHERE)
        widths = [
            require_shape(term(shown), 2, size, f"observation.{name}").shape[1]
            for name, term in terms.items()
        ]
        self.observation_columns = observed_columns(terms, seen, widths)
        self.observation_names = tuple(column.name for column in self.observation_columns)
        for name, reward in self._rewards.items():
            require_shape(reward(frame), 1, size, f"reward.{name}")
        for name, termination in self._terminations.items():
            require_shape(termination(frame), 1, size, f"termination.{name}")
        self._refuse_fallen_beginnings(frame)
        self.single_observation_space = Box(-np.inf, np.inf, (sum(widths),), np.float32)
        self.single_action_space = Box(-1.0, 1.0, (self.action_map.size,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, size)
        self.action_space = batch_space(self.single_action_space, size)

    def _refuse_fallen_beginnings(self, frame: Frame) -> None:
        """Refuse a task whose every episode begins with a fall."""
        everywhere = np.ones(self.num_envs, dtype=bool)
        falls = {name: term for name, term in self._terminations.items() if is_fall(term)}
        for name, term in falls.items():
            tries = 1
            while term(frame).all():
                if tries == _TRIES:
                    raise over_at_once(name, frame)
                tries, frame = tries + 1, self._begin(everywhere)

    def _begin(self, which: Mask) -> Frame:
        """Begin an episode in the rows of a mask, and return the moment of the whole batch."""
        rows = which.nonzero()[0]
        generators = [self._generators[b] for b in rows]
        drawn = self.specification.start(self._scene, generators)
        drawn = clear_of_ground(self._scene, self._simulation, drawn)
        if self.specification.target is not None:
            self._targets[rows] = self.specification.target(
                self._scene, self._simulation, generators, drawn
            )
        if self.specification.push is not None:
            self._planned[rows] = self._plan(generators)
        self._actions[rows] = self._previous_actions[rows] = 0.0
        frame = self._frame(self._simulation.reset(which, drawn))
        self._episodes.begin(rows, frame)
        return frame

    def _plan(self, generators: list[np.random.Generator]) -> Floats:
        """Return the pushes of episodes that begin."""
        specification = self.specification
        assert specification.push is not None
        return specification.push.plan(
            generators, specification.duration, specification.task.control_period
        )

    def _controls(self, actions: Floats) -> Floats:
        """Return the controls of the next step, ``(B, controls)``."""
        state, push = self._current.state, self.specification.push
        controls = self.action_map(actions, state.coordinates, state.speeds, state.time)
        if self._whole is not None:
            controls = self._whole.own(controls)
        if push is not None:
            columns = self._scene.names.force_columns(push.external.name)
            controls[:, columns] = push.force(self._planned, state.time)
        return controls

    @staticmethod
    def _fresh(size: int) -> list[np.random.Generator]:
        return [np.random.default_rng(0) for _ in range(size)]

    def _frame(self, state: State) -> Frame:
        self._current = Frame(
            self._scene, state, self._actions, self._previous_actions, self._targets
        )
        return self._current

    def _observe(self, frame: Frame, rows: Rows = EVERYWHERE) -> Observations:
        """Return the observations of ``frame``, which has these rows of the batch."""
        shown = self._shown(frame, rows)
        terms = self.specification.observation
        parts = [term(shown) for term in terms.values()]
        observations = np.concatenate(parts, axis=1, dtype=np.float32, casting="same_kind")
        if not np.isfinite(observations.sum()):
            given = dict(zip((f"observation.{name}" for name in terms), parts, strict=True))
            numbers = np.arange(self.num_envs)[rows]
            require_finite(given, self._episodes.length[rows], numbers)
        return observations

    def _shown(self, frame: Frame, rows: Rows) -> Frame:
        """Return the moment for the controller: with the whole body's muscles, and mirrored."""
        if self._whole is not None:
            frame = self._whole.frame(frame)
        if self._mirror is not None:
            self._mirrored[rows] = mirrored = self._mirror.rows(frame)
            frame = self._mirror.frame(frame, mirrored)
        return frame


def _seed_each(seed: int | Sequence[int | None] | None, size: int) -> list[int | None]:
    """Return a seed for each environment, as Gymnasium does: ``seed + i``."""
    if seed is None:
        return [None] * size
    if isinstance(seed, int | np.integer):
        return [int(seed) + i for i in range(size)]
    return list(seed)


def known_mode(mode: str | None, modes: tuple[str, ...]) -> str | None:
    """Return a render mode, or refuse it if it is not known.

    Raises:
        ConfigError: the mode is not known.
    """
    if mode is not None and mode not in modes:
        raise ConfigError(f"render_mode {mode!r} is not known; {' and '.join(modes)} are.")
    return mode
