"""What the commands that draw and measure are given: a movement, and the model that moves."""

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
        name: of what is shown, for titles.
        model: that moves.
        movement: how.
        home: folder that what is made of it belongs to; None where it has none.
    """

    name: str
    model: PreparedModel
    movement: Movement
    home: Path | None = None

    @cached_property
    def figure(self) -> Figure:
        """What the model looks like."""
        return figure(self.model)

    @cached_property
    def poses(self) -> Poses:
        """Where the movement puts it."""
        return pose(self.model, self.movement.positions)
