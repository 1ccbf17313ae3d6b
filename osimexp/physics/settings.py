"""What ``conf/model`` and ``conf/physics`` say, as checked values."""

from dataclasses import dataclass, field
from typing import Literal

MuscleModel = Literal["millard", "degroote_fregly", "thelen"]
Tendon = Literal["elastic", "rigid"]
Paths = Literal["fitted", "geometry"]
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


@dataclass(frozen=True)
class WorkerSettings:
    """Where simulations run, as ``conf/workers`` says.

    Attributes:
        count: processes; null is one for each core, 0 simulates in this process.
        timeout: s of wall time after which a step is held to hang and its process is replaced.
    """

    count: int | None = None
    timeout: float = 60.0

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 0:
            raise ValueError("count must be 0 or more")
        if not self.timeout > 0.0:
            raise ValueError("timeout must be above 0 s")
