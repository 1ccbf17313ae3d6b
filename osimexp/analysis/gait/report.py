"""Figures and files of a movement, for the command line, the training loop and reports."""

from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from osimexp.analysis.gait import tables
from osimexp.analysis.gait.drawing import draw
from osimexp.analysis.gait.measure import Gait, measure
from osimexp.analysis.gait.movement_page import draw_movement, movement_csv
from osimexp.analysis.gait.panels import encoded
from osimexp.analysis.gait.settings import GaitSettings, default_settings
from osimexp.analysis.shown import Shown
from osimexp.errors import ModelError, MovementError
from osimexp.files import replacing, write_text


@dataclass(frozen=True)
class Report:
    """The measurements of a movement, to be drawn and written.

    Attributes:
        shown: movement and its model.
        settings: settings of the measurement.
        gait: measurements of the walk; None if the movement is not one.
        reason: sentence that says why there is no gait; empty if there is one.
    """

    shown: Shown
    settings: GaitSettings
    gait: Gait | None
    reason: str

    def figure(self) -> Figure:
        """Return the figure of the gait, or of the movement over time if it is not a walk."""
        if self.gait is None:
            return draw_movement(self.shown)
        return draw(self.gait, self.settings)

    def png(self) -> bytes:
        """Return the figure as bytes of a PNG."""
        return encoded(self.figure())

    def write(self, folder: Path) -> list[Path]:
        """Write PNG and CSV files into a folder, and return their paths.

        ``movement.png`` and ``movement.csv`` are over time. For a walk there are also
        ``gait.png``, ``parameters.csv``, ``cycles.csv`` and ``strides.csv``.

        Raises:
            OSError: the folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        figures = {"movement.png": draw_movement(self.shown)}
        texts = {"movement.csv": movement_csv(self.shown)}
        if self.gait is not None:
            figures["gait.png"] = draw(self.gait, self.settings)
            texts["parameters.csv"] = tables.parameters_csv(self.gait)
            texts["cycles.csv"] = tables.cycles_csv(self.gait)
            texts["strides.csv"] = tables.strides_csv(self.gait)
        for name, figure in figures.items():
            with replacing(folder / name) as stream:
                stream.write(encoded(figure))
        for name, text in texts.items():
            write_text(folder / name, text)
        return [folder / name for name in (*figures, *texts)]


def report(shown: Shown, settings: GaitSettings | None = None) -> Report:
    """Return the measurements of a movement.

    Args:
        shown: movement and its model.
        settings: settings of the measurement; None takes those of ``conf/command/gait.yaml``.
    """
    settings = default_settings() if settings is None else settings
    try:
        return Report(shown, settings, measure(shown, settings), "")
    except (MovementError, ModelError) as error:
        return Report(shown, settings, None, str(error))
