"""A movement together with the model that moves, for the commands that draw and measure."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from osimexp.arrays import Mask
from osimexp.models.prepare import PreparedModel
from osimexp.motion.movement import Movement
from osimexp.physics.posing.appearance import figure
from osimexp.physics.posing.figure import Figure, Poses
from osimexp.physics.posing.poses import Posing


@dataclass(frozen=True)
class DrawnModel:
    """A model with its appearance, which is read from OpenSim once for all movements of the model.

    Attributes:
        model: model that is drawn.
    """

    model: PreparedModel

    @cached_property
    def figure(self) -> Figure:
        """Appearance of the model."""
        return figure(self.model)

    @cached_property
    def posing(self) -> Posing:
        """Function that puts the model into poses."""
        return Posing(self.model)


@dataclass(frozen=True)
class Shown:
    """A movement and the model that moves.

    Attributes:
        name: name for titles.
        model: model that moves.
        movement: movement of the model.
        home: folder for files that are made from the movement; None if there is none.
        drawn: appearance of ``model``, which several movements may share; None has it found for
            this movement.
        posed: poses of the bodies in the movement, if they are known; None has them found.
    """

    name: str
    model: PreparedModel
    movement: Movement
    home: Path | None = None
    drawn: DrawnModel | None = None
    posed: Poses | None = None

    def __post_init__(self) -> None:
        if self.drawn is not None and self.drawn.model is not self.model:
            raise ValueError("drawn must be of the model that moves")

    @cached_property
    def figure(self) -> Figure:
        """Appearance of the model."""
        return self._drawn.figure

    @cached_property
    def poses(self) -> Poses:
        """Poses of the bodies in the movement."""
        return self.posed or self._drawn.posing(self.movement.positions)

    def at(self, moments: Mask) -> "Shown":
        """Return the movement at some of its moments, given by a mask ``(T,)``."""
        poses = self.poses
        posed = Poses(
            poses.bodies[moments],
            tuple(path[moments] for path in poses.paths),
            poses.centre_of_mass[moments],
        )
        part = replace(
            self, movement=self.movement.at(moments), drawn=self.drawn or self._drawn, posed=posed
        )
        if "figure" in vars(self):
            vars(part)["figure"] = self.figure
        return part

    @cached_property
    def _drawn(self) -> DrawnModel:
        return self.drawn or DrawnModel(self.model)
