"""The command that renders, and the environments' pictures."""

import sys
from pathlib import Path

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from PIL import Image

from osimexp.cli import render
from osimexp.errors import ConfigError
from osimexp.tasks.compose import single, vector

REACH = ("model=arm", "reward=reach", "physics=opensim")


def test_a_file_is_rendered_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "\n".join(f"{0.1 * i} {5 * i} {10 * i}" for i in range(11))
    (tmp_path / "reach.mot").write_text(
        "reach\nversion=1\nnRows=11\nnColumns=3\ninDegrees=yes\nendheader\n"
        f"time shoulder_flexion elbow_flexion\n{rows}\n"
    )
    monkeypatch.chdir(tmp_path)
    arguments = ["movement=reach.mot", "model=arm", "-o", "reach.gif", "width=160", "height=120"]
    monkeypatch.setattr(sys, "argv", ["render", *arguments, "fps=10"])
    render.main()
    assert "Written to reach.gif (11 frames of 160x120" in capsys.readouterr().out
    with Image.open(tmp_path / "reach.gif") as image:
        assert image.n_frames == 11  # type: ignore[attr-defined]


def test_a_wrong_size_ends_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["render", "-o", "a.mp4"])
    with pytest.raises(SystemExit) as ended:
        render.main()
    assert ended.value.code == 2
    assert "give a run" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_gymnasium_finds_no_fault_with_the_pictures() -> None:
    environment = single(*REACH, render_mode="rgb_array")
    try:
        check_env(environment)
        environment.reset(seed=3)
        before = environment.render()
        for _ in range(10):
            environment.step(np.ones(environment.action_space.shape, dtype=np.float32))
        after = environment.render()
        assert before is not None
        assert after is not None
        assert after.shape == (480, 640, 3)
        assert after.dtype == np.uint8
        assert (before != after).any()
        assert environment.metadata["render_modes"] == ["rgb_array", "human"]
    finally:
        environment.close()


def test_a_batch_gives_a_picture_of_each() -> None:
    batch = vector(2, *REACH, "workers=none", render_mode="rgb_array")
    batch.reset(seed=0)
    pictures = batch.render()
    batch.close()
    assert pictures is not None
    assert len(pictures) == 2
    # Their targets are in different places.
    assert (pictures[0] != pictures[1]).any()


def test_render_modes_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="render_mode 'ansi' is not known"):
        single(*REACH, render_mode="ansi")
    environment = single(*REACH)
    assert environment.render() is None
    environment.close()
    if sys.platform == "linux":
        monkeypatch.delenv("DISPLAY", raising=False)
        with pytest.raises(ConfigError, match=r"window|Tk"):
            single(*REACH, render_mode="human")
