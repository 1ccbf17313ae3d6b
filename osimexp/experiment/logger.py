"""Metrics as rows of a CSV file and as TensorBoard events."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard import SummaryWriter

from osimexp.errors import RunFolderError
from osimexp.files import LARGE, csv_text, read_text, write_text


class Logger:
    """A writer of a run's metrics; a resumed run removes the rows written after its checkpoint.

    Columns are in the order in which they first had a value. Each number is written with enough
    digits to read exactly the same number back.

    Attributes:
        columns: columns of the CSV file so far.
        last_steps: steps of the last row that a resumed run keeps, 0 before the first.
    """

    def __init__(self, csv_file: Path, events: Path, state: dict[str, Any] | None = None) -> None:
        """Read what is there, if the files are continued from ``state``; nothing is written yet.

        Raises:
            RunFolderError: the CSV file has fewer rows than ``state`` says.
            ValueError: ``state`` is not of a logger.
        """
        self._file = csv_file
        self._events = events
        self._kept: list[dict[str, str]] | None = None
        self.columns: list[str] = ["steps"]
        self.last_steps = 0
        if state is None:
            return
        self.columns, self.last_steps = list(state["columns"]), state["last_steps"]
        if not all(isinstance(name, str) for name in self.columns) or "steps" not in self.columns:
            raise ValueError("the columns of its metrics are no names")
        if type(self.last_steps) is not int or not 0 <= self.last_steps < 2**63:
            raise ValueError("the steps of its last row are no number of steps")
        rows = self._read()
        if self.last_steps and (not rows or int(rows[-1]["steps"]) != self.last_steps):
            raise RunFolderError(
                f"{csv_file} ends before step {self.last_steps}, where the checkpoint was written."
            )
        self._kept = rows

    def write(self, steps: int, row: dict[str, float], partial: bool = False) -> None:
        """Write one row.

        Args:
            steps: environment steps made so far.
            row: values by name.
            partial: whether the window of the row ends early, because the run ends; a resumed run
                continues that window and drops the row.
        """
        values: dict[str, float | int] = {"steps": steps, **row}
        if new := [name for name in values if name not in self.columns]:
            rows = self._read()
            self.columns += new
            self._rewrite(rows)
        with self._file.open("a", newline="") as stream:
            stream.write(csv_text([self._cells(values)]))
            stream.flush()
            os.fsync(stream.fileno())
        for name, value in row.items():
            self._writer.add_scalar(name, value, steps)
        self._writer.flush()
        if not partial:
            self.last_steps = steps

    def write_images(self, steps: int, images: Mapping[str, bytes]) -> None:
        """Write PNG or GIF images, by name, for TensorBoard."""
        for name, encoded in images.items():
            with Image.open(io.BytesIO(encoded)) as image:
                width, height = image.size
            shown = Summary.Image(
                encoded_image_string=encoded, width=width, height=height, colorspace=3
            )
            summary = Summary(value=[Summary.Value(tag=name, image=shown)])
            events: Any = self._writer.file_writer
            events.add_summary(summary, steps)
        self._writer.flush()

    def write_config(self, text: str) -> None:
        """Write the config for TensorBoard, as a block of code in Markdown."""
        indented = "".join(f"    {line}\n" for line in text.splitlines())
        self._writer.add_text("config", indented, self.last_steps)

    def state_dict(self) -> dict[str, Any]:
        """Return what the files must contain for a run to continue from here."""
        return {"columns": list(self.columns), "last_steps": self.last_steps}

    def close(self) -> None:
        """Close the events' file."""
        self._writer.close()

    def __enter__(self) -> Self:
        purge: int | None = self.last_steps + 1
        if self._kept is None:
            # The events of a run that begins anew.
            purge = 0 if self._file.exists() else None
        self._rewrite(self._kept or [])
        self._writer = SummaryWriter(log_dir=str(self._events), purge_step=purge)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self) -> list[dict[str, str]]:
        """Return the whole rows up to the last that counts; a crash may have cut one off."""
        if not self._file.is_file():
            return []
        try:
            stream = io.StringIO(read_text(self._file, LARGE), newline="")
            header, *lines = list(csv.reader(stream)) or [[]]
            rows = [
                dict(zip(header, line, strict=True)) for line in lines if len(line) == len(header)
            ]
            return [row for row in rows if row["steps"] and int(row["steps"]) <= self.last_steps]
        except (OSError, ValueError, KeyError, csv.Error) as error:
            raise RunFolderError(f"{self._file} cannot be read as metrics.") from error

    def _rewrite(self, rows: Sequence[dict[str, Any]]) -> None:
        write_text(self._file, csv_text([self.columns, *(self._cells(row) for row in rows)]))

    def _cells(self, row: dict[str, Any]) -> list[str]:
        return [
            repr(value) if isinstance(value, float) else str(value)
            for value in (row.get(name, "") for name in self.columns)
        ]
