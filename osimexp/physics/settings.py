"""What ``conf/model`` and ``conf/physics`` say, as checked values."""

from dataclasses import dataclass, field, replace
from typing import Literal

MuscleModel = Literal["millard", "degroote_fregly", "thelen"]
Tendon = Literal["elastic", "rigid"]
Paths = Literal["fitted", "geometry"]
CompiledIntegrator = Literal["adaptive", "rk2", "rk3", "rk4", "rkc"]
Integrator = Literal[
    "runge_kutta_merson", "runge_kutta_2", "runge_kutta_3", "semi_explicit_euler_2", "cpodes"
]


@dataclass(frozen=True)
class Base:
    """Which coordinates of a model say where its pelvis is; all null for one that cannot fall.

    Attributes:
        forward: coordinate of the pelvis's way forward, m.
        height: coordinate of the pelvis's height, m.
        tilt: coordinate of the pelvis's tilt, rad, 0 upright.
    """

    forward: str | None = None
    height: str | None = None
    tilt: str | None = None


@dataclass(frozen=True)
class Point:
    """A point fixed to a body, m in the body's frame."""

    body: str
    location: tuple[float, float, float]


@dataclass(frozen=True)
class ModelSettings:
    """A model, as ``conf/model`` describes it.

    Attributes:
        anatomy: one of the project's own models; null where ``path`` is given.
        path: an OpenSim model file of the user's.
        muscle_model: what the muscles of an own model are made of; null keeps a file's.
        tendon: elastic or rigid; null keeps a file's.
        paths: ``fitted`` replaces each muscle's path by a polynomial of its length over the
            coordinates, ``geometry`` keeps points and wrapping.
        base: the coordinates of the pelvis.
        feet: foot to patterns of the bodies whose contact forces are summed as its ground reaction.
        points: named points, beside those the model has as markers of the same name.
        trunk: coordinates whose sum with the pelvis's tilt is the trunk's lean, rad.
        workspace: the part of coordinates' ranges that poses and targets are drawn from (rad or m);
            coordinates left out are drawn from their whole range.
        muscles: those of the whole body, in order, where the model lacks some of them: what a
            controller sees and does keeps a place for each, so that a controller of the whole body
            can act in this one; empty for the model's own.
        pushed: the body that pushes act on, at its centre of mass; null for a model that nothing
            pushes.
        poses: named poses, each a mapping of coordinates to values (rad or m); coordinates left
            out keep the model's default.
    """

    anatomy: str | None = None
    path: str | None = None
    muscle_model: MuscleModel | None = None
    tendon: Tendon | None = None
    paths: Paths = "geometry"
    base: Base = field(default_factory=Base)
    feet: dict[str, tuple[str, ...]] = field(default_factory=dict)
    points: dict[str, Point] = field(default_factory=dict)
    trunk: tuple[str, ...] = ()
    workspace: dict[str, tuple[float, float]] = field(default_factory=dict)
    poses: dict[str, dict[str, float]] = field(default_factory=dict)
    pushed: str | None = None
    muscles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.anatomy is None) == (self.path is None):
            raise ValueError("give either anatomy or path (model=file model.path=my.osim)")
        if self.anatomy is not None and (self.muscle_model is None or self.tendon is None):
            raise ValueError("muscle_model and tendon must be named for a model of our own")
        if self.path is not None and (self.muscle_model is not None or self.tendon is not None):
            raise ValueError("muscle_model and tendon of a model file cannot be changed; use null")


