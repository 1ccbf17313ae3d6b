"""What ``conf/model`` and ``conf/physics`` say, as checked values."""

from dataclasses import dataclass, field, replace
from typing import Literal

CompiledIntegrator = Literal["adaptive", "rk2", "rk3", "rk4", "rkc"]
Integrator = Literal[
    "runge_kutta_merson", "runge_kutta_2", "runge_kutta_3", "semi_explicit_euler_2", "cpodes"
]


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
