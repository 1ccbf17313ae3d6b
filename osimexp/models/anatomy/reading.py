"""Reading of an anatomy from a YAML file, with checks.

An entry whose name contains ``$`` describes the right side and, mirrored in the sagittal plane, the
left: ``femur_$`` gives ``femur_r`` and ``femur_l``, and every ``$`` inside the entry is replaced
likewise. A file with a ``basis`` describes the differences from another model: its entries replace
those of the same name, key by key, and null removes an entry.
"""

from collections.abc import Collection, Iterator, Mapping
from importlib.resources import files
from itertools import zip_longest
from typing import Any, Literal, TypeVar

import yaml

from osimexp.config import check
from osimexp.errors import ModelError, near_matches
from osimexp.models.anatomy.description import (
    GROUND,
    Anatomy,
    Body,
    ContactSphere,
    Coordinate,
    Floor,
    Joint,
    Limit,
    Muscle,
    PathPoint,
    Point,
    Spring,
    Track,
    Wrap,
)

T = TypeVar("T")

# Fields that hold parts of their own: one part, a list of parts, or a mapping by name.
_PARTS: dict[type, dict[str, tuple[type, Literal["one", "list", "named"]]]] = {
    Anatomy: {
        "bodies": (Body, "named"),
        "joints": (Joint, "named"),
        "muscles": (Muscle, "named"),
        "wraps": (Wrap, "named"),
        "points": (Point, "named"),
        "spheres": (ContactSphere, "named"),
        "floor": (Floor, "one"),
    },
    Joint: {"coordinates": (Coordinate, "named"), "slide": (Track, "one")},
    Coordinate: {"limit": (Limit, "one"), "spring": (Spring, "one")},
    Muscle: {"path": (PathPoint, "list")},
    PathPoint: {"track": (Track, "one")},
}

# Signs of vectors mirrored in the sagittal plane, by the key that holds the vector.
_MIRRORED = {
    "at": (1, 1, -1),
    "centre": (1, 1, -1),
    "location": (1, 1, -1),
    "rotation": (-1, -1, 1),
}


