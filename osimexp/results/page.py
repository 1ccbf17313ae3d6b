"""A comparison as one html page with everything inside."""

import base64
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from matplotlib.figure import Figure

from osimexp.analysis.gait.panels import encoded
from osimexp.experiment.differences import EVALUATION, TASK, differing, facts_of
from osimexp.experiment.summary import Summary, curve
from osimexp.results.comparison import Comparison, Standing
from osimexp.results.figures import COLOURS, draw_curves, draw_profiles, draw_scores
from osimexp.results.tables import said
from osimexp.sweeps.repeating import command_of_run, command_of_sweep
from osimexp.visible import visible_html as escape

_VIDEOS = {".mp4": "video/mp4", ".gif": "image/gif", ".webm": "video/webm"}

Cells = Sequence[str]


def page(
    comparison: Comparison,
    movement: Sequence[Cells],
    left_out: Sequence[str],
    command: str,
    largest_video: float,
) -> str:
    """Return the page: differences, results, every run, and the commands that repeat it.

    Args:
        comparison: comparison of the runs.
        movement: a line for each metric of movement, its name first, then a cell for each group.
        left_out: sentences on the runs that are left out.
        command: command that makes the page.
        largest_video: size above which a video is named and not shown, MB.
    """
    style = files("osimexp.results").joinpath("page.css").read_text(encoding="utf-8")
    title = " or ".join(standing.group.label for standing in comparison.standings[:4])
    more = len(comparison.standings) - 4
    title += f" or {more} more" if more > 0 else ""
    if len(comparison.standings) > 1:
        title += "?"
    parts = [
        f"<h1>{escape(title)}</h1>",
        *_question(comparison),
        *_answer(comparison),
        *_movement(comparison, movement),
        *_runs(comparison, largest_video),
        *_left_out(left_out),
        *_again(comparison, command),
    ]
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style></head>\n"
        '<body data-ready="true"><main>\n' + "\n".join(parts) + "\n</main></body></html>\n"
    )


def _question(comparison: Comparison) -> Iterable[str]:
    """Yield the settings that differ and those that do not."""
    standings = comparison.standings
    firsts = [standing.group.members[0] for standing in standings]
    facts = [facts_of(summary.config) for summary in firsts]
    yield "<h2>Differences</h2>"
    keys = differing(facts)
    if not keys:
        yield "<p>Only the seeds differ.</p>"
    else:
        labels = [standing.group.label for standing in standings]
        rows = [[key, *(_text(own.get(key)) for own in facts)] for key in keys]
        yield _folded(f"{len(keys)} keys differ between the groups", _table(["key", *labels], rows))
    same = facts[0]
    seeds = sorted({str(s.config.get("seed")) for st in standings for s in st.group.members})
    choices = {
        name: option
        for name, option in firsts[0].choices.items()
        if option is not None and all(s.choices.get(name) == option for s in firsts)
    }
    common = [f"{name}={option}" for name, option in choices.items()]
    common += [f"{key}={_text(same.get(key))}" for key in EVALUATION if key not in keys]
    yield f"<p>The same for all: {escape(', '.join(common))}.</p>"
    yield f"<p>Seeds: {escape(', '.join(sorted(seeds, key=lambda s: (len(s), s))))}.</p>"
    inner = [[key, _text(v)] for key, v in same.items() if key.split(".")[0] in TASK]
    inner = [row for row in inner if row[0] not in keys]
    yield _folded("All settings of the task", _table(["key", "value"], inner))


def _answer(comparison: Comparison) -> Iterable[str]:
    yield "<h2>Results</h2>"
    yield f"<p>{escape(' '.join(_sentences(comparison)))}</p>"
    rows = [
        [
            standing.group.label,
            str(len(standing.scores)),
            *map(said, (standing.interquartile_mean, standing.median, standing.mean)),
        ]
        for standing in comparison.standings
    ]
    yield _table(["group", "seeds", "interquartile mean", "median", "mean"], rows)
    if comparison.pairs:
        rows = [[p.above, p.below, said(p.probability), p.verdict] for p in comparison.pairs]
        yield _table(["group", "other", "probability of improvement", "verdict"], rows)
    yield (
        f"<p class='note'>{escape(comparison.figure)} of final evaluations; intervals are 95 % "
        "bootstrap intervals over seeds (Agarwal et al. 2021, arXiv:2108.13264).</p>"
    )
    for note in comparison.warnings():
        yield f"<p class='note'>{escape(note)}</p>"
    for drawn, what in (
        (draw_scores(comparison), "Interquartile mean of each group with its interval, and runs"),
        (draw_curves(comparison), "Interquartile mean of evaluations in training"),
        (draw_profiles(comparison), "Share of runs above each level"),
    ):
        yield _picture(drawn, what)


def _sentences(comparison: Comparison) -> Iterable[str]:
    best = comparison.standings[0]
    yield (
        f"{best.group.label} has the highest interquartile mean, {said(best.interquartile_mean)}."
        if len(comparison.standings) > 1
        else f"{best.group.label} has an interquartile mean of {said(best.interquartile_mean)}."
    )
    mine = [pair for pair in comparison.pairs if pair.above == best.group.label]
    for verdict, words in (
        ("above", "It is above"),
        ("not told apart", "It cannot be told apart from"),
        ("too few seeds", "There are too few seeds to tell it apart from"),
    ):
        if others := [pair.below for pair in mine if pair.verdict == verdict]:
            yield f"{words} {' and '.join(others)}."


