"""A walk's figures do not depend on the direction in which it goes."""

from dataclasses import replace

import gait_walker as walker
import numpy as np
import pytest

from osimexp.analysis.gait.measure import Gait, measure
from osimexp.analysis.gait.parameters import BOTH
from osimexp.analysis.gait.settings import SIDES, default_settings
from osimexp.analysis.gait.spatiotemporal import symmetry_index
from osimexp.analysis.shown import Shown
from osimexp.physics.posing.figure import Poses


def turned(belt: float, degrees: float, faced: float) -> Shown:
    """Return the walk turned about the vertical, with bodies that face in a direction."""
    made = walker.shown(belt)
    turn, face = rotation(degrees), rotation(faced)
    bodies = made.poses.bodies.copy()
    bodies[:, :, :3, 3] = bodies[:, :, :3, 3] @ turn.T
    bodies[:, :, :3, :3] = face
    forces = made.movement.ground_reaction @ turn.T
    found = replace(made, movement=replace(made.movement, ground_reaction=forces))
    vars(found)["figure"] = made.figure
    vars(found)["poses"] = Poses(bodies, (), made.poses.centre_of_mass @ turn.T)
    return found


def rotation(degrees: float) -> np.ndarray:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def same(gait: Gait, reference: Gait) -> None:
    assert [one.key for one in gait.parameters] == [one.key for one in reference.parameters]
    for one, right in zip(gait.parameters, reference.parameters, strict=True):
        for column in (*SIDES, BOTH):
            assert one.mean(column) == pytest.approx(right.mean(column), abs=1e-8), one.key


@pytest.mark.parametrize("degrees", [30.0, 90.0, -90.0, 180.0])
@pytest.mark.parametrize("belt", [0.0, 1.1, walker.LENGTH / walker.STRIDE])
def test_a_walk_is_the_same_in_every_direction(degrees: float, belt: float) -> None:
    gait = measure(turned(belt, degrees, degrees), default_settings())
    same(gait, measure(walker.shown(), default_settings()))
    assert gait.belt == pytest.approx(belt, abs=1e-9)
    assert not any("backwards" in note for note in gait.notes)


@pytest.mark.parametrize("degrees", [0.0, 180.0])
@pytest.mark.parametrize("belt", [0.0, walker.LENGTH / walker.STRIDE])
def test_a_walk_backwards_is_measured_along_its_way_and_said(degrees: float, belt: float) -> None:
    gait = measure(turned(belt, degrees, degrees + 180.0), default_settings())
    assert gait.belt == pytest.approx(belt, abs=1e-9)
    speed = gait.parameter("speed")
    assert speed is not None
    assert speed.mean(BOTH) == pytest.approx(walker.LENGTH / walker.STRIDE, abs=1e-8)
    assert any("backwards" in note for note in gait.notes)


@pytest.mark.parametrize(
    ("degrees", "words"),
    [
        (0.0, ""),
        (5.0, ""),
        (30.0, "30 degrees to the left of the x axis"),
        (-90.0, "90 degrees to the right of the x axis"),
        (180.0, "against the x axis"),
    ],
)
def test_the_way_of_a_walk_is_said_where_it_is_not_x(degrees: float, words: str) -> None:
    gait = measure(turned(0.0, degrees, degrees), default_settings())
    said = [note for note in gait.notes if "The walk goes" in note]
    assert len(said) == bool(words)
    assert all(f"The walk goes {words}: " in note for note in said)


def test_a_mean_of_nothing_has_no_symmetry_index() -> None:
    assert np.isnan(symmetry_index(0.3, -0.3))
    assert np.isnan(symmetry_index(0.0, 0.0))
