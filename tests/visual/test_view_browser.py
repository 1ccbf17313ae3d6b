from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser, chromium
from pages import sphere
from walker import walk, walker

from osimexp.physics.posing.figure import Piece
from osimexp.visual.page.encoding import encode_figure, encode_movement
from osimexp.visual.page.html import Packed, exported
from osimexp.visual.page.server import PageServer
from osimexp.visual.page.triangles import Triangles

ABOUT_A_JOB = 10.0  # s


def unread(file: Path) -> Triangles:
    raise AssertionError(file)


def packed(name: str, **how: Any) -> Packed:
    movement, poses = walk(**{"seconds": 3.0, **how})
    return Packed(name, encode_figure(walker(), unread), encode_movement(movement, poses))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(chromium(), tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Browser]:
    browser.problems.clear()
    yield browser
    assert browser.problems == []


@pytest.fixture
def opened(page: Browser, tmp_path: Path) -> Callable[..., Browser]:
    """Open an exported page as a file, without a network, and hold it at its beginning."""

    def open_(*shown: Packed) -> Browser:
        file = tmp_path / "walk.html"
        file.write_text(exported("walk", shown), encoding="utf-8")
        page.open(file.as_uri(), offline=True)
        press(page, "play")
        seek(page, 0.0)
        return page

    return open_


def press(page: Browser, name: str) -> None:
    page.value(f"document.getElementById('{name}').click()")


def choose(page: Browser, name: str, value: str) -> None:
    page.value(
        f"(() => {{ const e = document.getElementById('{name}'); e.value = '{value}';"
        "e.dispatchEvent(new Event('change')); })()"
    )
    drawn(page)


def seek(page: Browser, time: float) -> None:
    page.value(
        f"(() => {{ const e = document.getElementById('scrub'); e.value = {time};"
        "e.dispatchEvent(new Event('input')); })()"
    )
    drawn(page)


def drawn(page: Browser) -> None:
    """Wait for what was asked for to be on the screen."""
    page.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def time_of(page: Browser) -> float:
    return float(page.value("document.getElementById('scrub').value"))


def cursors(page: Browser) -> list[float]:
    """How far along each of the curves' plots its line stands, from 0 to 1."""
    return page.value(
        "[...document.querySelectorAll('.now')].map(line => "
        "(line.getBoundingClientRect().left - line.parentElement.getBoundingClientRect().left)"
        " / line.parentElement.clientWidth)"
    )


def changed(one: Any, two: Any) -> float:
    """Share of pixels that differ visibly between pictures."""
    return float((np.abs(one.astype(int) - two.astype(int)).max(axis=-1) > 24).mean())