def _movement(comparison: Comparison, lines: Sequence[Cells]) -> Iterable[str]:
    if lines:
        yield "<h2>Movement</h2>"
        yield _table(
            ["metric", *(standing.group.label for standing in comparison.standings)], lines
        )
        yield (
            "<p class='note'>Interquartile means over runs with 95 % bootstrap intervals; speed, "
            "effort and falls are of final evaluations.</p>"
        )


def _runs(comparison: Comparison, largest_video: float) -> Iterable[str]:
    yield "<h2>The runs</h2>"
    for place, standing in enumerate(comparison.standings):
        colour = COLOURS[place % len(COLOURS)]
        yield f"<h3>{escape(standing.group.label)}</h3>"
        curves = [curve(s.run, comparison.figure) for s in standing.group.members]
        low, high = _ends(comparison)
        for summary, score, points in zip(
            standing.group.members, standing.scores, curves, strict=True
        ):
            seed = summary.config.get("seed")
            line = _spark(points, low, high, summary.budget, colour)
            head = f"seed {escape(str(seed))} {line} {escape(comparison.figure)} {score:.4g}"
            yield _folded(head, "".join(_run(summary, largest_video)), safe=True)


def _run(summary: Summary, largest_video: float) -> Iterable[str]:
    record = summary.run.record()
    words = summary.run.overrides()
    made = command_of_run(str(record.get("command") or ""), summary.run.path)
    facts = [
        ("folder", str(summary.run.path)),
        ("started", summary.started.isoformat(" ", "seconds") if summary.started else "unknown"),
        ("config", ", ".join(words) or "the defaults"),
        ("command", "unknown" if made is None else made.command),
        ("versions", ", ".join(f"{k} {v}" for k, v in (record.get("versions") or {}).items())),
        ("git", " ".join(f"{k} {v}" for k, v in (record.get("git") or {}).items())),
    ]
    yield _table(None, [[name, value] for name, value in facts if value])
    for file in filter(Path.is_file, sorted(summary.run.path.rglob("*"))):
        if (kind := _VIDEOS.get(file.suffix)) is not None:
            yield _video(file, kind, largest_video)


def _video(file: Path, kind: str, largest: float) -> str:
    size = file.stat().st_size / 1e6
    if size > largest:
        return f"<p class='note'>{escape(str(file))} is {size:.0f} MB and not shown here.</p>"
    data = f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
    if kind.startswith("image"):
        return f'<img alt="{escape(file.name)}" src="{data}">'
    return f'<video controls muted src="{data}"></video>'


def _left_out(reasons: Sequence[str]) -> Iterable[str]:
    if reasons:
        yield "<h2>Left out</h2>"
        yield "<ul>" + "".join(f"<li>{escape(reason)}</li>" for reason in reasons) + "</ul>"


def _again(comparison: Comparison, command: str) -> Iterable[str]:
    yield "<h2>Commands that repeat it</h2>"
    lines: dict[str, None] = {}
    notes: dict[str, None] = {}
    for summary in (s for standing in comparison.standings for s in standing.group.members):
        path = summary.run.path
        recorded = str(summary.run.record().get("command") or "")
        sweep = command_of_sweep(path.parent)
        again, of = (
            (command_of_run(recorded, path), path) if sweep is None else (sweep, path.parent)
        )
        if again is not None:
            lines[again.command] = None
            if again.left_out:
                notes[_without(of, again.left_out)] = None
        elif recorded:
            notes[
                f"{of} was made by another program than osimexp train, so no command is shown."
            ] = None
    yield f"<pre>{chr(10).join(map(escape, [*lines, command]))}</pre>"
    for note in notes:
        yield f"<p class='note'>{escape(note)}</p>"


def _without(folder: Path, words: Sequence[str]) -> str:
    return (
        f"The command for {folder} lacks words that the folder holds, because they name code, runs "
        f"or places that are not of the experiment: {', '.join(words)}. Only if you know what they "
        "do, add them yourself."
    )


def _ends(comparison: Comparison) -> tuple[float, float]:
    """Return the lowest and highest value of all evaluations in training."""
    values = [v for s in comparison.standings for v in _values(s, comparison.figure)]
    return (min(values), max(values)) if values else (0.0, 1.0)


def _values(standing: Standing, figure: str) -> Iterable[float]:
    for summary in standing.group.members:
        yield from curve(summary.run, figure).values()


def _spark(points: dict[int, float], low: float, high: float, budget: int, colour: str) -> str:
    """Return a small drawing of a run's learning curve, on the scale of all runs."""
    if len(points) < 2:
        return ""
    width, height, span = 160, 32, (high - low) or 1.0
    line = " ".join(
        f"{2 + (width - 4) * steps / max(budget, *points):.1f},"
        f"{2 + (height - 4) * (high - value) / span:.1f}"
        for steps, value in points.items()
    )
    return (
        f'<svg width="{width}" height="{height}" role="img" aria-label="learning curve">'
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/></svg>'
    )


def _picture(figure: Figure, what: str) -> str:
    data = base64.b64encode(encoded(figure)).decode()
    return (
        f'<figure><img alt="{escape(what)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(what)}</figcaption></figure>"
    )


def _table(columns: Cells | None, rows: Iterable[Cells]) -> str:
    head = ""
    if columns is not None:
        head = "<tr>" + "".join(f"<th>{escape(c)}</th>" for c in columns) + "</tr>"
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<div class="wide"><table>{head}{body}</table></div>'


def _folded(head: str, body: str, safe: bool = False) -> str:
    return f"<details><summary>{head if safe else escape(head)}</summary>{body}</details>"


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return "null" if value is None else str(value)
