"""Names of what a model has, and the figures that belong to them."""

from dataclasses import dataclass

from osimexp.arrays import Floats, Mask


@dataclass(frozen=True)
class Names:
    """What the columns of a simulation's arrays are called, and the model's fixed figures.

    Attributes:
        coordinates: generalised coordinates, in the order of ``State.coordinates``.
        rotational: for each coordinate, whether it is an angle (rad) and not a length (m).
        ranges: ``(coordinates, 2)`` lowest and highest value of each coordinate (rad or m).
        default_pose: ``(coordinates,)`` the model's default values (rad or m).
        muscles: in the order of ``State.activations`` and of the excitations.
        maximum_isometric_force: ``(muscles,)`` N.
        bodies: in the order of ``State.body_positions``.
        feet: groups of contact spheres, in the order of ``State.ground_reaction``.
        points: named points fixed to bodies, in the order of ``State.point_positions``.
        mass: of the whole model, kg.
    """

    coordinates: tuple[str, ...]
    rotational: Mask
    ranges: Floats
    default_pose: Floats
    muscles: tuple[str, ...]
    maximum_isometric_force: Floats
    bodies: tuple[str, ...]
    feet: tuple[str, ...]
    points: tuple[str, ...]
    mass: float


@dataclass(frozen=True)
class StatePaths:
    """Paths of the components that hold a model's states.

    Attributes:
        names: what they are called for short, in the order of the paths.
        coordinates: of each coordinate, to which ``/value`` and ``/speed`` are added.
        muscles: of each muscle, to which ``/activation`` and ``/fiber_length`` are added.
        elastic: ``(muscles,)`` whether its fibre length is a state.
        activated: ``(muscles,)`` whether its activation is a state.
        optimal_fibre_lengths: ``(muscles,)`` m.
    """

    names: Names
    coordinates: tuple[str, ...]
    muscles: tuple[str, ...]
    elastic: Mask
    activated: Mask
    optimal_fibre_lengths: Floats
