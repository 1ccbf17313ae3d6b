"""A desktop window that shows pictures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from osimexp.errors import ConfigError


class Window:
    """A window of Tk, which comes with Python.

    Args:
        title: title of the window.

    Raises:
        ConfigError: there is no screen, or this Python has no Tk.
    """

    def __init__(self, title: str) -> None:
        try:
            import tkinter
        except ImportError as error:
            raise ConfigError(
                "This Python has no Tk, which a window needs; render_mode='rgb_array' and "
                "python -m osimexp.view need none."
            ) from error
        try:
            self._root: Any = tkinter.Tk()
        except tkinter.TclError as error:
            raise ConfigError(
                "There is no screen for a window; render_mode='rgb_array' and "
                "python -m osimexp.view --export need none."
            ) from error
        self._gone = tkinter.TclError
        self._root.title(title)
        self._image: Any = tkinter.PhotoImage(master=self._root)
        self._label: Any = tkinter.Label(self._root, image=self._image, borderwidth=0)
        self._label.pack()

    def show(self, picture: NDArray[np.uint8]) -> None:
        """Show a picture ``(height, width, 3)``, unless the user closed the window."""
        height, width = picture.shape[:2]
        try:
            self._image.configure(
                data=b"P6 %d %d 255 " % (width, height) + picture.tobytes(), format="PPM"
            )
            self._root.update()
        except self._gone:
            return

    def close(self) -> None:
        """Close the window."""
        try:
            self._root.destroy()
        except self._gone:
            return
