"""Settings of physics and workers, as in ``conf/physics`` and ``conf/workers``."""

from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

CompiledIntegrator = Literal["adaptive", "rk2", "rk3", "rk4", "rkc"]
Integrator = Literal[
    "runge_kutta_merson", "runge_kutta_2", "runge_kutta_3", "semi_explicit_euler_2", "cpodes"
]


class BackendSettings(Protocol):
    """Settings of a physics back end."""

    def for_judging(self) -> "BackendSettings":
        """Return the same settings without those that trade accuracy for speed."""
        ...

    def on_opensim(self) -> "OpenSimSettings":
        """Return the settings of OpenSim itself with the same limits."""
        ...


def require_least(settings: object, **least: float) -> None:
    """Refuse settings with which a step would take for ever.

    Args:
        settings: settings of an integrator.
        least: least value of each attribute, by name.

    Raises:
        ValueError: a value is smaller.
    """
    for name, low in least.items():
        if not getattr(settings, name) >= low:
            raise ValueError(f"{name} must be at least {low:g}")


@dataclass(frozen=True)
class OpenSimSettings:
    """Settings of OpenSim's integrator, as in ``conf/physics/opensim.yaml``.

    Attributes:
        integrator: name of the integrator; null takes ``semi_explicit_euler_2`` for a model with
            contact, ``runge_kutta_merson`` for others.
        accuracy: relative error allowed in a step of the integrator.
        minimum_step: smallest step, s; it bounds the work of a control step when a pose makes the
            equations stiff.
        highest_speed: speed of a coordinate above which a simulation counts as failed, rad/s or
            m/s.
    """

    integrator: Integrator | None = None
    accuracy: float = 1e-2
    minimum_step: float = 1e-4
    highest_speed: float = 500.0

    def __post_init__(self) -> None:
        require_least(self, accuracy=1e-10, minimum_step=1e-10, highest_speed=1e-3)

    def for_judging(self) -> "OpenSimSettings":
        """Return the same settings, because none of them trades accuracy for speed."""
        return self

    def on_opensim(self) -> "OpenSimSettings":
        """Return the same settings, because they are OpenSim's."""
        return self


@dataclass(frozen=True)
class CompiledSettings:
    """Settings of the integrator of the compiled equations, as in ``conf/physics/compiled.yaml``.

    Attributes:
        integrator: ``adaptive`` is the pair of order 3 and 2 by Bogacki and Shampine (1989, Appl.
            Math. Lett. 2:321-325), whose steps follow from the error of each environment by itself;
            ``rk2``, ``rk3`` and ``rk4`` take equal steps; ``rkc`` takes equal steps of the
            stabilised method of order 2 by Sommeijer, Shampine and Verwer (1998, J. Comput. Appl.
            Math. 88:315-326).
        tolerance: error allowed in an adaptive step, relative to states above 1 and absolute below.
        maximum_step: greatest step of all integrators but adaptive, s; a control period is cut into
            equal steps.
        stages: number of stages of ``rkc``.
        evaluations: greatest number of derivatives in a control period; an episode that needs more
            ends and counts as failed.
        highest_speed: speed of a coordinate above which a simulation counts as failed, rad/s or
            m/s.
        lanes: whether to simulate in single precision, with twice as many environments in the SIMD
            lanes of a register as in double precision; for training, never for evaluation.
    """

    integrator: CompiledIntegrator = "adaptive"
    tolerance: float = 3e-5
    maximum_step: float = 5e-4
    stages: int = 8
    evaluations: int = 20_000
    highest_speed: float = 500.0
    lanes: bool = False

    def __post_init__(self) -> None:
        require_least(self, tolerance=1e-12, maximum_step=1e-7, evaluations=1, highest_speed=1e-3)
        if self.stages < 2:
            raise ValueError("stages must be 2 or more")

    def for_judging(self) -> "CompiledSettings":
        """Return the same settings in double precision, with steps that follow from the error."""
        if not self.lanes:
            return self
        exact = CompiledSettings()
        return replace(self, lanes=False, integrator=exact.integrator, tolerance=exact.tolerance)

    def on_opensim(self) -> OpenSimSettings:
        """Return OpenSim's default settings."""
        return OpenSimSettings(highest_speed=self.highest_speed)


@dataclass(frozen=True)
class AutomaticSettings:
    """Settings of the compiled equations if the model can be compiled, else of OpenSim itself.

    Attributes:
        compiled: settings of the integrator of the compiled equations.
        opensim: settings of OpenSim's integrator.
    """

    compiled: CompiledSettings = field(default_factory=CompiledSettings)
    opensim: OpenSimSettings = field(default_factory=OpenSimSettings)

    def for_judging(self) -> "AutomaticSettings":
        """Return the same settings without those that trade accuracy for speed."""
        return replace(self, compiled=self.compiled.for_judging())

    def on_opensim(self) -> OpenSimSettings:
        """Return the settings of OpenSim's integrator."""
        return self.opensim


PhysicsSettings = OpenSimSettings | CompiledSettings | AutomaticSettings


@dataclass(frozen=True)
class WorkerSettings:
    """Settings of processes and threads, as in ``conf/workers``.

    Attributes:
        count: number of processes of OpenSim, or threads of the compiled equations; null is one for
            each core, 0 simulates in this process and thread; on a cluster, its number of
            processes.
        timeout: wall time after which a step counts as hanging and its process is replaced, s.
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
