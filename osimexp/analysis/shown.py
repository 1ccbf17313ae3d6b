"""A movement together with the model that moves, for the commands that draw and measure."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from osimexp.models.prepare import PreparedModel
from osimexp.motion.movement import Movement
from osimexp.physics.posing.appearance import figure
from osimexp.physics.posing.figure import Figure, Poses
from osimexp.physics.posing.poses import pose


@dataclass(frozen=True)
class Shown:
    """A movement and the model that moves.

    Attributes:
        name: name for titles.
        model: model that moves.
        movement: movement of the model.
        home: folder for files that are made from the movement; None if there is none.
    """

    name: str
    model: PreparedModel
    movement: Movement
    home: Path | None = None

    @cached_property
    def figure(self) -> Figure:
        """Appearance of the model."""
        return figure(self.model)

    @cached_property
    def poses(self) -> Poses:
        """Poses of the bodies in the movement."""
        return pose(self.model, self.movement.positions)
