"""Names with control characters and markup, in all that commands print and write."""

import io
import logging
import re
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from commands import SMALL_PPO, SUPPORT, Answer, Command, exit_code
from made_runs import make_run
from matplotlib.figure import Figure
from rich.table import Table

from osimexp.analysis.gait import panels
from osimexp.cli import (
    bench,
    compare,
    describe,
    evaluate,
    gait,
    keep,
    render,
    report,
    runs,
    train,
    view,
)
from osimexp.config import config_directory
from osimexp.experiment.evaluation import Evaluation
from osimexp.experiment.run_folder import RunFolder
from osimexp.results.choosing import compared
from osimexp.results.figures import draw_curves, draw_profiles, draw_scores
from osimexp.results.latex import escaped
from osimexp.tasks.description import Description, Done, Observed, Part
from osimexp.terminal import Console, LogFormatter, say
from osimexp.visible import visible, visible_html
from osimexp.words import quoted

# Clears the screen, returns to the begin of the line, rings, reverses the line, ends it; is markup
# of rich, a formula of matplotlib and an element of html; and one byte that is no UTF-8.
HOSTILE = "[bold]x[red]\x1b[2J\r\x07\x9b1m\u202e\u2028:smile:$\\frac{$<b>&\udcff"
SEEN = r"[bold]x[red]\x1b[2J\r\x07\x9b1m\u202e\u2028:smile:$\frac{$<b>&\udcff"
PLAIN = HOSTILE[:-1]  # without the byte, for what must be UTF-8


def clean(text: str) -> bool:
    """Whether no character of the lines of a text does anything but be seen."""
    unseen = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return not any(unicodedata.category(c) in unseen for c in text.replace("\n", ""))


def shows(answer: Answer, name: str = SEEN) -> bool:
    """Whether a command succeeded and showed a name, which may be folded in a table."""
    said = re.sub(r"\s", "", answer.out)
    return answer.code == 0 and clean(answer.out + answer.err) and re.sub(r"\s", "", name) in said


def test_every_character_is_seen() -> None:
    assert visible(HOSTILE) == SEEN
    assert visible("größe µ 足") == "größe µ 足"
    assert visible("größe", "ascii") == r"gr\xf6\xdfe"
    assert visible("a\nb\tc") == r"a\nb\tc"
    assert visible_html(HOSTILE).endswith(r":smile:$\frac{$&lt;b&gt;&amp;\udcff")


def test_lines_and_tables_are_text_in_any_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding, name in (("utf-8", SEEN + "ö"), ("ascii", SEEN + r"\xf6")):
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))
        say(f"{HOSTILE}ö", "second\nline")
        table = Table(f"{HOSTILE}ö", title=f"title {HOSTILE}ö", caption=HOSTILE)
        table.add_row(f"{HOSTILE}ö")
        Console(width=200).print(table)
        Console(width=200).print(f"{HOSTILE}ö")
        sys.stdout.flush()
        text = written.getvalue().decode(encoding)
        assert clean(text)
        assert text.splitlines()[:2] == [name, r"second\nline"]
        assert text.count(name) == 5


