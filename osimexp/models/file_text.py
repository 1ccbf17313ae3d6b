"""The text of an ``.osim`` file, checked before OpenSim reads it.

OpenSim's parser ends the process on deeply nested elements, takes the default where a number cannot
be read, and renames components that have one name.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from osimexp.errors import ModelError
from osimexp.files import LARGE, read_bytes

_DEEPEST = 200
"""Greatest depth of elements; models of OpenSim have about 20."""

_UNIQUE = ("BodySet", "ConstraintSet", "ContactGeometrySet", "ForceSet", "JointSet")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf|infinity)", re.I)

Leaves = dict[tuple[str, ...], str]
"""Texts of elements without children, by the names of the elements around them."""


@dataclass
class ModelText:
    """The text of an ``.osim`` file.

    Attributes:
        text: whole text.
        plain: whether the file is UTF-8, as OpenSim's parser takes every file to be.
        leaves: texts of elements without children.
    """

    text: str
    plain: bool
    leaves: Leaves = field(default_factory=dict)


def read_text(path: Path) -> ModelText:
    """Return the text of an ``.osim`` file.

    Raises:
        ModelError: the file cannot be read, is not XML or no model, has elements nested too deeply
            or two components of one name.
    """
    try:
        data = read_bytes(path, LARGE)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    text, plain = _decoded(data)
    found = _Outline(path)
    found.parse(text)
    return ModelText(text, plain, found.leaves)


def leaves(text: str) -> Leaves:
    """Return the texts of the elements without children of a model's text."""
    found = _Outline(Path("model.osim"))
    found.parse(text)
    return found.leaves


def check_numbers(given: Leaves, taken: Leaves, path: Path) -> list[str]:
    """Refuse texts that OpenSim took for a number other than the one that they are.

    Args:
        given: leaves of the file.
        taken: leaves of the model that OpenSim made of it.
        path: path of the file, for messages.

    Returns:
        Names of the numbers that the file leaves empty, so that OpenSim took its default.

    Raises:
        ModelError: a text is no number.
    """
    empty = []
    for key, after in taken.items():
        before = given.get(key)
        if before is None or not after.strip() or not _numeric(after):
            continue
        if not before.strip():
            empty.append(_named(key))
        elif not _numeric(before):
            raise ModelError(
                f"{path}: {_named(key)} is {before.strip()[:60]!r}, which is no number; OpenSim "
                f"would take {after.strip()[:60]}."
            )
    return empty


def _named(key: tuple[str, ...]) -> str:
    return f"{key[-1]} of {key[-2].partition(':')[2] or key[-2]}"


def _numeric(text: str) -> bool:
    return all(_NUMBER.fullmatch(word) for word in text.split())


def _decoded(data: bytes) -> tuple[str, bool]:
    """Return the text in bytes, and whether they are UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), False
    try:
        return data.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        pass
    said = re.match(rb"<\?xml[^>]*encoding=[\"']([\w.-]+)", data)
    for encoding in (said[1].decode() if said else "cp1252", "cp1252"):
        try:
            return data.decode(encoding), False
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("latin-1"), False


class _Outline:
    """The elements of a model's text: their depth, the names in sets, and the leaves."""

    def __init__(self, path: Path) -> None:
        self.leaves: Leaves = {}
        self._path = path
        self._stack: list[str] = []
        self._text: list[str] = []
        self._leaf = False
        self._seen: set[tuple[str, ...]] = set()
        self._names: dict[str, Counter[str]] = {}

    def parse(self, text: str) -> None:
        # Without namespaces, as old files have tags such as HuntCrossleyForce::ContactParameters.
        parser = expat.ParserCreate(encoding="utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(text.encode("utf-8", "surrogatepass"), True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise ModelError(
                f"{self._path} is not an OpenSim model, because it is not XML (line "
                f"{error.lineno}: {reason})."
            ) from error
        if not any(name.partition(":")[0] == "Model" for name in self._roots):
            raise ModelError(f"{self._path} is not an OpenSim model, because it has no Model.")
        for kind, names in self._names.items():
            for name, count in names.items():
                if count > 1:
                    raise ModelError(
                        f"{self._path} has {count} components {name!r} in its {kind}; give each a "
                        "name of its own."
                    )

    @property
    def _roots(self) -> set[str]:
        return self._children

    def _doctype(self, *_: object) -> None:
        raise ModelError(f"{self._path} has a DOCTYPE, which OpenSim cannot read; take it out.")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._stack:
            self._children: set[str] = set()
            if tag != "OpenSimDocument":
                raise ModelError(
                    f"{self._path} is not an OpenSim model, because it begins with <{tag}> and not "
                    "with <OpenSimDocument>."
                )
        name = attributes.get("name")
        if len(self._stack) == 1:
            self._children.add(tag)
        if len(self._stack) >= _DEEPEST:
            raise ModelError(
                f"{self._path} has elements nested more than {_DEEPEST} deep, which is no model of "
                "OpenSim."
            )
        if name and "defaults" not in self._stack:
            group = self._group(tag)
            if group is not None:
                self._names.setdefault(group, Counter())[name] += 1
        self._stack.append(f"{tag}:{name}" if name else tag)
        self._text.clear()
        self._leaf = True

    def _group(self, tag: str) -> str | None:
        """Return the set in which an element's name must be unique."""
        if tag == "Coordinate":
            return "coordinates"
        if len(self._stack) > 1 and self._stack[-1] == "objects":
            kind = self._stack[-2].partition(":")[0]
            return kind if kind in _UNIQUE else None
        return None

    def _end(self, _: str) -> None:
        if self._leaf:
            key = tuple(self._stack)
            if key in self._seen:
                self.leaves.pop(key, None)  # Which of them OpenSim takes is not known.
            else:
                self._seen.add(key)
                self.leaves[key] = "".join(self._text)
        self._leaf = False
        self._stack.pop()
        self._text.clear()
