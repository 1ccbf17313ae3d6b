"""One simulation of a model in OpenSim, read into a row of a batch's arrays."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

import numpy as np
import opensim

from osimexp.arrays import Floats
from osimexp.errors import ModelError
from osimexp.models.actuators import actuator_controls, control_places
from osimexp.models.base import find_base, lifting
from osimexp.models.names import Names, force_controls
from osimexp.models.prepare import PreparedModel, first_line, loaded, require_bodies, unclamp
from osimexp.physics.settings import Integrator, OpenSimSettings
from osimexp.physics.simulation import Kinematics, State, unsound

INTEGRATORS: dict[Integrator, int] = {
    "runge_kutta_merson": opensim.Manager.IntegratorMethod_RungeKuttaMerson,
    "runge_kutta_2": opensim.Manager.IntegratorMethod_RungeKutta2,
    "runge_kutta_3": opensim.Manager.IntegratorMethod_RungeKutta3,
    "semi_explicit_euler_2": opensim.Manager.IntegratorMethod_SemiExplicitEuler2,
    "cpodes": opensim.Manager.IntegratorMethod_CPodes,
}


@dataclass(frozen=True)
class Rates:
    """A part of a state, and the rates of the state.

    Attributes:
        fibres: lengths of the fibres that are states, m.
        coordinates: ``(coordinates,)`` rates of the coordinates, rad/s or m/s.
        speeds: ``(coordinates,)`` rates of the speeds, rad/s^2 or m/s^2.
        activations: ``(muscles,)`` rates of the activations, 1/s.
        fibre_rates: rates of the fibre lengths that are states, m/s.
        actuators: activations of the actuators that have one.
        actuator_rates: rates of these activations, 1/s.
    """

    fibres: Floats
    coordinates: Floats
    speeds: Floats
    activations: Floats
    fibre_rates: Floats
    actuators: Floats
    actuator_rates: Floats


class Engine:
    """One simulation in OpenSim that costs little more than its derivatives.

    It has no storage, no analyses and no controller. Controls are the model's default controls,
    which are marked as stale before each step; otherwise the first derivative of a step would use
    the old ones. Every OpenSim object is fetched once, because fetching costs more than reading.

    Args:
        model: model to simulate.
        settings: settings of the integrator.
        control_period: simulated time of one step, s.
        fields: names of the costly arrays of ``State`` that are read after each step.

    Raises:
        ModelError: OpenSim cannot simulate the model.
    """

    def __init__(
        self,
        model: PreparedModel,
        settings: OpenSimSettings,
        control_period: float,
        fields: frozenset[str],
    ) -> None:
        with loaded(model.xml) as self._model:
            unclamp(self._model)
            try:
                self._state = self._model.initSystem()
            except RuntimeError as error:
                raise ModelError(
                    f"OpenSim cannot simulate the model: {first_line(error)}"
                ) from error
        self._default_y = self._state.getY().to_numpy().copy()
        self._settings = settings
        self._control_period = control_period
        self._fields = fields
        self._steps = 0
        self._bind(model)
        self.names = self._name(model)
        self._manager = self._make_manager()

    def reset(self, coordinates: Floats, speeds: Floats, activations: Floats) -> None:
        """Begin an episode at one row of a ``Start``, with fibres in equilibrium.

        Args:
            coordinates: ``(coordinates,)`` rad or m.
            speeds: ``(coordinates,)`` rad/s or m/s.
            activations: ``(muscles,)`` in [0, 1].

        Raises:
            ModelError: OpenSim cannot assemble the pose or bring its muscles into equilibrium.
        """
        y = self._default_y.copy()
        y[self._q], y[self._u] = coordinates, speeds
        self._state.setTime(0.0)
        self._state.setY(opensim.Vector.createFromMat(y))
        try:
            if self._constrained:
                self._model.assemble(self._state)
            for muscle, activation in zip(self._muscles, activations, strict=True):
                muscle.setActivation(self._state, float(activation))
            self._model.equilibrateMuscles(self._state)
            self._manager.initialize(self._state)
        except RuntimeError as error:
            raise unsound(self.names, coordinates, first_line(error)) from error
        # The state is the manager's own copy: with another state marked, its first step would have
        # the controls of the last episode.
        self._current = self._manager.getState()
        if not np.isfinite(self._current.getY().to_numpy()).all():
            raise unsound(self.names, coordinates, "its state is not finite.")
        self._steps = 0

    def step(self, controls: Floats) -> bool:
        """Apply controls ``(controls,)`` for a control period; return False if a speed is too high.

        Raises:
            RuntimeError: OpenSim cannot integrate the step.
        """
        self._control(controls)
        self._steps += 1
        self._current = self._manager.integrate(self._steps * self._control_period)
        speeds = self._current.getY().to_numpy()[self._u]
        return bool(np.abs(speeds).max() < self._settings.highest_speed)  # False for NaN, too

    def read(self, row: State, b: int) -> None:
        """Write the current state into row ``b`` of a batch's arrays."""
        state, y = self._current, self._current.getY().to_numpy()
        row.time[b] = state.getTime()
        row.coordinates[b] = y[self._q]
        row.speeds[b] = y[self._u]
        row.activations[b] = (
            y[self._a] if self._a is not None else [f(state) for f in self._read_activation]
        )
        if not self._fields:
            return
        self._realize(state)
        for field, readers in self._readers.items():
            getattr(row, field)[b] = [read(state) for read in readers]
        if "centre_of_mass" in self._fields:
            row.centre_of_mass[b] = self._model.calcMassCenterPosition(state).to_numpy()
        if "centre_of_mass_velocity" in self._fields:
            row.centre_of_mass_velocity[b] = self._model.calcMassCenterVelocity(state).to_numpy()
        if "ground_reaction" in self._fields:
            row.ground_reaction[b] = 0.0
            for foot, contact, first in self._contacts:
                record = contact.getRecordValues(state)
                force = (record.get(first), record.get(first + 1), record.get(first + 2))
                row.ground_reaction[b, foot] += force
        if "limit_torque" in self._fields:
            row.limit_torque[b] = 0.0
            for coordinate, limit in self._limits:
                row.limit_torque[b, coordinate] += limit.calcLimitForce(state)

    def rates(self, stretch: Floats, controls: Floats, actuators: Floats) -> Rates:
        """Change the current state and return its rates.

        Args:
            stretch: ``(muscles,)`` factors on the fibre lengths that are states.
            controls: ``(controls,)``.
            actuators: activations of the actuators that have one, in their order.
        """
        elastic, f = self._fibres
        y = self._current.getY().to_numpy().copy()
        y[f] *= stretch[elastic]
        y[self._x] = actuators
        self._current.setY(opensim.Vector.createFromMat(y))
        self._control(controls)
        self._model.realizeAcceleration(self._current)
        rates = self._current.getYDot().to_numpy().copy()
        assert self._a is not None
        return Rates(
            fibres=y[f],
            coordinates=rates[self._q],
            speeds=rates[self._u],
            activations=rates[self._a],
            fibre_rates=rates[f],
            actuators=y[self._x],
            actuator_rates=rates[self._x],
        )

    @property
    def activated_actuators(self) -> int:
        """Number of actuators other than muscles that have an activation."""
        return len(self._x)

    def kinematics(self, coordinates: Floats) -> Kinematics:
        """Return the points and the clearance of the model at poses ``(R, coordinates)``."""
        points = np.empty((len(coordinates), len(self._points), 3))
        clearance = np.full(len(coordinates), np.inf)
        y = np.zeros(self._state.getNY())
        for r, pose in enumerate(coordinates):
            y[self._q] = pose
            self._state.setY(opensim.Vector.createFromMat(y))
            if self._constrained:
                self._model.assemble(self._state)
            self._model.realizePosition(self._state)
            for p, point in enumerate(self._points):
                points[r, p] = point.getLocationInGround(self._state).to_numpy()
            for sphere in self._spheres:
                height = (
                    sphere.getFrame()
                    .findStationLocationInGround(self._state, sphere.get_location())
                    .get(1)
                )
                clearance[r] = min(clearance[r], height - sphere.getRadius())
        return Kinematics(points, clearance)

    def _control(self, controls: Floats) -> None:
        self._controls[self._places] = controls
        self._model.setDefaultControls(opensim.Vector.createFromMat(self._controls))
        self._model.markControlsAsInvalid(self._current)
        if self._forced:
            # Marking is not enough for a control that is a force: OpenSim keeps the forces of the
            # end of the last step, and the first derivative of this one would use them.
            self._current.invalidateAllCacheAtOrAbove(self._dynamics)

    @cached_property
    def _fibres(self) -> tuple[np.ndarray, np.ndarray]:
        """Muscles whose fibre lengths are states, and the places of these in the state."""
        vector = opensim.createStateVariableNamesInSystemOrder(self._model)
        variables = {vector[i] for i in range(len(vector))}
        names = [f"{m.getAbsolutePathString()}/fiber_length" for m in self._muscles]
        elastic = np.array([name in variables for name in names])
        return elastic, self._slots([name for name in names if name in variables])

    def _bind(self, model: PreparedModel) -> None:
        """Fetch every OpenSim object that steps and reads need."""
        vector = opensim.createStateVariableNamesInSystemOrder(self._model)
        variables = [vector[i] for i in range(len(vector))]
        paths = [v.removesuffix("/value") for v in variables if v.endswith("/value")]
        self._coordinates = [
            opensim.Coordinate.safeDownCast(self._model.getComponent(path)) for path in paths
        ]
        self._q = self._slots([f"{path}/value" for path in paths])
        self._u = self._slots([f"{path}/speed" for path in paths])
        self._constrained = self._state.getNQErr() > 0 or any(
            c.isConstrained(self._state) for c in self._coordinates
        )
        set_ = self._model.getMuscles()
        self._muscles = [set_.get(i) for i in range(set_.getSize())]
        activations = [f"{m.getAbsolutePathString()}/activation" for m in self._muscles]
        known = set(activations) <= set(variables)
        self._a = self._slots(activations) if known else None
        self._read_activation = [m.getActivation for m in self._muscles]
        self.locked = np.array([c.getLocked(self._state) for c in self._coordinates])
        driven = actuator_controls(self._model, model.forces)
        self._actuators = [one.actuator for one in driven]
        place = control_places(self._model)
        forces = [name for force in model.forces for name in force_controls(force.name)]
        # In the order of ``Names.controls``; actuators that are switched off stay at 0.
        self._places = np.array(
            [
                *(place[muscle.getName()] for muscle in self._muscles),
                *(one.place for one in driven),
                *(place[name] for name in forces),
            ],
            dtype=int,
        )
        self._forced = self._a is None or len(self._places) > len(self._muscles)
        self._dynamics = opensim.Stage(opensim.Stage.Dynamics)
        own = dict.fromkeys(one.component.getAbsolutePathString() for one in driven)
        self._x = self._slots([f"{p}/activation" for p in own if f"{p}/activation" in variables])
        self._controls = np.zeros(self._model.getNumControls())
        self._bodies = [self._model.getBodySet().get(i) for i in range(self._model.getNumBodies())]
        markers = self._model.getMarkerSet()
        wanted = {*model.settings.points}
        all_markers = [markers.get(i) for i in range(markers.getSize())]
        self._points = [m for m in all_markers if not wanted or m.getName() in wanted]
        self._spheres = self._contact_spheres()
        self._contacts = self._foot_contacts(model.settings.feet)
        self._limits = self._coordinate_limits()
        self._readers = self._field_readers()

    def _slots(self, variables: list[str]) -> np.ndarray:
        """Return the places of state variables in the state.

        Their order alone is not enough, because ball and free joints leave a place unused.
        """
        state = opensim.State(self._state)
        for coordinate in self._coordinates:
            coordinate.setLocked(state, False)  # A locked coordinate takes no value.
        before = state.getY().to_numpy().copy()
        slots = []
        for name in variables:
            value = self._model.getStateVariableValue(state, name)
            self._model.setStateVariableValue(state, name, value + 0.5)
            slots.append(int(np.flatnonzero(state.getY().to_numpy() != before)[0]))
            self._model.setStateVariableValue(state, name, value)
        return np.array(slots, dtype=int)

    def _field_readers(self) -> dict[str, list]:  # type: ignore[type-arg]
        def position(body: opensim.Body):  # type: ignore[no-untyped-def]
            return lambda state: body.getPositionInGround(state).to_numpy()

        def orientation(body: opensim.Body):  # type: ignore[no-untyped-def]
            return lambda state: (
                body.getTransformInGround(state).R().convertRotationToBodyFixedXYZ().to_numpy()
            )

        def turning(body: opensim.Body):  # type: ignore[no-untyped-def]
            return lambda state: body.getAngularVelocityInGround(state).to_numpy()

        def location(point: opensim.Marker):  # type: ignore[no-untyped-def]
            return lambda state: point.getLocationInGround(state).to_numpy()

        readers = {
            "fibre_length": [m.getNormalizedFiberLength for m in self._muscles],
            "fibre_velocity": [m.getNormalizedFiberVelocity for m in self._muscles],
            "tendon_force": [m.getTendonForce for m in self._muscles],
            "body_positions": [position(body) for body in self._bodies],
            "body_orientations": [orientation(body) for body in self._bodies],
            "body_angular_velocities": [turning(body) for body in self._bodies],
            "point_positions": [location(point) for point in self._points],
        }
        return {name: read for name, read in readers.items() if name in self._fields and read}

    def _contact_spheres(self) -> list[opensim.ContactSphere]:
        geometry = self._model.getContactGeometrySet()
        spheres = [
            opensim.ContactSphere.safeDownCast(geometry.get(i)) for i in range(geometry.getSize())
        ]
        return [sphere for sphere in spheres if sphere is not None]

    def _foot_contacts(
        self, feet: dict[str, tuple[str, ...]]
    ) -> list[tuple[int, opensim.Force, int]]:
        """Return the contact forces on each foot, and the places of each force in its record."""
        bodies = [body.getName() for body in self._bodies]
        require_bodies(feet, bodies)
        found = []
        forces = self._model.getForceSet()
        for i in range(forces.getSize()):
            for body, first in self._touching_bodies(forces.get(i)).items():
                for index, patterns in enumerate(feet.values()):
                    if any(fnmatchcase(body, pattern) for pattern in patterns):
                        found.append((index, forces.get(i), first))
        for index, foot in enumerate(feet):
            if not any(index == touched for touched, _, _ in found):
                raise ModelError(
                    f"model.feet.{foot}: no contact force acts on its bodies; osimexp reads "
                    "SmoothSphereHalfSpaceForce and HuntCrossleyForce."
                )
        return found

    def _touching_bodies(self, force: opensim.Force) -> dict[str, int]:
        """Return the bodies that a contact force acts on, and the place of each in its record."""
        smooth = opensim.SmoothSphereHalfSpaceForce.safeDownCast(force)
        hunt = opensim.HuntCrossleyForce.safeDownCast(force)
        if smooth is None and hunt is None:
            return {}
        labels = force.getRecordLabels()
        found = {}
        for column in range(labels.getSize()):
            # Labels are FORCE.Sphere.force.X for one class and FORCE.BODY.force.X for the other.
            owner, _, kind = labels.get(column).removeprefix(f"{force.getName()}.").partition(".")
            if kind == "force.X":
                found[owner] = column
        if smooth is not None:
            sphere = opensim.ContactSphere.safeDownCast(smooth.getConnectee("sphere"))
            return {sphere.getFrame().findBaseFrame().getName(): found["Sphere"]}
        return found

    def _coordinate_limits(self) -> list[tuple[int, opensim.CoordinateLimitForce]]:
        names = [c.getName() for c in self._coordinates]
        forces = self._model.getForceSet()
        limits = [
            opensim.CoordinateLimitForce.safeDownCast(forces.get(i))
            for i in range(forces.getSize())
        ]
        return [
            (names.index(limit.get_coordinate()), limit) for limit in limits if limit is not None
        ]

    def _name(self, model: PreparedModel) -> Names:
        rooted = tuple(c.getName() for c in self._coordinates if _rooted(c))
        return Names(
            coordinates=tuple(c.getName() for c in self._coordinates),
            rotational=np.array([c.getMotionType() == 1 for c in self._coordinates]),
            ranges=np.array([(c.getRangeMin(), c.getRangeMax()) for c in self._coordinates]),
            default_pose=np.array([c.getDefaultValue() for c in self._coordinates]),
            muscles=tuple(m.getName() for m in self._muscles),
            maximum_isometric_force=np.array([m.getMaxIsometricForce() for m in self._muscles]),
            bodies=tuple(body.getName() for body in self._bodies),
            feet=tuple(model.settings.feet),
            points=tuple(point.getName() for point in self._points),
            mass=float(self._model.getTotalMass(self._state)),
            actuators=tuple(self._actuators),
            forces=tuple(force.name for force in model.forces),
            base=find_base(
                self._model,
                self._state,
                model.settings,
                [c.getName() for c in self._coordinates],
                [body.getName() for body in self._bodies],
            ),
            rooted=rooted,
            lifting=lifting(self._model, self._state, rooted),
        )

    def _make_manager(self) -> opensim.Manager:
        chosen = self._settings.integrator or (
            "semi_explicit_euler_2" if self._spheres else "runge_kutta_merson"
        )
        manager = opensim.Manager(self._model)
        manager.setWriteToStorage(False)
        manager.setPerformAnalyses(False)
        manager.setIntegratorMethod(INTEGRATORS[chosen])
        manager.setIntegratorAccuracy(self._settings.accuracy)
        manager.setIntegratorMinimumStepSize(self._settings.minimum_step)
        return manager

    def _realize(self, state: opensim.State) -> None:
        if self._fields & {"fibre_velocity", "tendon_force", "ground_reaction", "limit_torque"}:
            self._model.realizeDynamics(state)
        else:
            self._model.realizeVelocity(state)


def _rooted(coordinate: opensim.Coordinate) -> bool:
    """Return whether a coordinate is of a joint on the ground."""
    frame = coordinate.getJoint().getParentFrame().findBaseFrame()
    return opensim.Ground.safeDownCast(frame) is not None