@dataclass(frozen=True)
class OpenSimSettings:
    """How OpenSim integrates, as ``conf/physics/opensim.yaml`` says.

    Attributes:
        integrator: null chooses by the model: with contact ``semi_explicit_euler_2``, without
            ``runge_kutta_merson``.
        accuracy: relative error allowed in a step of the integrator.
        minimum_step: s; bounds the work of a control step where a pose makes the equations stiff.
        highest_speed: rad/s or m/s; a simulation with a faster coordinate ran away and has failed.
    """

    integrator: Integrator | None = None
    accuracy: float = 1e-2
    minimum_step: float = 1e-4
    highest_speed: float = 500.0

    def __post_init__(self) -> None:
        for name in ("accuracy", "minimum_step", "highest_speed"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be above 0")

    def for_judging(self) -> "OpenSimSettings":
        """Return these: nothing here trades accuracy for speed."""
        return self

    def on_opensim(self) -> "OpenSimSettings":
        """Return these."""
        return self


@dataclass(frozen=True)
class CompiledSettings:
    """How the compiled equations are integrated, as ``conf/physics/compiled.yaml`` says.

    Attributes:
        integrator: ``adaptive`` is the pair of order 3 and 2 by Bogacki and Shampine (1989, Appl.
            Math. Lett. 2:321-325), whose steps follow from the error of each environment by
            itself; ``rk2``, ``rk3`` and ``rk4`` take equal steps; ``rkc`` takes equal steps of the
            stabilised method of order 2 by Sommeijer, Shampine and Verwer (1998, J. Comput. Appl.
            Math. 88:315-326).
        tolerance: error allowed in an adaptive step, relative to states above 1 and absolute below.
        maximum_step: s, for all but adaptive; a control period is cut into equal steps.
        stages: of ``rkc``.
        evaluations: of the derivative in one control period; an episode that needs more ends and
            is counted as failed.
        highest_speed: rad/s or m/s; a simulation with a faster coordinate ran away and has failed.
        lanes: simulate in single precision, twice as many environments in the lanes of a vector
            register as in double: for training, never for judging.
    """

    integrator: CompiledIntegrator = "adaptive"
    tolerance: float = 3e-5
    maximum_step: float = 5e-4
    stages: int = 8
    evaluations: int = 20_000
    highest_speed: float = 500.0
    lanes: bool = False

    def __post_init__(self) -> None:
        for name in ("tolerance", "maximum_step", "evaluations", "highest_speed"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0")
        if self.stages < 2:
            raise ValueError("stages must be 2 or more")

    def for_judging(self) -> "CompiledSettings":
        """Return the same in double precision and with steps that follow from the error."""
        if not self.lanes:
            return self
        exact = CompiledSettings()
        return replace(self, lanes=False, integrator=exact.integrator, tolerance=exact.tolerance)

    def on_opensim(self) -> OpenSimSettings:
        """Return OpenSim's defaults."""
        return OpenSimSettings(highest_speed=self.highest_speed)


@dataclass(frozen=True)
class AutomaticSettings:
    """The compiled equations where the model allows it, OpenSim itself where not.

    Attributes:
        compiled: how the compiled equations are integrated.
        opensim: how OpenSim integrates.
    """

    compiled: CompiledSettings = field(default_factory=CompiledSettings)
    opensim: OpenSimSettings = field(default_factory=OpenSimSettings)

    def for_judging(self) -> "AutomaticSettings":
        """Return the same without what trades accuracy for speed."""
        return replace(self, compiled=self.compiled.for_judging())

    def on_opensim(self) -> OpenSimSettings:
        """Return how OpenSim integrates."""
        return self.opensim


PhysicsSettings = OpenSimSettings | CompiledSettings | AutomaticSettings


@dataclass(frozen=True)
class WorkerSettings:
    """Where simulations run, as ``conf/workers`` says.

    Attributes:
        count: processes of OpenSim or threads of the compiled equations; null is one for each
            core, 0 simulates in this process and thread. On a cluster, its processes.
        timeout: s of wall time after which a step is held to hang and its process is replaced.
        cluster: address of a Ray cluster that simulates the batch; null is this machine.
    """

    count: int | None = None
    timeout: float = 60.0
    cluster: str | None = None

    def __post_init__(self) -> None:
        if self.cluster is not None and self.count == 0:
            raise ValueError("count must be 1 or more on a cluster")
        if self.count is not None and self.count < 0:
            raise ValueError("count must be 0 or more")
        if not self.timeout > 0.0:
            raise ValueError("timeout must be above 0 s")
