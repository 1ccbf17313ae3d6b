"""Settings of gait analysis, as in ``conf/command/gait.yaml``."""

from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated

from pydantic import Field

from osimexp.config import COMMANDS, check, option

Share = Annotated[float, Field(gt=0.0, lt=1.0)]
Positive = Annotated[float, Field(gt=0.0)]

SIDES = ("right", "left")
LETTERS = {"right": "r", "left": "l"}


@dataclass(frozen=True)
class ContactSettings:
    """Rules for contacts of a foot with the ground.

    Attributes:
        strike: share of body weight above which a contact begins.
        release: share of body weight below which a contact ends.
        shortest_stance: shortest contact that counts, s.
        shortest_swing: shortest gap between contacts that counts, s.
        longest_stride: longest time between two heel strikes of a stride, s.
    """

    strike: Share
    release: Share
    shortest_stance: Positive
    shortest_swing: Positive
    longest_stride: Positive

    def __post_init__(self) -> None:
        if self.release > self.strike:
            raise ValueError("release must not be above strike")


@dataclass(frozen=True)
class AngleSettings:
    """The coordinate that is an anatomical angle.

    Attributes:
        label: name in figures.
        coordinate: name of the coordinate; ``$`` stands for ``r`` and ``l``.
        sign: factor, 1 or -1, that makes flexion, dorsiflexion and forward tilt positive; null
            takes the sign of the largest angle, for a joint that bends one way.
    """

    label: str
    coordinate: str
    sign: Annotated[int, Field(ge=-1, le=1)] | None


@dataclass(frozen=True)
class MuscleSettings:
    """The muscle of a model that is compared with a published EMG.

    Attributes:
        label: name in figures.
        names: names of the muscle in models; the first that a model has is taken; ``$`` stands for
            ``r`` and ``l``.
    """

    label: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class CostSettings:
    """Parameters of the muscles' energy model; see ``osimexp.analysis.gait.cost``.

    Attributes:
        specific_tension: specific tension of muscle, Pa.
        density: density of muscle, kg/m^3.
        slow_twitch: share of slow fibres in every muscle.
        force_dependent_shortening: whether the heat of shortening follows the published formula, or
            F. C. Anderson's simpler one.
        negative_work: whether work done on lengthening fibres is counted.
        basal: metabolic power of the body at rest, W/kg.
    """

    specific_tension: Positive = 0.25e6
    density: Positive = 1059.7
    slow_twitch: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    force_dependent_shortening: bool = True
    negative_work: bool = True
    basal: Annotated[float, Field(ge=0.0)] = 1.2


@dataclass(frozen=True)
class GaitSettings:
    """Settings of gait analysis, without the choice of the movement.

    Attributes:
        output: folder for the files; null takes ``gait`` in the run's folder, or a folder named
            after the movement in the working folder.
        contact: rules for contacts with the ground.
        feet: names of each side's foot body in models; the first that a model has is taken.
        toes: names of each side's body of toes, likewise; a model may have none.
        treadmill: least speed backwards of feet that bear weight for a treadmill, m/s.
        angles: coordinates of anatomical angles, by name; those in ``norms.yaml`` have a band.
        emg: muscles by name; those in ``norms.yaml`` have times of activity.
        cost: parameters of the muscles' energy model.
    """

    output: str | None
    contact: ContactSettings
    feet: dict[str, tuple[str, ...]]
    toes: dict[str, tuple[str, ...]]
    treadmill: Positive
    angles: dict[str, AngleSettings]
    emg: dict[str, MuscleSettings]
    cost: CostSettings

    def __post_init__(self) -> None:
        if set(self.feet) != set(SIDES):
            raise ValueError("feet must name the bodies of right and left")
        if set(self.toes) != set(SIDES):
            raise ValueError("toes must name the bodies of right and left, or [] for none")


@cache
def default_settings() -> GaitSettings:
    """Return the settings in ``conf/command/gait.yaml``, for callers without a config."""
    said = option(COMMANDS, "gait")
    return check(GaitSettings, {f.name: said[f.name] for f in fields(GaitSettings)}, "gait")