def test_an_exported_page_shows_a_figure_and_curves(opened: Callable[..., Browser]) -> None:
    page = opened(packed("A walk"))
    view = page.picture("#stage")
    assert len(np.unique(view.reshape(-1, 3), axis=0)) > 500  # shaded shapes
    middle = view[100:-100, view.shape[1] // 3 : -view.shape[1] // 3].astype(int)
    ivory = (middle[..., 0] > middle[..., 2] + 15) & (middle[..., 0] > 120)
    muscle = (middle[..., 0] > middle[..., 1] + 60) & (middle[..., 0] > middle[..., 2] + 60)
    assert ivory.mean() > 0.02
    assert muscle.mean() > 0.001
    assert page.value("document.querySelector('#names').textContent") == "A walk"
    titles = page.value("[...document.querySelectorAll('.panel header select')].map(s => s.value)")
    assert titles == ["Joint angles", "Activations", "Ground forces"]
    for number in range(3):
        plot = page.picture(f".panel:nth-child({number + 1}) .plot").astype(int)
        assert (np.ptp(plot, axis=-1) > 60).mean() > 0.01  # coloured lines


def test_playing_moves_time_figure_and_curves_together(opened: Callable[..., Browser]) -> None:
    page = opened(packed("walk"))
    before, stood = page.picture("#stage"), cursors(page)
    assert stood == pytest.approx([0.0] * 3, abs=0.01)
    press(page, "play")
    page.wait("Number(document.getElementById('scrub').value) > 0.3", ABOUT_A_JOB)
    press(page, "play")
    drawn(page)
    time = time_of(page)
    assert time >= 0.3
    assert cursors(page) == pytest.approx([time / 3.0] * 3, abs=0.01)
    assert changed(before, page.picture("#stage")) > 0.01
    again = time_of(page)
    drawn(page)
    assert time_of(page) == again  # it stands still


def test_scrubbing_sets_the_time_of_everything(opened: Callable[..., Browser]) -> None:
    page = opened(packed("walk"))
    movement, _ = walk(3.0)
    before = page.picture("#stage")
    seek(page, 1.5)
    assert cursors(page) == pytest.approx([0.5] * 3, abs=0.01)
    assert page.value("document.getElementById('time').textContent") == "1.50 / 3.00 s"
    hip = np.rad2deg(movement.coordinate("hip_r")[150])
    values = page.value("document.querySelector('.panel .values').textContent")
    assert f"hip_r {hip:.1f}" in values
    assert changed(before, page.picture("#stage")) > 0.01
    seek(page, 0.0)
    assert changed(before, page.picture("#stage")) < 0.002  # as it was


def test_a_press_on_the_curves_sets_the_time(opened: Callable[..., Browser]) -> None:
    page = opened(packed("walk"))
    x, y = page.value(
        "(() => { const b = document.querySelector('.u-over').getBoundingClientRect();"
        "return [b.left + b.width / 3, b.top + b.height / 2]; })()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        page.tell("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    assert time_of(page) == pytest.approx(1.0, abs=0.02)


def test_slowing_down_and_stepping(opened: Callable[..., Browser]) -> None:
    page = opened(packed("walk"))
    press(page, "forth")
    press(page, "forth")
    press(page, "back")
    assert time_of(page) == pytest.approx(0.02, abs=1e-3)
    travelled = {}
    for speed in ("1", "0.1"):
        choose(page, "speed", speed)
        seek(page, 0.0)
        travelled[speed] = page.value(
            "(() => { const p = osimexp.player; p.play(true); p.advance(0.2); p.play(false);"
            "return p.time; })()"
        )
    assert travelled == pytest.approx({"1": 0.2, "0.1": 0.02})


def test_dragging_turns_and_the_wheel_zooms(opened: Callable[..., Browser]) -> None:
    page = opened(packed("walk"))
    drag = {"button": "left", "buttons": 1, "clickCount": 1}
    before = page.picture("#stage")
    page.tell("Input.dispatchMouseEvent", type="mousePressed", x=300, y=400, **drag)
    page.tell("Input.dispatchMouseEvent", type="mouseMoved", x=420, y=400, **drag)
    page.tell("Input.dispatchMouseEvent", type="mouseReleased", x=420, y=400, **drag)
    drawn(page)
    turned = page.picture("#stage")
    assert changed(before, turned) > 0.02
    page.tell("Input.dispatchMouseEvent", type="mouseWheel", x=300, y=400, deltaX=0, deltaY=-400)
    drawn(page)
    assert changed(turned, page.picture("#stage")) > 0.02


def test_a_second_walk_is_a_ghost_or_beside_or_hidden(opened: Callable[..., Browser]) -> None:
    page = opened(packed("slow"), packed("fast", speed=1.6, seconds=2.0))
    seek(page, 1.0)
    seen = {"ghost": page.picture("#stage")}
    for mode in ("beside", "hidden"):
        choose(page, "second", mode)
        seen[mode] = page.picture("#stage")
    assert changed(seen["ghost"], seen["beside"]) > 0.02
    assert changed(seen["ghost"], seen["hidden"]) > 0.01
    choose(page, "second", "ghost")
    apart = page.picture("#stage")
    press(page, "together")
    drawn(page)
    assert changed(apart, page.picture("#stage")) > 0.01
    values = page.value("document.querySelector('.panel .values b').textContent")
    assert " | " in values


def test_meshes_are_drawn_where_there_are_files(opened: Callable[..., Browser]) -> None:
    figure = walker()
    meshed = Piece(0, "mesh", (0.3, 0.6, 0.3), np.eye(4), file=Path("ball.vtp"))
    without = replace(figure, pieces=(), muscles=(), muscle_radii=np.zeros(0))
    movement, poses = walk(1.0)
    packed = Packed(
        "meshed",
        encode_figure(replace(without, pieces=(meshed,)), lambda file: sphere(20)),
        encode_movement(replace(movement, targets={}), replace(poses, paths=())),
    )
    page = opened(packed)
    view = page.picture("#stage")[:600, 250:650].astype(int)  # without what lies over it
    ivory = (view[..., 0] > view[..., 2] + 12) & (view[..., 0] > view[..., 1])
    # An ellipsoid twice as high as it is wide, give or take what shading hides.
    height, width = np.ptp(np.nonzero(ivory), axis=1)
    assert height == pytest.approx(2 * width, rel=0.25)


def test_a_served_page_takes_up_what_is_newer(page: Browser) -> None:
    with PageServer("live", 0, live=True) as server:
        server.show([packed("first")], "after 100 steps")
        page.open(server.address)
        press(page, "play")
        assert page.value("document.getElementById('note').textContent") == "after 100 steps"
        server.show([packed("second", seconds=2.0)], "after 200 steps")
        page.wait("document.body.dataset.version === '2'", ABOUT_A_JOB)
        assert page.value("document.getElementById('note').textContent") == "after 200 steps"
        assert page.value("document.querySelector('#names').textContent") == "second"
        assert float(page.value("document.getElementById('scrub').max")) == pytest.approx(2.0)


def test_a_served_page_waits_for_a_first_movement(page: Browser) -> None:
    with PageServer("live", 0, live=True) as server:
        server.show([], "waiting for the first checkpoint")
        page.open(server.address)
        server.show([packed("first")])
        page.wait("document.body.dataset.version === '2'", ABOUT_A_JOB)
        drawn(page)
        assert len(np.unique(page.picture("#stage").reshape(-1, 3), axis=0)) > 500