def names() -> tuple[str, ...]:
    """Return the names of the project's own models."""
    found = (entry.name for entry in files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


def load(name: str) -> Anatomy:
    """Return one of the project's own models.

    Raises:
        ModelError: there is no such model, or its parts do not fit together.
        ConfigError: a key is unknown or missing, or a value is of the wrong type.
    """
    if name not in names():
        raise ModelError(f"There is no model {name!r}; {near_matches(name, names())}")
    return parse(name, (files(__package__) / f"{name}.yaml").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Anatomy:
    """Return an anatomy from the text of its YAML file.

    Raises:
        ModelError: the text is not YAML, or the parts do not fit together.
        ConfigError: a key is unknown or missing, or a value is of the wrong type.
    """
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        detail = " ".join(str(error).split())
        raise ModelError(f"The description of {name} is not YAML: {detail}.") from error
    if not isinstance(values, dict):
        raise ModelError(f"The description of {name} must be a mapping of sections.")
    anatomy = _make(Anatomy, {"name": name, **_whole(values)}, name)
    _check_fit(anatomy)
    return anatomy


def _whole(values: dict[str, Any]) -> dict[str, Any]:
    """Return all entries of a description, with those of its basis."""
    own: dict[str, Any] = _both_sides(values)
    basis = own.pop("basis", None)
    if basis is None:
        return own
    if basis not in names():
        raise ModelError(f"There is no basis {basis!r}; {near_matches(str(basis), names())}")
    text = (files(__package__) / f"{basis}.yaml").read_text(encoding="utf-8")
    return _changed(_whole(yaml.safe_load(text)), own)


def _changed(basis: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    changed = dict(basis)
    for key, change in changes.items():
        if change is None:
            changed.pop(key, None)
        elif isinstance(change, dict) and isinstance(changed.get(key), dict):
            changed[key] = _changed(changed[key], change)
        else:
            changed[key] = change
    return changed


def _make(kind: type[T], values: Any, where: str) -> T:
    """Return a dataclass whose parts are checked one by one, so that messages name the part."""
    if not isinstance(values, Mapping):
        raise ModelError(f"{where} must be a mapping of keys to values, not {values!r}.")
    made = dict(values)
    for key, (part, how) in _PARTS.get(kind, {}).items():
        given = made.get(key)
        place = f"{where}.{key}"
        if how == "one" and given is not None:
            made[key] = _make(part, given, place)
        elif how == "named" and isinstance(given, Mapping):
            made[key] = {name: _make(part, one, f"{place}.{name}") for name, one in given.items()}
        elif how == "list" and isinstance(given, list):
            made[key] = [_make(part, one, f"{place}[{i}]") for i, one in enumerate(given, 1)]
    return check(kind, made, where)


def _both_sides(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    result: dict[Any, Any] = {}
    for key, part in value.items():
        if isinstance(key, str) and "$" in key:
            continue
        result[key] = _both_sides(part)
    # The whole right limb comes before the left one, as in OpenSim's own models.
    for side in "rl":
        for key, part in value.items():
            if isinstance(key, str) and "$" in key:
                result[key.replace("$", side)] = _on_side(part, side)
    return result


def _on_side(value: Any, side: str, key: str = "") -> Any:
    """Return the entry of one side from an entry for both; the left one is mirrored."""
    if isinstance(value, dict):
        return {_on_side(k, side): _on_side(v, side, str(k)) for k, v in value.items()}
    if isinstance(value, list):
        signs = _MIRRORED.get(key, ()) if side == "l" else ()
        parts = [_on_side(part, side) for part in value]
        return [
            sign * part if isinstance(part, int | float) else part
            for part, sign in zip_longest(parts, signs[: len(parts)], fillvalue=1)
        ]
    if side == "l" and key == "side":
        return {"+z": "-z", "-z": "+z"}.get(value, value)
    if side == "l" and key == "motion" and value in ("rx", "ry", "tz"):
        raise ModelError(f"A joint of both sides cannot have the motion {value}; write it out.")
    return value.replace("$", side) if isinstance(value, str) else value


def _check_fit(anatomy: Anatomy) -> None:
    """Raise ModelError if a part refers to something that the anatomy does not have."""
    for where, kind, name, known in _references(anatomy):
        if name not in known:
            place = f"{anatomy.name}.{where}"
            raise ModelError(f"{place}: there is no {kind} {name!r}; {near_matches(name, known)}")
    carried = {GROUND}
    for name, joint in anatomy.joints.items():
        place = f"{anatomy.name}.joints.{name}"
        if joint.parent not in carried:
            raise ModelError(
                f"{place}: its parent {joint.parent} must be moved by a joint above it."
            )
        if joint.child in carried:
            raise ModelError(f"{place}: its child {joint.child} is moved by a joint above already.")
        carried.add(joint.child)
    for name in set(anatomy.bodies) - carried:
        raise ModelError(f"{anatomy.name}.bodies.{name} needs a joint of which it is the child.")
    if anatomy.spheres and anatomy.floor is None:
        raise ModelError(f"{anatomy.name} has contact spheres and therefore needs a floor.")


def _references(anatomy: Anatomy) -> Iterator[tuple[str, str, str, Collection[str]]]:
    """Yield each use of a name: its place, its kind, the name, and the known names."""
    bodies = {*anatomy.bodies, GROUND}
    angles = {name for name, one in anatomy.coordinates.items() if one.rotational}
    for name, joint in anatomy.joints.items():
        yield f"joints.{name}.parent", "body", joint.parent, bodies
        yield f"joints.{name}.child", "body", joint.child, anatomy.bodies
        if joint.slide is not None:
            yield (
                f"joints.{name}.slide",
                "angle",
                joint.slide.coordinate,
                angles & {*joint.coordinates},
            )
    for name, wrap in anatomy.wraps.items():
        yield f"wraps.{name}", "body", wrap.body, bodies
    for name, muscle in anatomy.muscles.items():
        for i, point in enumerate(muscle.path, 1):
            where = f"muscles.{name}.path[{i}]"
            yield where, "body", point.body, bodies
            for coordinate in point.when:
                yield where, "angle", coordinate, angles
            if point.track is not None:
                yield where, "angle", point.track.coordinate, angles
        for wrapped in muscle.wraps:
            yield f"muscles.{name}.wraps", "wrap", wrapped, anatomy.wraps
    for name, place in anatomy.points.items():
        yield f"points.{name}", "body", place.body, bodies
    for name, sphere in anatomy.spheres.items():
        yield f"spheres.{name}", "body", sphere.body, anatomy.bodies
