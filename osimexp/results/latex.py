"""A comparison as a LaTeX table."""

from osimexp.results.comparison import Comparison, Estimate
from osimexp.visible import visible

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def latex(comparison: Comparison) -> str:
    """Return a ``tabular`` with a row for each group; it needs no package.

    A group is bold if no other group is above it with certainty.
    """
    beaten = {pair.below for pair in comparison.pairs if pair.verdict == "above"}
    lines = [
        f"% {visible(comparison.figure)} of final evaluations, "
        "with 95 % bootstrap intervals over seeds",
        r"\begin{tabular}{lrrrr}",
        r"\hline",
        r"group & seeds & interquartile mean & median & mean \\",
        r"\hline",
    ]
    for standing in comparison.standings:
        label = escaped(standing.group.label)
        estimates = (standing.interquartile_mean, standing.median, standing.mean)
        cells = [
            label if standing.group.label in beaten else rf"\textbf{{{label}}}",
            str(len(standing.scores)),
            *map(_said, estimates),
        ]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\hline", r"\end{tabular}"]) + "\n"


def escaped(text: str) -> str:
    """Return text with LaTeX's special characters escaped."""
    return "".join(_SPECIAL.get(character, character) for character in visible(text))


def _said(estimate: Estimate) -> str:
    return f"${estimate.value:.4g}$ [${estimate.low:.4g}$, ${estimate.high:.4g}$]"
