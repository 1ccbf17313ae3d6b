"""Images of evaluations in TensorBoard."""

import io
from pathlib import Path

from commands import Command
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def test_an_evaluation_is_shown_as_a_clip_and_a_figure(command: Command, place: Path) -> None:
    answer = command(
        "model=arm", "reward=reach", "algo=ppo", "run.folder=run", "run.steps=100",
        "run.evaluation.every=100", "run.evaluation.episodes=1", "run.threads=1",
        "run.evaluation.final_episodes=1", "workers=none", "physics=compiled",
        "algo.environments=2", "algo.rollout_steps=8", "algo.minibatch_size=8",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    events = EventAccumulator(str(place / "run"))
    events.Reload()
    assert set(events.Tags()["images"]) == {"evaluation/clip", "evaluation/figure"}
    (clip,) = events.Images("evaluation/clip")
    assert clip.step == 100
    with Image.open(io.BytesIO(clip.encoded_image_string)) as image:
        # Two seconds at 20 frames a second, both ends included.
        assert (image.format, image.n_frames) == ("GIF", 41)
        assert image.size == (clip.width, clip.height) == (320, 240)
    (figure,) = events.Images("evaluation/figure")
    with Image.open(io.BytesIO(figure.encoded_image_string)) as image:
        assert image.format == "PNG"
