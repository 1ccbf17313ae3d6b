"""One html file with its styles, scripts and libraries inside and, if wanted, its data."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from osimexp.visible import visible, visible_html

ASSETS = Path(__file__).parent / "assets"
VENDOR = Path(__file__).parent / "vendor"

OWN = ("curves", "data", "figure", "main", "movement", "muscles", "player", "stage")
LIBRARIES = {
    "three": "three.module.min.js",
    "three/core": "three.core.min.js",
    "three/addons/controls/OrbitControls.js": "OrbitControls.js",
}


@dataclass(frozen=True)
class Packed:
    """A movement of a figure, packed for the page.

    Attributes:
        name: name under which the page shows it.
        figure: bytes from ``encode_figure``.
        movement: bytes from ``encode_movement``.
    """

    name: str
    figure: bytes
    movement: bytes


def exported(title: str, shown: Sequence[Packed]) -> str:
    """Return a page with its data inside, which opens from a file without a network."""
    return _page(title, {"movements": _movements(shown, _within)})


def served(title: str) -> str:
    """Return a page that loads its data from its server, by ``shown.json`` beside it."""
    return _page(title, {"served": True})


def description(
    shown: Sequence[Packed], version: int, live: bool, note: str
) -> tuple[bytes, dict[str, bytes]]:
    """Return ``shown.json`` of a served page, and the data that it names, by address.

    An address is a hash of the data, so that a browser does not load unchanged data again.

    Args:
        shown: movements to show, one or two.
        version: number that rises with every change.
        live: whether the page looks for changes.
        note: line of text beneath the picture; may be empty.
    """
    data: dict[str, bytes] = {}

    def address(block: bytes) -> str:
        place = f"data/{hashlib.sha256(block).hexdigest()[:32]}"
        data[place] = block
        return place

    movements = _movements(shown, address)
    text = {"movements": movements, "version": version, "live": live, "note": visible(note)}
    return json.dumps(text).encode(), data


def _movements(shown: Sequence[Packed], address: Callable[[bytes], str]) -> list[dict[str, str]]:
    return [
        {
            "name": visible(one.name),
            "figure": address(one.figure),
            "movement": address(one.movement),
        }
        for one in shown
    ]


def _within(block: bytes) -> str:
    return f"data:application/gzip;base64,{base64.b64encode(block).decode()}"


def _page(title: str, shown: dict[str, object]) -> str:
    imports = {name: _script(VENDOR / file) for name, file in LIBRARIES.items()}
    imports |= {f"osimexp/{name}": _script(ASSETS / f"{name}.js") for name in OWN}
    style = _text(VENDOR / "uPlot.min.css") + _text(ASSETS / "page.css")
    return Template(_text(ASSETS / "page.html")).substitute(
        title=visible_html(title),
        style=style,
        # Only a "<" could end a script element.
        shown=json.dumps(shown).replace("<", "\\u003c"),
        imports=json.dumps({"imports": imports}),
        plotting=_text(VENDOR / "uPlot.iife.min.js"),
    )


def _script(file: Path) -> str:
    """Return a module as a data address; only names can be imported in it."""
    text = _text(file).replace("./three.core.min.js", "three/core")
    return f"data:text/javascript;base64,{base64.b64encode(text.encode()).decode()}"


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