def test_a_command_whose_output_is_closed_ends_well(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(place / "run", [1.0, 2.0])
    for main, words in ((runs.main, ("run",)), (compare.main, ("run", "-o", "out"))):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", None)  # As Python has it after `>&-`.
            assert exit_code(main, *words) == 0
    assert (place / "out" / "scores.csv").is_file()


def test_log_lines_are_one_line() -> None:
    record = logging.LogRecord("osimexp", logging.INFO, "", 0, "read %s", (PLAIN + "\n!",), None)
    assert LogFormatter("%(message)s").format(record) == f"read {visible(PLAIN)}\\n!"
    frame = (config_directory() / "command" / "frame.yaml").read_text()
    assert frame.count("osimexp.terminal.LogFormatter") == 2


def test_runs_compare_and_report(command: Command, place: Path) -> None:
    for seed in range(3):
        make_run(
            place / "all" / f"{HOSTILE}{seed}", [1.0, 2.0 + seed], {"algo": HOSTILE}, seed=seed
        )
        make_run(place / "all" / f"_b{seed}", [1.0, 3.0], {"algo": "_b"}, seed=seed, x=HOSTILE)
    RunFolder(place / "all" / f"{HOSTILE}0").mark("failed", PLAIN)
    (place / "all" / "_b0" / f"{PLAIN}.mp4").write_bytes(b"moving")
    listed = command("all", main=runs.main)
    assert shows(listed)
    assert f"failed: {visible(PLAIN)}" in listed.out
    assert shows(command("all", f"algo={HOSTILE}", main=runs.main))
    assert shows(command("all", "state=failed", main=runs.main))
    assert shows(command("all", "-o", "out", main=compare.main))
    assert command("all", "-o", "page.html", main=report.main).code == 0
    page = Path("page.html").read_text()
    assert clean(page)
    assert visible_html(HOSTILE) in page
    assert "<b>" not in page
    assert clean(Path("page.tex").read_text())
    (place / "all" / f"{HOSTILE}1" / "run.json").write_text("{")
    answer = command("all", main=runs.main)
    assert clean(answer.out + answer.err)


def test_a_run_in_a_folder_of_such_a_name(command: Command, place: Path) -> None:
    folder = f"run.folder={quoted(PLAIN)}"
    named = [word for word in SMALL_PPO if not word.startswith("run.folder")]
    assert shows(command(*named, folder), visible(PLAIN))
    run = f"run={quoted(PLAIN)}"
    flag = f"--config-dir={SUPPORT / 'conf'}"
    assert shows(command(run, "episodes=2", flag, main=evaluate.main), visible(PLAIN))
    kept = command(run, f"to={quoted(PLAIN + '2')}", flag, main=keep.main)
    assert shows(kept, visible(PLAIN) + "2")


@pytest.mark.parametrize(
    ("words", "main"),
    [
        ((f"run={quoted(PLAIN)}",), evaluate.main),
        ((f"run={quoted(PLAIN)}",), render.main),
        ((f"run={quoted(PLAIN)}",), view.main),
        ((f"run={quoted(PLAIN)}",), gait.main),
        ((f"run={quoted(PLAIN)}", "to=x"), keep.main),
        ((PLAIN,), compare.main),
        ((PLAIN,), report.main),
        ((f"algo={quoted(PLAIN)}",), train.main),
        ((f"resume={quoted(PLAIN)}",), train.main),
        (("model=file", f"model.path={quoted(PLAIN)}", "model.base.body=x"), describe.main),
        (("model=arm", f"model.path={quoted(PLAIN)}"), describe.main),
        ((f"reward.{PLAIN}=1",), describe.main),
        ((PLAIN,), bench.main),
        (("physics", f"models=[{quoted(PLAIN)}]"), bench.main),
        ((f"run={quoted(PLAIN)}", f"movement={quoted(PLAIN)}"), gait.main),
    ],
)
def test_refusals_are_one_clean_line(
    command: Command, words: tuple[str, ...], main: object
) -> None:
    answer = command(*words, main=main)
    assert answer.refuses("Error: ")
    assert clean(answer.err)


def test_movements_and_models_of_such_names(command: Command, place: Path) -> None:
    file = Path(f"{PLAIN}.mot")
    rows = [f"{t:.2f}\t0.0\t{90 * t:.4f}" for t in np.arange(101) / 100]
    head = ["Coordinates", "version=1", f"nRows={len(rows)}", "nColumns=3", "inDegrees=yes"]
    names = "time\tshoulder_flexion\telbow_flexion"
    file.write_text("\n".join([*head, "endheader", names, *rows]) + "\n")
    arm = (f"movement={quoted(str(file))}", "model=arm", "model.paths=geometry")
    assert shows(command(*arm, f"output={quoted(PLAIN)}", main=gait.main), visible(PLAIN))
    page = place / f"{PLAIN}.html"
    shown = command(*arm, f"export={quoted(page.name)}", main=view.main)
    assert shows(shown, visible(PLAIN))
    assert clean(page.read_text().replace("\t", " "))
    clip = (f"output={quoted(PLAIN + '.png')}", "moments=2", "width=64", "height=64")
    assert shows(command(*arm, *clip, main=render.main), visible(PLAIN))


def test_help_and_composed_configs(command: Command) -> None:
    for flags in (("--help",), ("--cfg", "job")):
        answer = command(f"run.name={quoted(PLAIN)}", *flags)
        assert answer.code == 0, answer.err
        assert clean(answer.out + answer.err)
        assert "smile" in answer.out


def test_descriptions_and_evaluations() -> None:
    description = Description(
        (Observed(HOSTILE, HOSTILE),),
        (Done(HOSTILE, HOSTILE, 0.0, 1.0),),
        (Part(HOSTILE, HOSTILE, {HOSTILE: HOSTILE, "list": (HOSTILE,)}, 1.0),),
        (Part(HOSTILE, HOSTILE, {}),),
        (Part(HOSTILE, HOSTILE, {}),),
        {HOSTILE: HOSTILE},
    )
    text = io.StringIO()
    for table in description.tables():
        Console(width=600, file=text).print(table)
    values = {"return": np.ones(2), HOSTILE: np.ones(2)}
    Console(width=600, file=text).print(Evaluation(values, 0).table(HOSTILE))
    assert clean(text.getvalue())
    assert text.getvalue().count(SEEN) == 17
    assert clean(str(description))


def test_no_name_is_a_formula_of_a_figure(place: Path, recwarn: pytest.WarningsRecorder) -> None:
    for group in (PLAIN, "_b", "$x$"):
        for seed in range(2):
            make_run(
                place / f"all/{len(group)}{seed}", [1.0, 2.0], {"algo": group}, seed=seed, x=group
            )
    comparison, _ = compared(["all"], "return", [], 100)
    drawn = [paint(comparison) for paint in (draw_scores, draw_curves, draw_profiles)]
    for figure in drawn:
        assert panels.encoded(figure).startswith(b"\x89PNG")
    for figure in drawn[1:]:
        assert len(figure.axes[0].get_legend().get_texts()) == 3  # type: ignore[union-attr]
    assert not [one for one in recwarn if "font" in str(one.message)]
    assert clean(escaped(HOSTILE))


def test_dollars_of_a_name_are_drawn() -> None:
    def width(name: str) -> float:
        figure = Figure(figsize=(4, 1))
        axes = figure.subplots()
        axes.set_xticks([0.0], [name])
        axes.set_title(name)
        panels.encoded(figure)
        return float(axes.title.get_window_extent().width)

    assert width("$a$") > width("a") * 2
    assert width("$\\frac{$") > width("a") * 2  # which is no formula at all
