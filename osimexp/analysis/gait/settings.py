"""How a gait is measured, as ``conf/gait.yaml`` says."""

from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated

from omegaconf import DictConfig, OmegaConf
from pydantic import Field

from osimexp.config import check, config_directory, plain

Share = Annotated[float, Field(gt=0.0, lt=1.0)]
Positive = Annotated[float, Field(gt=0.0)]

SIDES = ("right", "left")
LETTERS = {"right": "r", "left": "l"}


@dataclass(frozen=True)
class ContactSettings:
    """When a foot bears weight.

    Attributes:
        strike: share of body weight above which its contact begins.
        release: share of body weight below which it ends.
        shortest_stance: s; a shorter contact is none.
        shortest_swing: s; a shorter gap between contacts is none.
        longest_stride: s; what takes longer between two heel strikes is no stride.
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
    """Which coordinate is an anatomical angle.

    Attributes:
        label: for figures.
        coordinate: name; ``$`` stands for ``r`` and ``l``.
        sign: that makes flexion, dorsiflexion and forward tilt positive; null takes that of the
            largest angle, for a joint that bends one way.
    """

    label: str
    coordinate: str
    sign: Annotated[int, Field(ge=-1, le=1)] | None


@dataclass(frozen=True)
class MuscleSettings:
    """Which muscle of a model is compared with the EMG of which.

    Attributes:
        label: for figures.
        names: in models, the first that a model has is taken; ``$`` stands for ``r`` and ``l``.
    """

    label: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class CostSettings:
    """The model of the muscles' energy; see ``osimexp.analysis.gait.cost``.

    Attributes:
        specific_tension: of muscle, Pa.
        density: of muscle, kg/m^3.
        slow_twitch: share of slow fibres in every muscle.
        force_dependent_shortening: whether the heat of shortening follows the published formula or
            F. C. Anderson's simpler one.
        negative_work: whether work done on lengthening fibres is counted.
        basal: W/kg that the body uses at rest.
    """

    specific_tension: Positive = 0.25e6
    density: Positive = 1059.7
    slow_twitch: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    force_dependent_shortening: bool = True
    negative_work: bool = True
    basal: Annotated[float, Field(ge=0.0)] = 1.2


@dataclass(frozen=True)
class GaitSettings:
    """What ``conf/gait.yaml`` says beside what is shown.

    Attributes:
        output: a folder for the figures; null takes ``gait`` in the run's folder, or one named
            after the movement in the working folder.
        contact: when a foot bears weight.
        feet: names of each side's foot body in models; the first that a model has is taken.
        treadmill: m/s that feet must move backwards while they bear weight for a treadmill.
        angles: by name; those of ``norms.yaml`` have a band.
        emg: muscles by name; those of ``norms.yaml`` have times of activity.
        cost: the model of the muscles' energy.
    """

    output: str | None
    contact: ContactSettings
    feet: dict[str, tuple[str, ...]]
    treadmill: Positive
    angles: dict[str, AngleSettings]
    emg: dict[str, MuscleSettings]
    cost: CostSettings

    def __post_init__(self) -> None:
        if set(self.feet) != set(SIDES):
            raise ValueError("feet must name the bodies of right and left")


@cache
def default_settings() -> GaitSettings:
    """Return what ``conf/gait.yaml`` says, for those who are not given a config."""
    read = OmegaConf.load(config_directory() / "gait.yaml")
    assert isinstance(read, DictConfig)
    own = OmegaConf.masked_copy(read, [field.name for field in fields(GaitSettings)])
    return check(GaitSettings, plain(own), "gait")
